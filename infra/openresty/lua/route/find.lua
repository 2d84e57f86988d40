-- From a request to its pool, in all cases that the shortest way does not cover.
local listener_of = require "route.listener"
local new_only = require "route.only"
local note = require "metrics.note"
local pool_of = require "route.pool"
local site = require "route.site"
local view = require "route.view"

local var = ngx.var

local function look_up()
  local host, listener = var.host, listener_of()
  local found = view.site(host, listener)
  local route, rule
  if found then
    route, rule = site.find(found, var.uri)
  end
  if not route then
    return nil, 404
  end
  local name = site.next_pool(route)
  local pool = name and view.pool(name)
  route.met = note.met_of(route, rule, name)
  if site.only_pool(found) then
    local it = view.listeners[listener]
    local peers = pool and pool.peers
    it.only[host], it.kept[host] = peers and new_only(peers, note.is_needed and rule, name), peers
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
