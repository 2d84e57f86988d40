-- ssl_certificate_by_lua: which certificates a handshake is answered with. Without any it has none to choose from and
-- ends by itself, with an alert to the client and no line of alarm in the log.
local chosen = require "tls.chosen"
local ssl = require "ngx.ssl"
local view = require "route.view"

local asked

-- With the pairs of that version: one that was forgotten for want of room could be another one when it is needed.
local function look_up()
  local keys = chosen.of(asked, view.version)
  for _, key in ipairs(keys or {}) do
    chosen.pair(key, view.version)
  end
  return keys
end

local function answer_with(it)
  local fine, problem = ssl.set_cert(it.chain)
  if fine then
    fine, problem = ssl.set_priv_key(it.key)
  end
  return fine, problem
end

return function()
  asked = ssl.server_name()
  local keys = view.consistently(look_up)
  ssl.clear_certs()
  for _, key in ipairs(keys or {}) do
    local it, fine, problem = chosen.pair(key, view.version), nil, "it has changed just now"
    if it then
      fine, problem = answer_with(it)
    end
    if not fine then
      ngx.log(ngx.WARN, "a certificate can't be used: ", key, ": ", problem)
    end
  end
end
