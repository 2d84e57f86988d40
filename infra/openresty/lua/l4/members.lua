-- What connections need of a pool: its members and how they take turns. A pool of any protocol counts as addresses.
local board = require "state.board"
local duration = require "model.duration"
local field = require "model.field"
local known = require "health.known"
local members = require "route.members"
local peers = require "route.peers"

local DEFAULT_FAILURES, DEFAULT_SECONDS = 1, 5 -- as for requests
local MAX_MEMBERS = 4096 -- of one port

local function settings_of(pool)
  local settings = field.default(pool, {})
  local passive = field.default(field.default(settings.health, {}).passive, {})
  local balance = field.default(settings.balance, "round-robin")
  if balance == "hash" and field.default(settings.hash, {}).by ~= "source" then
    balance = "round-robin" -- what it is by is in requests only
  end
  return {
    balance = balance,
    failures = field.default(passive.failures, DEFAULT_FAILURES),
    seconds = math.max(1, math.ceil(duration.seconds(field.default(passive["for"], nil)) or DEFAULT_SECONDS)),
    proxy_protocol = field.default(settings.proxyProtocol, nil),
  }
end

local function is_unwell(name, member, now)
  local it = known.read(known.ACTIVE, name, peers.name(peers.address(member), member.port))
  return it ~= nil and it.until_time > now
end

-- Those that checks found unwell are left out, unless that leaves nobody. (Failed connections are counted by whoever
-- makes them.)
local function list(name, chosen, weights, takes_all)
  local found, now = {}, ngx.now()
  for place, member in ipairs(chosen) do
    if #found < MAX_MEMBERS and (takes_all or not is_unwell(name, member, now)) then
      found[#found + 1] = { address = member.address, port = member.port, weight = weights[place] }
    end
  end
  return found
end

-- {members: {{address, port, weight}}, balance, failures, seconds, proxy_protocol}, as published now.
return function(name)
  local version, chosen, weights, pool
  repeat
    version = board.version
    chosen, weights, pool = members.of(name, version)
  until board.version == version
  local it = settings_of(pool)
  it.members = list(name, chosen, weights, false)
  if #it.members == 0 then
    it.members = list(name, chosen, weights, true)
  end
  return it
end
