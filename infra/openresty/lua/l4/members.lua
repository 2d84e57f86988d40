-- What connections need of a pool: its members and how they take turns. A pool of any protocol counts as addresses.
local board = require "state.board"
local duration = require "model.duration"
local field = require "model.field"
local members = require "route.members"

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

-- {members: {{address, port, weight}}, balance, failures, seconds, proxy_protocol}, as published now.
return function(name)
  local version, chosen, weights, pool
  repeat
    version = board.version
    chosen, weights, pool = members.of(name, version)
  until board.version == version
  local it = settings_of(pool)
  it.members = {}
  for place = 1, math.min(#chosen, MAX_MEMBERS) do
    local member = chosen[place]
    it.members[place] = { address = member.address, port = member.port, weight = weights[place] }
  end
  return it
end
