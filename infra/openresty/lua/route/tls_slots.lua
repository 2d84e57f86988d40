-- Which of nginx's groups of kept TLS connections a request uses. nginx looks for a kept connection by its address
-- alone, so a group is one identity's: what was verified, by whom, and which name was asked for. It becomes another's
-- only when nobody uses it and all its connections have ended; whoever finds none keeps no connection.
local tls_slots = {}

local SLOTS = 16 -- as in prepare/backend-locations.ts
local ENDED_SECONDS = 65 -- keepalive_timeout there, and more
local ONCE = "tls_once"

local slots, by_identity = {}, {}
for place = 1, SLOTS do
  slots[place] = { name = "tls_" .. place - 1, users = 0, released = -math.huge }
end
local by_name = {}
for _, slot in ipairs(slots) do
  by_name[slot.name] = slot
end

local function free_slot(now)
  for _, slot in ipairs(slots) do
    if slot.users == 0 and now - slot.released > ENDED_SECONDS then
      return slot
    end
  end
  return nil
end

-- The name of a group; to be given back by release.
function tls_slots.take(identity, now)
  local slot = by_identity[identity]
  if not slot then
    slot = free_slot(now)
    if not slot then
      return ONCE
    end
    if slot.identity then
      by_identity[slot.identity] = nil
    end
    slot.identity, by_identity[identity] = identity, slot
  end
  slot.users = slot.users + 1
  return slot.name
end

function tls_slots.release(name, now)
  local slot = by_name[name]
  if slot and slot.users > 0 then
    slot.users, slot.released = slot.users - 1, now
  end
end

return tls_slots
