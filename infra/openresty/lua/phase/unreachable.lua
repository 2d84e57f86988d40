-- The error page of 502 and 504: the last try failed, too, or the request could not be sent twice.
local find = require "route.find"
local page = require "phase.page"
local read_tries = require "route.tries"
local set_aside = require "route.set_aside"

return function()
  local _, _, route = find()
  set_aside(route, read_tries().last, ngx.now())
  return page.send(ngx.status)
end
