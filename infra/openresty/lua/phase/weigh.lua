-- rewrite_by_lua of @weigh: where a request goes that the fast way could not take: it has a body, or its rule asks for
-- more, or nobody is there, or the one try of the fast way failed.
local backend = require "route.backend"
local body = require "route.body"
local find = require "route.find"
local note = require "metrics.note"
local page = require "phase.page"
local read_tries = require "route.tries"
local refusal = require "route.refusal"
local set_aside = require "route.set_aside"
local way = require "route.way"

local var = ngx.var

local MAX_TRIES = 3
local MAX_SECONDS = 10 -- a try that took longer is the last

-- How many tries the fast way had, and what it found: pool, or the status that says why there is none, and route.
local function look_up()
  local status, route, pool = refusal.take()
  if status or route then
    return 0, pool, status, route
  end
  local tries = var.upstream_addr and read_tries()
  pool, status, route = find()
  if not tries or not tries.last then
    return 0, pool, status, route
  end
  set_aside(route, tries.last, tries.reason, ngx.now())
  return 1, pool, status, route
end

local function may_be_tried_again()
  return tonumber(var.request_time) < MAX_SECONDS and not body.is_lost()
end

-- Where a request goes that the plain way does not serve, or nil and why there is no such place.
local function own_location(pool, route)
  if pool and pool.special then
    return backend.location(pool.special.backend, route.rich)
  end
  return route.rich.location
end

local function go_on(pool, route, tried)
  if body.is_lost() then
    return page.finish(411)
  end
  local location, problem = own_location(pool, route)
  if not location then
    ngx.log(ngx.WARN, pool.name, " can't be used: ", problem)
    return page.finish(503)
  end
  way.hand_over(way.new(route, pool, tried))
  return ngx.exec(location)
end

return function()
  local tried, pool, status, route = look_up()
  note.route(route and route.met)
  if route and (route.rich or pool and pool.special) then
    return go_on(pool, route, tried)
  end
  if tried > 0 and not may_be_tried_again() then
    return page.finish(var.upstream_status == "504" and 504 or 502)
  end
  if not pool then
    return page.finish(status)
  end
  local it = way.new(route, pool, tried)
  it.tries = MAX_TRIES - tried
  ngx.ctx.way = it
end
