-- rewrite_by_lua of rules with filters: asks each filter, in the order of filter/list.lua, until one has answered.
local backend = require "route.backend"
local body = require "route.body"
local decide = require "phase.decide"
local mirror = require "phase.mirror"
local page = require "phase.page"
local way = require "route.way"

local DEFAULT_TRIES = 3

local function begin(it)
  local rich = it.rich
  it.has_body = body.may_come()
  it.tries = (rich.retry and rich.retry.attempts + 1 or DEFAULT_TRIES) - it.tried
  -- A WebSocket is no request that ends; without a byte for long it falls to the backend's timeout.
  if rich.request_seconds and ngx.var.upgrade_to_backend == "" then
    it.deadline = ngx.now() + rich.request_seconds - tonumber(ngx.var.request_time)
  end
  for _, ask in ipairs(rich.on_request) do
    local status = ask(it)
    if status then
      return page.finish(status)
    end
  end
  if not it.pool_name then
    return page.finish(503)
  elseif it.mirror then
    mirror(it)
  end
  return nil
end

return function()
  local it = way.take()
  if not it then
    -- The error page of 500, which is this location again: the balancer refused.
    body.drop()
    decide()
    return ngx.exit(ngx.OK)
  end
  ngx.ctx.way = it
  if not it.resumes_after then
    begin(it)
  elseif it.resumes_after > 0 then
    ngx.sleep(it.resumes_after)
  end
  ngx.var.entrance_pool = it.pool_name or ""
  if it.rich.is_timed then
    ngx.var.entrance_timed = "yes"
  end
  ngx.var.backend_host = it.backend_host or ngx.var.http_host
  if it.special then
    backend.prepare(it)
  end
  it.sent_on = true
end
