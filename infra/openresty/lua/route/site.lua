-- What one host's requests are matched against, compiled from its v2 rules and what v1 made for it.
local field = require "model.field"
local index = require "state.index"
local json = require "state.json"
local key = require "model.key"
local matches = require "route.matches"
local memory = require "state.memory"
local pattern = require "model.pattern"
local precedence = require "model.precedence"
local record = require "state.record"
local rich = require "route.rich"
local sets = require "state.sets"
local turns = require "route.turns"

local site = {}

local SLASH = 47

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
  local routes = {}
  for name in sets.get(index.rules_of(host), version) do
    local it = record.decode(memory.get(index.record(name), version))
    local text = it and record.serving(it)
    if text and key.segments(name) then
      routes[#routes + 1] = compile_rule(name, text)
    end
  end
  return routes
end

-- v1's routes stand in the same order, behind a v2 rule of an equal path; a server before an upstream's default domain.
local function v1_route(label, path, pool)
  local route = new_route({ type = "start", value = path }, { pool }, { 1 })
  route.label = label
  route.rank = { 2, -#path, 3, 1, 0, 0, "~", label, "", 0 }
  return route
end

local function v1_routes(host, version)
  local routes = {}
  for label in sets.get(index.v1_of(host), version) do
    local kind, name = label:match("^(%a+)/(.+)$")
    if kind == "upstreams" then
      routes[#routes + 1] = v1_route(label, "/", label)
    else
      local text = memory.get(index.v1_record(kind, name), version)
      local server = text and json.decode(text)
      routes[#routes + 1] = server and v1_route(label, server.path, "upstreams/" .. server.upstream)
    end
  end
  return routes
end

local function is_plain(route)
  return not (route.method or route.headers or route.query)
end

-- Adds to v2's routes those of v1, but where both claim one path of this host v2 wins; the losers are named.
local function join(routes, v1)
  local claimed, shadowed = {}, {}
  for _, route in ipairs(routes) do
    if (route.type == "prefix" or route.type == "start") and is_plain(route) then
      claimed[route.value] = true
    end
  end
  for _, route in ipairs(v1) do
    if not claimed[route.value] then
      routes[#routes + 1] = route
    elseif route.label:find("^servers/") then
      shadowed[#shadowed + 1] = route.label
    end
  end
  return shadowed
end

local function without_slash(path)
  return #path > 1 and path:gsub("/+$", "") or path
end

-- Finds by what is in a path rather than by trying all routes: tables by text, for each length that occurs.
local function add(it, route, order)
  route.place = order
  if route.type == "regex" then
    it.regex = it.regex or {}
    table.insert(it.regex, route)
    return
  end
  local paths, text = it[route.type], route.value
  if route.type == "prefix" then
    text = without_slash(text)
    text = text == "/" and "" or text
  end
  if not paths[text] then
    paths[text] = {}
    if route.type ~= "exact" and not it.known_lengths[#text] then
      it.known_lengths[#text] = true
      it.lengths[#it.lengths + 1] = #text
    end
  end
  table.insert(paths[text], route)
end

-- What this host's requests meet, or nil when nothing claims it.
function site.compile(host, version)
  local routes = v2_routes(host, version)
  local shadowed = join(routes, v1_routes(host, version))
  if #routes == 0 then
    return nil
  end
  table.sort(routes, function(a, b)
    return precedence.before(a.rank, b.rank)
  end)
  local it = { exact = {}, prefix = {}, start = {}, lengths = {}, known_lengths = {}, shadowed = shadowed }
  for place, route in ipairs(routes) do
    add(it, route, place)
  end
  table.sort(it.lengths, function(a, b)
    return a > b
  end)
  -- All requests to such a host go one way: the balancer takes it without asking further.
  local first = routes[1]
  it.has_one_pool = #routes == 1 and #first.pools == 1 and is_plain(first) and not first.rich
    and (first.type == "prefix" or first.type == "start") and first.value == "/"
  return it
end

local function better(found, routes, path)
  for _, route in ipairs(routes or {}) do
    if found and found.place < route.place then
      return found
    end
    if (not path or route.matches_path(path)) and matches.request(route) then
      return route
    end
  end
  return found
end

-- The route that goes first among those that this request meets, or nil.
function site.find(it, path)
  local found = better(nil, it.exact[path])
  found = it.regex and better(found, it.regex, path) or found
  for _, length in ipairs(it.lengths) do
    if length <= #path then
      local text = path:sub(1, length)
      if length == #path or path:byte(length + 1) == SLASH then
        found = better(found, it.prefix[text])
      end
      found = better(found, it.start[text])
    end
  end
  return found
end

-- The key of the pool whose turn it is, or nil when there is none.
function site.next_pool(route)
  if not route.order then
    return route.pools[1]
  end
  route.at = route.at % #route.order + 1
  return route.pools[route.order[route.at]]
end

return site
