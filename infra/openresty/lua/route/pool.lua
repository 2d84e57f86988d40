-- One pool: its members, joined from its lists, and whose turn it is.
local field = require "model.field"
local index = require "state.index"
local json = require "state.json"
local memory = require "state.memory"
local peers = require "route.peers"
local record = require "state.record"
local sets = require "state.sets"

local pool = {}

local function decode_record(name, version)
  local it = record.decode(memory.get(index.record(name), version))
  local text = it and record.serving(it)
  return text and json.decode(text)
end

-- v2: the pool's settings and the lists of its slices, in the order of their keys.
local function read_v2(name, version)
  local settings = decode_record(name, version)
  if not settings then
    return nil
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
  return lists, settings.fallback
end

local function read_v1(name, version)
  local text = memory.get(index.v1_record("upstreams", name), version)
  if not text then
    return nil
  end
  return { json.decode(text).members }
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
  local best_quality, members, place_of = nil, {}, {}
  for _, list in ipairs(lists) do
    for _, member in ipairs(list) do
      local grade = quality(member, fallback)
      if grade and (not best_quality or grade < best_quality) then
        best_quality, members, place_of = grade, {}, {}
      end
      local name = member.address .. " " .. member.port
      if grade and grade == best_quality and not place_of[name] then
        members[#members + 1] = member
        place_of[name] = #members
      end
    end
  end
  return members
end

-- A pool as of a version.
function pool.compile(name, version)
  local v1_name = name:match("^upstreams/(.+)$")
  local lists, fallback
  if v1_name then
    lists = read_v1(v1_name, version)
  else
    lists, fallback = read_v2(name, version)
  end
  local members, weights = choose(lists or {}, fallback), {}
  for place, member in ipairs(members) do
    weights[place] = weight_of(member)
  end
  local it = { name = name }
  it.peers, it.addresses = peers.compile(members, weights)
  return it
end

function pool.is_empty(it)
  return it.peers.size < 1
end

-- Whoever holds on to it must look it up anew.
function pool.forget(it)
  it.peers.size = -1
end

-- A peer failed: others are asked for a few seconds.
function pool.set_aside(it, name, now)
  peers.set_aside(it.peers, name, now)
end

-- The next peer in turn, {address, port}, of those that were not tried; nil when all were.
function pool.next_peer(it, now, tried)
  return peers.next(it.peers, now, tried)
end

return pool
