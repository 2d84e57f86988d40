-- One writer at a time over all workers. The kernel frees the lock of a process that dies.
local settings = require "settings"
local system = require "state.system"

local lock = {}

local WAIT_SECONDS = 10
local STEP_SECONDS = 0.001

-- A handle to give back, or nil and why not. Each taking opens the file anew: within one worker, too, it excludes.
function lock.take(name, wait_seconds)
  local fd, problem = system.open_for_write(settings.state_folder .. "/" .. name .. ".lock")
  if not fd then
    return nil, problem
  end
  local deadline = ngx.now() + (wait_seconds or WAIT_SECONDS)
  while true do
    local taken
    taken, problem = system.try_lock(fd)
    if taken then
      return fd
    end
    if taken == nil or ngx.now() >= deadline then
      system.close(fd)
      return nil, problem or "busy"
    end
    ngx.sleep(STEP_SECONDS)
  end
end

function lock.give_back(fd)
  system.close(fd)
end

return lock
