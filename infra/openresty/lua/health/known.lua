-- What is known of members that can't serve: until when, since when and why. Shared by all workers, bounded (when the
-- dictionary is full the oldest is forgotten, and counts as well), and carried on when a pool changes.
local page = require "health.page"

local known = {}

local dict = ngx.shared.entrance_health
local counter = ngx.shared.entrance_state -- nothing in it is ever evicted
local NUMBER = "health-changes"
local CHANGES = 1024 -- remembered, so that a worker looks anew only at what changed

known.FOR_GOOD = 2 ^ 52 -- until a check finds it well

-- By whom: what happened to requests (passive) and what checks found (active) stand side by side.
local PASSIVE, ACTIVE = "p", "a"
known.PASSIVE, known.ACTIVE = PASSIVE, ACTIVE

local function key_of(by, pool, member)
  return by .. "\n" .. pool .. "\n" .. member
end

-- After what was changed is written: whoever compares versions later than this finds it. Workers that change things at
-- once may store what they read in any order; so each looks afterwards whether the newest number is what stays.
local function tell(pool, member)
  local number = counter:incr(NUMBER, 1, 0)
  if not number then
    return
  end
  dict:set("c" .. number % CHANGES, number .. "\n" .. pool .. "\n" .. member)
  repeat
    page.version = counter:get(NUMBER)
  until page.version == counter:get(NUMBER)
end

-- Calls visit(pool, member) for what changed after one version up to another; false: it could be anything. (For a
-- moment a version may go back, or come before what it tells of: nothing new, or anything.)
function known.each(after, up_to, visit)
  if up_to - after > CHANGES / 2 then
    return false
  end
  for number = after + 1, up_to do
    local text = dict:get("c" .. number % CHANGES)
    local found, pool, member = (text or ""):match("^(%d+)\n(.*)\n(.*)$")
    if tonumber(found) ~= number then
      return false
    end
    visit(pool, member)
  end
  return true
end

local function read(by, pool, member)
  local text = dict:get(key_of(by, pool, member))
  if not text then
    return nil
  end
  local until_time, since, reason = text:match("^(%S+) (%S+) (.*)$")
  return { until_time = tonumber(until_time), since = tonumber(since), reason = reason }
end

known.read = read

-- Until when this member is left out; in the past: since when it is back; 0: nothing is known against it.
function known.until_time(pool, member)
  if page.version == 0 then
    return 0
  end
  local passive, active = read(PASSIVE, pool, member), read(ACTIVE, pool, member)
  return math.max(passive and passive.until_time or 0, active and active.until_time or 0)
end

-- it: {until_time, since, reason}. keep: seconds to remember it.
function known.put(by, pool, member, it, keep)
  local text = ("%.3f %.3f %s"):format(it.until_time, it.since, it.reason)
  local stored, problem = dict:set(key_of(by, pool, member), text, keep)
  if not stored then
    ngx.log(ngx.WARN, "a member's health can't be noted: ", problem)
  end
  tell(pool, member)
end

function known.forget(by, pool, member)
  dict:delete(key_of(by, pool, member))
  tell(pool, member)
end

-- How many failures there were lately, with this one.
function known.count_failure(pool, member, seconds)
  local name = key_of("f", pool, member)
  local count = dict:incr(name, 1, 0, seconds) or 1
  return count, function()
    dict:delete(name)
  end
end

-- Calls visit(by, pool, member) for at most so many.
function known.list(most, visit)
  local names = dict:get_keys(most)
  for _, name in ipairs(names) do
    local by, pool, member = name:match("^([pa])\n(.*)\n(.*)$")
    if by then
      visit(by, pool, member)
    end
  end
  return #names < most
end

-- Since when each member is in a pool: {name → time}, or nil when nothing is known of the pool.
function known.read_members(pool)
  local text = dict:get("s\n" .. pool)
  if not text then
    return nil
  end
  local since = {}
  for name, time in text:gmatch("(%S+) (%S+)\n") do
    since[name] = tonumber(time)
  end
  return since
end

function known.note_members(pool, since, keep)
  local lines = {}
  for name, time in pairs(since) do
    lines[#lines + 1] = ("%s %.3f\n"):format(name, time)
  end
  dict:set("s\n" .. pool, table.concat(lines) .. "\n", keep)
end

return known
