-- Which slot of the counters belongs to which name. There are so many and no more, whatever comes and goes: who finds
-- none counts among the others, and a slot that was not used for long is given to somebody else.
local ffi = require "ffi"
local page = require "metrics.page"

local slots = {}

local dict = ngx.shared.entrance_metrics
local shared = page.shared

local IDLE_SECONDS = 600
local FREE, NEXT = "free ", "next "

-- This worker's knowledge of names, as of an epoch.
local known, epoch = {}, 0

local function take_free(kind)
  local slot = dict:rpop(FREE .. kind.name)
  if slot then
    return slot
  end
  slot = dict:incr(NEXT .. kind.name, 1, kind.first - 1)
  if slot and slot <= kind.last then
    return slot
  end
  return nil
end

local function give(kind, name)
  local slot = take_free(kind)
  if not slot then
    return kind.other
  end
  local added, problem = dict:safe_add(name, slot)
  if not added then
    dict:lpush(FREE .. kind.name, slot)
    return problem == "exists" and dict:get(name) or kind.other
  end
  dict:safe_set("slot " .. slot, name)
  return slot
end

-- kind: page.ROUTES or page.MEMBERS.
function slots.of(kind, first, second)
  if epoch ~= shared.epoch then
    known, epoch = {}, shared.epoch
  end
  local name = kind.name .. "\n" .. first .. "\n" .. second
  local slot = known[name]
  if not slot then
    slot = dict:get(name) or give(kind, name)
    if slot ~= kind.other then
      known[name] = slot
    end
  end
  return slot
end

-- The two parts of a slot's name, or nil when it is nobody's.
function slots.name(slot)
  local name = dict:get("slot " .. slot)
  if not name then
    return nil
  end
  return name:match("^%a+\n(.*)\n(.*)$")
end

-- The last slot of a kind that was ever given.
function slots.last(kind)
  return math.min(kind.last, dict:get(NEXT .. kind.name) or kind.first - 1)
end

local function total(slot)
  local sum = 0
  page.each(slot, function(count)
    for class = 0, 5 do
      sum = sum + count.statuses[class]
    end
    sum = sum + count.failures
  end)
  return sum
end

local function take_back(kind, slot)
  local name = dict:get("slot " .. slot)
  if not name then
    return
  end
  dict:delete(name)
  dict:delete("slot " .. slot)
  shared.epoch = shared.epoch + 1
  page.each(slot, function(count)
    ffi.fill(count, ffi.sizeof("entrance_count"))
  end)
  dict:lpush(FREE .. kind.name, slot)
end

local seen = {} -- by slot: its total, and since when it is the same

-- From one worker, now and then.
function slots.tidy(now)
  for _, kind in ipairs { page.ROUTES, page.MEMBERS } do
    local is_full = slots.last(kind) == kind.last and (dict:llen(FREE .. kind.name) or 0) == 0
    for slot = kind.first, is_full and kind.last or 0 do
      local sum, before = total(slot), seen[slot]
      if not before or before.sum ~= sum then
        seen[slot] = { sum = sum, since = now }
      elseif now - before.since > IDLE_SECONDS then
        seen[slot] = nil
        take_back(kind, slot)
      end
    end
  end
end

return slots
