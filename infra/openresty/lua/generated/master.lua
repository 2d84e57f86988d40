-- The master process: it takes a new configuration when it is told to.
local ffi = require "ffi"
local system = require "state.system" -- declares strerror, too

ffi.cdef [[
int getppid(void);
int kill(int pid, int signal);
]]

local C = ffi.C
local SIGHUP = 1
local EPERM = 1

local master = {}

-- Whether it takes signals of this process; otherwise it belongs to another user.
function master.obeys()
  return C.kill(C.getppid(), 0) == 0
end

-- true, or nil and why not.
function master.reload()
  if C.kill(C.getppid(), SIGHUP) == 0 then
    return true
  end
  return nil, ffi.string(C.strerror(ffi.errno()))
end

function master.is_alive(pid)
  return C.kill(pid, 0) == 0 or ffi.errno() == EPERM
end

-- How many processes it has; 0 where the kernel does not say.
function master.children()
  local pid = C.getppid()
  local text = system.read_all(("/proc/%d/task/%d/children"):format(pid, pid)) or ""
  local _, count = text:gsub("%d+", "")
  return count
end

return master
