-- The error page of 502 and 504: the last try failed, too, or the request could not be sent twice. Rules that may have
-- changed the path say which pool it was. So do those with timeouts: one that they have made short says nothing of the
-- member's health (phase/try.lua).
local find = require "route.find"
local page = require "phase.page"
local pool = require "route.pool"
local read_tries = require "route.tries"
local set_aside = require "route.set_aside"
local view = require "route.view"

return function()
  local name, tries = ngx.var.entrance_pool, read_tries()
  local last = tries.last
  local is_too_short = ngx.var.entrance_timed == "yes" and tries.connected
  if last and name and name ~= "" and not is_too_short then
    view.catch_up()
    pool.failed(view.pool(name), last, tries.reason, ngx.now())
  elseif last and not is_too_short then
    local _, _, route = find()
    set_aside(route, last, tries.reason, ngx.now())
  end
  return page.send(ngx.status)
end
