-- slowStart: a member that is new to its pool, or well again, gets its share little by little.
local known = require "health.known"

local slow_start = {}

local LEAST = 0.05 -- of its weight, at the beginning
local KEEP_SECONDS = 86400

-- Since when each member is in the pool, the same for all workers; those that a pool began with have been there always.
function slow_start.compile(it)
  local before = known.read_members(it.name)
  local now = ngx.now()
  local since = {}
  for _, member in ipairs(it.members) do
    member.since = before and (before[member.name] or now) or 0
    since[member.name] = member.since
  end
  known.note_members(it.name, since, KEEP_SECONDS)
end

-- The part of its weight that counts by now.
function slow_start.share(it, member, now)
  local began = math.max(member.since, member.until_time)
  local share = (now - began) / it.ramp
  return share >= 1 and 1 or math.max(LEAST, share)
end

-- Of so many turns the same part is taken, evenly.
function slow_start.is_its_turn(it, member, now)
  local share = slow_start.share(it, member, now)
  if share >= 1 then
    return true
  end
  member.credit = (member.credit or 0) + share
  if member.credit < 1 then
    return false
  end
  member.credit = member.credit - 1
  return true
end

return slow_start
