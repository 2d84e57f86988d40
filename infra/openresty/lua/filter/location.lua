-- An answer that sends the client elsewhere.
local body = require "route.body"
local settings = require "settings"

local location = {}

local WELL_KNOWN = { http = 80, https = 443 }

-- What stands behind the host. Without a port given: nothing, or where the node's own hosts are found by https at
-- another port, that one.
function location.port(scheme, port, is_own_host)
  local own = is_own_host and scheme == "https" and settings.public_https_port
  port = port or own or WELL_KNOWN[scheme]
  return port ~= WELL_KNOWN[scheme] and ":" .. port or ""
end

function location.send(status, url)
  body.drop()
  ngx.header["Location"] = url
  ngx.header["Content-Type"] = "text/plain; charset=utf-8"
  ngx.header["Content-Length"] = 0
  ngx.status = status
  ngx.send_headers()
  return ngx.exit(ngx.OK)
end

return location
