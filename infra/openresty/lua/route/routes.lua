-- The routes of one host: from its v2 rules, and from what v1 made for it.
local field = require "model.field"
local index = require "state.index"
local json = require "state.json"
local key = require "model.key"
local memory = require "state.memory"
local pattern = require "model.pattern"
local precedence = require "model.precedence"
local record = require "state.record"
local rich = require "route.rich"
local sets = require "state.sets"
local turns = require "route.turns"
local v1 = require "state.v1"

local routes = {}

-- Of several matches of one name the first counts (Gateway API).
local function by_name(list, lower)
  local values = {}
  for _, match in ipairs(field.default(list, {})) do
    local name = lower and match.name:lower() or match.name
    values[name] = values[name] or match.type == "regex" and pattern.of_value(match.value) or match.value
  end
  return next(values) and values
end

local function new_route(path, pools, weights)
  local total = 0
  for _, weight in ipairs(weights) do
    total = total + weight
  end
  local route = { type = path.type, value = path.value, pools = pools, at = 0 }
  if total == 0 then
    route.pools = {}
  elseif #pools > 1 then
    route.order, route.weighted = turns.order(weights), {}
    for place, pool in ipairs(pools) do
      route.weighted[#route.weighted + 1] = weights[place] > 0 and pool or nil
    end
  end
  return route
end

local function compile_rule(name, rule)
  local match = field.default(rule.matches, {})
  local path = field.default(match.path, { type = "prefix", value = "/" })
  local pools, weights = {}, {}
  for place, target in ipairs(rule.pools) do
    pools[place] = target.pool
    weights[place] = field.default(target.weight, 1)
  end
  local route = new_route(path, pools, weights)
  route.name = name
  route.method = type(match.method) == "string" and match.method ~= "" and match.method or nil
  route.headers = by_name(match.headers, true)
  route.query = by_name(match.query)
  route.rich = rich.compile(name, rule)
  route.matches_path = path.type == "regex" and pattern.of_path(path.value) or nil
  rule.number = tonumber(name:match("(%d+)$"))
  route.rank = precedence.rank(rule)
  return route
end

local function is_among(listeners, listener)
  for _, name in ipairs(listeners) do
    if name == listener then
      return true
    end
  end
  return #listeners == 0
end

-- Whether a rule is met by requests that come by this listener; and whether they are sent to https.
local function is_met(rule, listener)
  local scheme = field.default(rule.scheme, "http")
  if not is_among(field.default(rule.listeners, {}), listener) then
    return false, false
  end
  if scheme == "httptohttps" then
    return true, listener == "http"
  end
  return scheme == listener or scheme == "httpandhttps", false
end

-- The routes, and whether the host has any on whatever listener.
local function v2_routes(host, version, listener)
  local found, is_known = {}, false
  for name in sets.get(index.rules_of(host), version) do
    local it = record.decode(memory.get(index.record(name), version))
    local text = it and record.serving(it)
    local rule = text and key.segments(name) and json.decode(text)
    if rule then
      local met, redirects = is_met(rule, listener)
      is_known = true
      if met then
        found[#found + 1] = compile_rule(name, rule)
        found[#found].redirects = redirects
      end
    end
  end
  return found, is_known
end

-- v1's routes stand in the same order, behind a v2 rule of an equal path; a server before an upstream's default domain.
local function v1_route(it)
  local route = new_route({ type = "start", value = it.path }, { it.pool }, { 1 })
  route.name = it.label
  route.label, route.redirects = it.label, it.scheme == "httptohttps"
  route.rank = { 2, -#it.path, 3, 1, 0, 0, "~", it.label, "", 0 }
  return route
end

-- A server that redirects answers on http alone: what is met on https is a server of its own.
local function v1_routes(host, version, listener)
  local found, is_known = {}, false
  for _, it in ipairs(v1.of_host(host, version)) do
    is_known = true
    if (it.scheme == "https") == (listener == "https") then
      found[#found + 1] = v1_route(it)
    end
  end
  return found, is_known
end

-- Whether it asks for nothing but a path.
function routes.is_plain(route)
  return not (route.method or route.headers or route.query)
end

-- The routes of a host on a listener, in their order; the names of what v1 made in vain: where both claim one path, v2
-- wins; and whether the host has any on whatever listener.
function routes.of(host, version, listener)
  local found, is_known = v2_routes(host, version, listener)
  local claimed, shadowed = {}, nil
  for _, route in ipairs(found) do
    if (route.type == "prefix" or route.type == "start") and routes.is_plain(route) then
      claimed[route.value] = true
    end
  end
  local older, is_known_to_v1 = v1_routes(host, version, listener)
  for _, route in ipairs(older) do
    if not claimed[route.value] then
      found[#found + 1] = route
    elseif route.label:find("^servers/") then
      shadowed = shadowed or {}
      shadowed[#shadowed + 1] = route.label
    end
  end
  table.sort(found, function(a, b)
    return precedence.before(a.rank, b.rank)
  end)
  return found, shadowed, is_known or is_known_to_v1
end

return routes
