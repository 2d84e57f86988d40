-- From a request to its pool, in all cases that the shortest way does not cover.
local host_of = require "route.host"
local listener_of = require "route.listener"
local new_only = require "route.only"
local note = require "metrics.note"
local pool_of = require "route.pool"
local site = require "route.site"
local special = require "route.special"
local view = require "route.view"

local var = ngx.var

-- Of several pools the one that has the request's session already, whatever the weights.
local function pool_of_session(route)
  for _, name in ipairs(route.order and var.http_cookie and route.weighted or {}) do
    local it = view.pool(name).special
    if it and special.has_session(it, ngx.now()) then
      return name
    end
  end
  return nil
end

-- The balancer looks for the Host as it came.
local function keep_only(host, listener, said, only, peers)
  local it = view.listeners[listener]
  if said ~= host then
    view.add_alias(listener, said)
  end
  it.only[said], it.kept[said] = only, peers
end

local function look_up()
  local host, listener, said = var.host, listener_of(), var.http_host
  if not host_of.agrees(said, host) then
    return nil, 400
  end
  local found = view.site(host, listener)
  local route, rule
  if found then
    route, rule = site.find(found, var.uri)
  end
  if not route then
    return nil, 404
  end
  local name = pool_of_session(route) or site.next_pool(route)
  local pool = name and view.pool(name)
  route.met = note.met_of(route, rule, name)
  if said and site.only_pool(found) then
    local peers = pool and pool.peers
    keep_only(host, listener, said, peers and new_only(peers, note.is_needed and rule, name), peers)
  end
  if not pool or pool_of.is_empty(pool) then
    return nil, 503, route
  end
  return pool, nil, route
end

-- A pool that has members, or nil and the status that says why not; and the route that was met.
return function()
  return view.consistently(look_up)
end
