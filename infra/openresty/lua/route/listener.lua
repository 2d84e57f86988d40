-- Which listener a request counts as come by, "http" or "https": what rules are there for it, and whether it is told to
-- come by https.
local settings = require "settings"

local var = ngx.var

-- A load balancer in front that is trusted says what its client came by.
local scheme = settings.trusts_proxies and "forwarded_proto" or "scheme"

return function()
  return var[scheme] == "https" and "https" or "http"
end
