-- Which listener a request counts as come by, "http" or "https": what rules are there for it, and whether it is told to
-- come by https.
local var = ngx.var

return function()
  return var.scheme == "https" and "https" or "http"
end
