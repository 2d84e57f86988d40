-- Whether the node wants requests: a complete state serves, and nobody drains it: by the admin API, or, as run.sh does
-- before it ends nginx, by a file.
local ffi = require "ffi"
local head = require "state.head"
local page = require "state.page"

ffi.cdef [[ typedef struct { double draining; /* since when; 0: it is not */ } entrance_readiness; ]]

local readiness = {}

local it = page("readiness", "entrance_readiness")

local FILE = ngx.config.prefix() .. "draining"

readiness.DRAINING = "draining"

local function has_file()
  local file = io.open(FILE, "r")
  if file then
    file:close()
  end
  return file ~= nil
end

function readiness.is_draining()
  return it.draining > 0 or has_file()
end

function readiness.drain(is_wanted)
  if not is_wanted then
    it.draining = 0
  elseif it.draining == 0 then
    it.draining = ngx.now()
  end
end

-- Why it wants none, or nil.
function readiness.problem()
  local now = head.current()
  if readiness.is_draining() then
    return readiness.DRAINING
  elseif head.is_ready(now) then
    return nil
  end
  return now.problem ~= "" and now.problem or "nothing was sent to this node yet"
end

return readiness
