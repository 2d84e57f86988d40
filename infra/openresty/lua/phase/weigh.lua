-- rewrite_by_lua of @weigh: where a request goes that the fast way could not take: it has a body, or its rule asks for
-- more, or nobody is there, or the one try of the fast way failed.
local find = require "route.find"
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
  local tried = var.upstream_addr and read_tries().last
  pool, status, route = find()
  if not tried then
    return 0, pool, status, route
  end
  set_aside(route, tried, ngx.now())
  return 1, pool, status, route
end

-- A GET may have a body of unknown length (HTTP/1.1); the fast way has begun to read it, and it can't be sent again.
local function has_lost_its_body()
  return var.request_method == "GET" and var.http_transfer_encoding ~= nil
end

local function may_be_tried_again()
  return tonumber(var.request_time) < MAX_SECONDS and not has_lost_its_body()
end

return function()
  local tried, pool, status, route = look_up()
  if route and route.rich then
    if has_lost_its_body() then
      return page.finish(411)
    end
    way.hand_over(way.new(route, pool, tried))
    return ngx.exec(route.rich.location)
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
