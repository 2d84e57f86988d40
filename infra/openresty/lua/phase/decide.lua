-- The error page of 500: the balancer had nobody to send the request to. Says why.
local page = require "phase.page"
local refusal = require "route.refusal"

-- Of members that were tried, the last one's failure counts.
local function status_of_tries()
  return tonumber((ngx.var.upstream_status or ""):match("(50[24])[^%d]*$"))
end

return function()
  local status = refusal.take()
  return page.send(status_of_tries() or status or 500)
end
