-- The members of one pool, joined from its lists and put in an order of turns. Passive health: what is known of a
-- peer's failures is this worker's own, and outlives a change of the pool.
local field = require "model.field"
local index = require "state.index"
local json = require "state.json"
local memory = require "state.memory"
local record = require "state.record"
local sets = require "state.sets"
local turns = require "route.turns"

local pool = {}

local SET_ASIDE_SECONDS = 5
local MAX_FAILURES = 10000

local failures, failure_count = {}, 0 -- by peer: set aside until

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

local function new_peer(member)
  local address = member.address:find(":", 1, true) and "[" .. member.address .. "]" or member.address
  local name = address .. ":" .. member.port
  return { name = name, address = address, port = member.port, aside_until = failures[name] or 0 }
end

-- Whose turn it is goes round in `order`, which names each peer as often as its weight says.
local function fill(it, members)
  local weights = {}
  it.peers = {}
  for place, member in ipairs(members) do
    it.peers[place] = new_peer(member)
    weights[place] = weight_of(member)
  end
  it.order = it.peers
  if not turns.are_alike(weights) then
    it.order = {}
    for turn, place in ipairs(turns.order(weights)) do
      it.order[turn] = it.peers[place]
    end
  end
  it.size = #it.order
  -- Workers and pools begin at different members.
  it.at = it.size > 0 and math.random(it.size) or 0
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
  local it = { name = name }
  fill(it, choose(lists or {}, fallback))
  return it
end

local function remember(name, until_time)
  if not failures[name] then
    failure_count = failure_count + 1
  end
  if failure_count > MAX_FAILURES then
    failures, failure_count = {}, 1
  end
  failures[name] = until_time
end

-- A peer failed: others are asked for a few seconds.
function pool.set_aside(it, name, now)
  local until_time = now + SET_ASIDE_SECONDS
  remember(name, until_time)
  for _, peer in ipairs(it.peers) do
    if peer.name == name then
      peer.aside_until = until_time
    end
  end
end

-- The next peer in turn that is neither set aside nor was tried, then one set aside; nil when all were tried.
function pool.next_peer(it, now, tried)
  local second_best
  for _ = 1, it.size do
    it.at = it.at % it.size + 1
    local peer = it.order[it.at]
    if not (tried and tried[peer.name]) then
      if peer.aside_until <= now then
        peer.aside_until = 0
        return peer
      end
      second_best = second_best or peer
    end
  end
  return second_best
end

return pool
