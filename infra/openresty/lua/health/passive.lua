-- What happens to requests says whether a member can serve: after so many failed tries within a time it is set aside
-- for as long.
local duration = require "model.duration"
local field = require "model.field"
local known = require "health.known"

local passive = {}

local FAILURES, SECONDS = 1, 5
local AGAIN_SECONDS = 1 -- whoever was set aside less than this ago is not set aside once more
local DEFAULTS = { failures = FAILURES, seconds = SECONDS, ramp = 0 }

-- settings: the pool's, or nil. The same table for all pools that say nothing.
function passive.compile(settings)
  local health = settings and field.default(settings.health, nil)
  local it = health and field.default(health.passive, nil)
  local ramp = settings and duration.seconds(field.default(settings.slowStart, nil))
  if not it and not ramp then
    return DEFAULTS
  end
  it = it or {}
  return {
    failures = field.default(it.failures, FAILURES),
    seconds = duration.seconds(field.default(it["for"], nil)) or SECONDS,
    ramp = ramp or 0,
  }
end

-- A try failed. limits: what compile gave. Whether this one set the member aside.
function passive.failed(limits, pool, member, reason, now)
  if limits.failures == 0 then
    return false
  end
  local before = known.read(known.PASSIVE, pool, member)
  if before and before.until_time > now and before.until_time - now > limits.seconds - AGAIN_SECONDS then
    return false
  end
  local count, forget = known.count_failure(pool, member, limits.seconds)
  if count < limits.failures then
    return false
  end
  forget()
  local since = before and before.until_time > now and before.since or now
  local it = { until_time = now + limits.seconds, since = since, reason = reason }
  known.put(known.PASSIVE, pool, member, it, limits.seconds + limits.ramp + 1)
  return true
end

return passive
