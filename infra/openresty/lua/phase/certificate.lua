-- ssl_certificate_by_lua: which certificates a handshake is answered with. Without any it has none to choose from and
-- ends by itself, with an alert to the client and no line of alarm in the log.
local chosen = require "tls.chosen"
local ssl = require "ngx.ssl"
local view = require "route.view"

local asked

local function look_up()
  return chosen.of(asked, view.version)
end

return function()
  asked = ssl.server_name()
  local keys = view.consistently(look_up)
  ssl.clear_certs()
  for _, key in ipairs(keys or {}) do
    local it = chosen.pair(key, view.version)
    local fine, problem = ssl.set_cert(it.chain)
    if fine then
      fine, problem = ssl.set_priv_key(it.key)
    end
    if not fine then
      ngx.log(ngx.WARN, "a certificate can't be used: ", key, ": ", problem)
    end
  end
end
