-- The error page of 502 and 504: the last try failed, too, or the request could not be sent twice.
local page = require "phase.page"
local pool = require "route.pool"
local read_tries = require "route.tries"
local view = require "route.view"

return function()
  local name, last = ngx.var.entrance_pool, read_tries().last
  if last and name and name ~= "" then
    view.catch_up()
    pool.set_aside(view.pool(name), last, ngx.now())
  end
  return page.send(ngx.status)
end
