-- Why a member that speaks TLS failed: nginx tells its error log alone, and not whether it was the connection, the
-- handshake or the certificate. So the member is asked once more, beside the request, without sending it anything.
local known = require "health.known"
local socket = require "health.socket"

local SECONDS = 2
local MOST_AT_ONCE = 16
local CERTIFICATE = "its certificate was not accepted: who signed it, its name or its time (see the error log)"

local running = 0

local function find_reason(tls, member)
  local connection, problem = socket.open(member.address, member.port, SECONDS, { name = tls.name })
  if connection then
    connection:close()
    return tls.verify and CERTIFICATE or nil
  end
  return problem
end

local function run(premature, tls, pool, member, ramp)
  local fine, reason = pcall(find_reason, tls, member)
  local it = not premature and fine and reason and known.read(known.PASSIVE, pool, member.name)
  local left = it and it.until_time - ngx.now() or 0
  if left > 0 then
    it.reason = reason
    known.put(known.PASSIVE, pool, member.name, it, left + ramp + 1)
  end
  running = running - 1
end

-- tls: as the pool's members are spoken to. member: {address, port, name}, which has just been set aside. ramp: its
-- pool's slowStart in seconds.
return function(tls, pool, member, ramp)
  if running < MOST_AT_ONCE and ngx.timer.at(0, run, tls, pool, member, ramp) then
    running = running + 1
  end
end
