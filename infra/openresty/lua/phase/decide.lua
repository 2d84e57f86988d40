-- The error page of 500: the balancer had nobody to send the request to. Says why, or waits and tries again.
local page = require "phase.page"
local refusal = require "route.refusal"
local way = require "route.way"

-- Of members that were tried, the last one's failure counts.
local function status_of_tries()
  return tonumber((ngx.var.upstream_status or ""):match("(%d%d%d)[^%d]*$"))
end

return function()
  local it = way.take()
  if it then
    ngx.sleep(it.resumes_after)
    way.hand_over(it)
    return ngx.exec(it.rich.location)
  end
  local status = refusal.take() or status_of_tries() or 500
  return page.send(page.has(status) and status or 502)
end
