-- The error page of 500: the balancer had nobody to send the request to. Says why.
local page = require "phase.page"
local refusal = require "route.refusal"

-- Of members that were tried, the last one's failure counts.
local function status_of_tries()
  return tonumber((ngx.var.upstream_status or ""):match("(%d%d%d)[^%d]*$"))
end

return function()
  local status = refusal.take() or status_of_tries() or 500
  return page.send(page.has(status) and status or 502)
end
