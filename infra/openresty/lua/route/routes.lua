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
    route.order = turns.order(weights)
  end
  return route
end

local function compile_rule(name, text)
  local rule = json.decode(text)
  local match = field.default(rule.matches, {})
  local path = field.default(match.path, { type = "prefix", value = "/" })
  local pools, weights = {}, {}
  for place, target in ipairs(rule.pools) do
    pools[place] = target.pool
    weights[place] = field.default(target.weight, 1)
  end
  local route = new_route(path, pools, weights)
  route.method = type(match.method) == "string" and match.method ~= "" and match.method or nil
  route.headers = by_name(match.headers, true)
  route.query = by_name(match.query)
  route.rich = rich.compile(name, rule)
  route.matches_path = path.type == "regex" and pattern.of_path(path.value) or nil
  rule.number = tonumber(name:match("(%d+)$"))
  route.rank = precedence.rank(rule)
  return route
end

local function v2_routes(host, version)
  local found = {}
  for name in sets.get(index.rules_of(host), version) do
    local it = record.decode(memory.get(index.record(name), version))
    local text = it and record.serving(it)
    if text and key.segments(name) then
      found[#found + 1] = compile_rule(name, text)
    end
  end
  return found
end

-- v1's routes stand in the same order, behind a v2 rule of an equal path; a server before an upstream's default domain.
local function v1_route(label, path, pool)
  local route = new_route({ type = "start", value = path }, { pool }, { 1 })
  route.label = label
  route.rank = { 2, -#path, 3, 1, 0, 0, "~", label, "", 0 }
  return route
end

local function v1_routes(host, version)
  local found = {}
  for label in sets.get(index.v1_of(host), version) do
    local kind, name = label:match("^(%a+)/(.+)$")
    if kind == "upstreams" then
      found[#found + 1] = v1_route(label, "/", label)
    else
      local text = memory.get(index.v1_record(kind, name), version)
      local server = text and json.decode(text)
      found[#found + 1] = server and v1_route(label, server.path, "upstreams/" .. server.upstream)
    end
  end
  return found
end

-- Whether it asks for nothing but a path.
function routes.is_plain(route)
  return not (route.method or route.headers or route.query)
end

-- The routes of a host in their order, and the names of what v1 made in vain: where both claim one path, v2 wins.
function routes.of(host, version)
  local found = v2_routes(host, version)
  local claimed, shadowed = {}, nil
  for _, route in ipairs(found) do
    if (route.type == "prefix" or route.type == "start") and routes.is_plain(route) then
      claimed[route.value] = true
    end
  end
  for _, route in ipairs(v1_routes(host, version)) do
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
  return found, shadowed
end

return routes
