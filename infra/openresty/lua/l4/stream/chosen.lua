-- Whose turn it is among the members of a port: in turn, by source, or to whom has fewest. What is known of failures
-- and of open connections is each worker's own, as in an nginx without Lua, and outlives a change of members.
local hashed = require "route.hashed"
local turns = require "route.turns"

local chosen = {}

local MAX_KNOWN = 10000

local known, known_count = {}, 0 -- by member: {failures, since, until_time, open}

local function of_member(name)
  local it = known[name]
  if not it then
    if known_count >= MAX_KNOWN then
      known, known_count = {}, 0
    end
    it = { failures = 0, since = 0, until_time = 0, open = 0 }
    known[name], known_count = it, known_count + 1
  end
  return it
end

-- to: as l4/members.lua says it; an empty one belongs to a name that is ended here.
function chosen.compile(name, to)
  if not to.members then
    return { name = name, is_ended_here = true }
  end
  local it = { name = name, members = {}, balance = to.balance, at = 0, tells = to.proxy_protocol ~= nil }
  it.failures, it.seconds = to.failures, to.seconds
  local weights = {}
  for place, member in ipairs(to.members) do
    local address = member.address:find(":", 1, true) and "[" .. member.address .. "]" or member.address
    weights[place] = member.weight
    it.members[place] = {
      address = address, port = member.port, weight = member.weight, name = address .. ":" .. member.port,
    }
  end
  it.turns = turns.order(weights)
  it.at = math.random(0, math.max(0, #it.turns - 1))
  if it.balance == "hash" then
    hashed.compile(it, { by = "source" })
  end
  return it
end

local function in_turn(it, is_usable)
  for _ = 1, #it.turns do
    it.at = it.at % #it.turns + 1
    local member = it.members[it.turns[it.at]]
    if is_usable(member) then
      return member
    end
  end
  return nil
end

local function with_fewest(it, is_usable)
  local best, best_load
  for step = 1, #it.members do
    local member = it.members[(it.at + step - 1) % #it.members + 1]
    local load = (of_member(member.name).open + 1) / member.weight
    if is_usable(member) and (not best or load < best_load) then
      best, best_load = member, load
    end
  end
  it.at = it.at + 1
  return best
end

local BALANCES = { ["least-connections"] = with_fewest, hash = hashed.next }

-- The next member that was not tried; one that failed lately only where there is no other.
function chosen.next(it, tried, now)
  local choose = BALANCES[it.balance] or in_turn
  local function is_fresh(member)
    return not tried[member.name]
  end
  return choose(it, function(member)
    return is_fresh(member) and of_member(member.name).until_time <= now
  end) or choose(it, is_fresh)
end

function chosen.failed(it, name, now)
  local member = of_member(name)
  if now - member.since > it.seconds then
    member.failures, member.since = 0, now
  end
  member.failures = member.failures + 1
  if member.failures >= it.failures then
    member.until_time, member.failures = now + it.seconds, 0
  end
end

-- A connection goes to a member, and no more to the one before.
function chosen.enter(context, member)
  chosen.leave(context)
  context.at = member.name
  local it = of_member(member.name)
  it.open = it.open + 1
end

function chosen.leave(context)
  local it = context.at and known[context.at]
  context.at = nil
  if it and it.open > 0 then
    it.open = it.open - 1
  end
end

-- log_by_lua: it is over.
function chosen.done()
  chosen.leave(ngx.ctx)
end

return chosen
