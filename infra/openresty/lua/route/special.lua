-- A pool that asks for more than plain HTTP to members in turn: another protocol, or another way to choose.
local affinity = require "route.affinity"
local backend = require "route.backend"
local duration = require "model.duration"
local field = require "model.field"
local hashed = require "route.hashed"
local in_flight = require "route.in_flight"
local known = require "health.known"
local least = require "route.least"
local peers = require "route.peers"
local slow_start = require "route.slow_start"
local turns = require "route.turns"

local special = {}

local function settings_of(settings)
  return field.default(settings.balance, "round-robin"), field.default(settings.affinity, nil),
    duration.seconds(field.default(settings.slowStart, nil))
end

-- settings: the pool's, or nil of v1's and of none.
function special.is_needed(settings)
  if not settings then
    return false
  end
  local balance, sticks, ramp = settings_of(settings)
  return balance ~= "round-robin" or sticks ~= nil or ramp ~= nil or backend.is_needed(settings)
end

local function new_member(pool_name, member, weight)
  local address = peers.address(member)
  local name = peers.name(address, member.port)
  return {
    address = address, port = member.port, name = name, weight = weight,
    until_time = known.until_time(pool_name, name), place = in_flight.place(name),
  }
end

function special.compile(name, settings, chosen, weights, lists)
  local balance, sticks, ramp = settings_of(settings)
  local it = { name = name, members = {}, by_name = {}, at = 0, ramp = ramp, counts = balance == "least-connections" }
  for place, member in ipairs(chosen) do
    it.members[place] = new_member(name, member, weights[place])
    it.by_name[it.members[place].name] = it.members[place]
  end
  it.order = turns.order(weights)
  it.at = math.random(0, math.max(0, #it.order - 1))
  it.backend = backend.compile(settings)
  if balance == "hash" then
    hashed.compile(it, settings.hash)
  end
  if ramp then
    slow_start.compile(it)
  end
  if sticks then
    affinity.compile(it, sticks, lists, new_member)
  end
  return it
end

-- Whether who was to be sent to one may be sent to the other.
function special.is_alike(it, other)
  return it ~= nil and it.counts == other.counts and backend.is_alike(it.backend, other.backend)
end

function special.is_empty(it)
  return #it.members == 0 and not (it.affinity and it.affinity.has_kept)
end

local function refresh(it, member)
  member.until_time = known.until_time(it.name, member.name)
end

function special.refresh(it, name)
  if name and it.by_name[name] then
    refresh(it, it.by_name[name])
  end
  for _, member in pairs(name and {} or it.by_name) do
    refresh(it, member)
  end
end

local function in_turn(it, is_usable, now)
  local second_best
  for _ = 1, #it.order do
    it.at = it.at % #it.order + 1
    local member = it.members[it.order[it.at]]
    if is_usable(member) then
      if not it.ramp or slow_start.is_its_turn(it, member, now) then
        return member
      end
      second_best = second_best or member
    end
  end
  return second_best
end

local function choose(it, is_usable, now)
  if it.hash then
    return hashed.next(it, is_usable) or in_turn(it, is_usable, now)
  elseif it.counts then
    return least.next(it, is_usable, now)
  end
  return in_turn(it, is_usable, now)
end

-- Whether the request brings a cookie of a member here that may have it.
function special.has_session(it, now)
  return it.affinity ~= nil and affinity.next(it, function(member)
    return member.until_time <= now
  end) ~= nil
end

-- The member for this request; one that was set aside where there is no other; nil when all were tried.
function special.next(it, now, tried)
  local function is_well(member)
    return member.until_time <= now and not (tried and tried[member.name])
  end
  local found = it.affinity and affinity.next(it, is_well) or choose(it, is_well, now)
  return found or choose(it, function(member)
    return not (tried and tried[member.name])
  end, now)
end

return special
