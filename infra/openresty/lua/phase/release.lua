-- log_by_lua of requests to special pools: what was counted for them is taken back, however they ended. Lies in nginx's
-- variables, since an error page forgets all else.
local in_flight = require "route.in_flight"
local tls_slots = require "route.tls_slots"

local var = ngx.var

return function()
  local place, upstream = tonumber(var.entrance_active), var.entrance_upstream
  if place then
    in_flight.leave(place)
  end
  if upstream and upstream ~= "" then
    tls_slots.release(upstream, ngx.now())
  end
end
