-- An answer that sends the client elsewhere.
local settings = require "settings"

local location = {}

local WELL_KNOWN = { http = 80, https = 443 }

-- What stands behind the host. Without a port given: nothing, or where https is found at another port, that one.
function location.port(scheme, port)
  port = port or scheme == "https" and settings.public_https_port or WELL_KNOWN[scheme]
  return port ~= WELL_KNOWN[scheme] and ":" .. port or ""
end

function location.send(status, url)
  ngx.req.discard_body()
  ngx.header["Location"] = url
  ngx.header["Content-Type"] = "text/plain; charset=utf-8"
  ngx.header["Content-Length"] = 0
  ngx.status = status
  ngx.send_headers()
  return ngx.exit(ngx.OK)
end

return location
