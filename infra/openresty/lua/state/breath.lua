-- Long work lets other requests of its worker pass: each few milliseconds they have their turn.
local ffi = require "ffi"

ffi.cdef [[
typedef struct { long seconds, nanoseconds; } entrance_time;
int clock_gettime(int clock, entrance_time *time);
]]

local breath = {}

local C = ffi.C
local CLOCK_MONOTONIC = 1
local WORK_SECONDS = 0.008 -- other requests wait at most so long, and for what can't be divided
local REST_SECONDS = 0.001 -- ngx.sleep(0) does not let others pass on a stock nginx

local time = ffi.new("entrance_time")
local since = 0

local function now()
  C.clock_gettime(CLOCK_MONOTONIC, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) * 1e-9
end

-- At the beginning, where others have just had their turn.
function breath.start()
  since = now()
end

-- Between two steps.
function breath.take()
  if now() - since < WORK_SECONDS or ngx.get_phase() == "init" then
    return
  end
  ngx.sleep(REST_SECONDS)
  since = now()
end

return breath
