-- A pool's members: joined from its lists, and those of them chosen that may answer. Knows no phase; requests and
-- connections (l4/) share it.
local field = require "model.field"
local index = require "state.index"
local json = require "state.json"
local memory = require "state.memory"
local record = require "state.record"
local sets = require "state.sets"

local members = {}

local function decode_record(name, version)
  local it = record.decode(memory.get(index.record(name), version))
  local text = it and record.serving(it)
  return text and json.decode(text)
end

-- v2: the pool's settings and the lists of its slices, in the order of their keys.
local function read_v2(name, version)
  local settings = decode_record(name, version)
  if not settings then
    return {}, nil
  end
  local keys, lists = {}, {}
  for key in sets.get(index.slices_of(name), version) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local node = decode_record(key, version)
    lists[#lists + 1] = node and node.members
  end
  return lists, settings
end

local function read_v1(name, version)
  local text = memory.get(index.v1_record(name), version)
  return text and { json.decode(text).members } or {}, nil
end

local function weight_of(member)
  return field.default(member.weight, 1)
end

-- What may answer, best first: ready; else, for pools that keep them, unready; else serving while terminating.
local function quality(member, fallback)
  local state = field.default(member.state, "active")
  if weight_of(member) == 0 then
    return nil
  elseif state == "active" then
    if member.ready ~= false then
      return 1
    end
    return fallback == "unready" and 2 or nil
  elseif state == "draining" then
    return 3
  end
  return nil
end

-- One address and port in several lists counts once, as the best that is said of it.
local function choose(lists, fallback)
  local best_quality, chosen, place_of = nil, {}, {}
  for _, list in ipairs(lists) do
    for _, member in ipairs(list) do
      local grade = quality(member, fallback)
      if grade and (not best_quality or grade < best_quality) then
        best_quality, chosen, place_of = grade, {}, {}
      end
      local name = member.address .. " " .. member.port
      if grade and grade == best_quality and not place_of[name] then
        chosen[#chosen + 1] = member
        place_of[name] = #chosen
      end
    end
  end
  return chosen
end

-- The members that may answer, as of a version; their weights; the pool's settings, nil of v1's and of none; and the
-- lists that all its members stand in.
function members.of(name, version)
  local read = name:find("^upstreams/") and read_v1 or read_v2
  local lists, settings = read(name, version)
  local chosen, weights = choose(lists, settings and settings.fallback), {}
  for place, member in ipairs(chosen) do
    weights[place] = weight_of(member)
  end
  return chosen, weights, settings, lists
end

return members
