-- What one host's requests are matched against: its routes, found by what is in a path.
local matches = require "route.matches"
local routes = require "route.routes"
local to_https = require "route.to_https"

local site = {}

local SLASH = 47

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

-- All requests to most hosts go one way, which the balancer takes without asking further.
local function is_everything(found)
  local it = found[1]
  return #found == 1 and #it.pools == 1 and routes.is_plain(it) and not it.rich and not it.redirects
    and (it.type == "prefix" or it.type == "start") and it.value == "/"
end

-- A host that answers on the other listener only.
local NOTHING = { exact = {}, prefix = {}, start = {}, lengths = {}, known_lengths = {} }

-- What this host's requests meet on a listener, or nil when nothing claims it. Of the many hosts whose requests all go
-- to one pool, the rule's name and that one's key, parted by a space, are all that is kept.
function site.compile(host, version, listener)
  local found, shadowed, is_known = routes.of(host, version, listener)
  if #found == 0 then
    return is_known and NOTHING or nil
  end
  if is_everything(found) then
    local only = found[1].name .. " " .. found[1].pools[1]
    return shadowed and { only = only, shadowed = shadowed } or only
  end
  local it = { exact = {}, prefix = {}, start = {}, lengths = {}, known_lengths = {}, shadowed = shadowed }
  for place, route in ipairs(found) do
    add(it, route, place)
  end
  table.sort(it.lengths, function(a, b)
    return a > b
  end)
  return it
end

local function better(found, candidates, path)
  for _, route in ipairs(candidates or {}) do
    if found and found.place < route.place then
      return found
    end
    if (not path or route.matches_path(path)) and matches.request(route) then
      return route
    end
  end
  return found
end

-- The key of the pool that all requests go to, and the name of their rule; or nil.
function site.only_pool(it)
  local only = type(it) == "string" and it or it.only
  if not only then
    return nil
  end
  local rule, pool = only:match("^(.*) (.*)$")
  return pool, rule
end

-- The names of what v1 made in vain.
function site.shadowed(it)
  return type(it) == "table" and it.shadowed or {}
end

-- The route that goes first among those that this request meets, or nil; and the name of the rule that it is of.
function site.find(it, path)
  local only, rule = site.only_pool(it)
  if only then
    return { type = "prefix", value = "/", pools = { only } }, rule
  end
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
  if found and found.redirects and to_https.is_asked(path) then
    return to_https.route(found), found.name
  end
  return found, found and found.name
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
