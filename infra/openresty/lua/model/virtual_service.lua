-- VirtualService/PROTOCOL/PORT: a listener.
local field = require "model.field"

local PROTOCOLS = { "tcp", "udp", "http", "https", "tls" }

return function(value)
  local fine, reason = field.all(
    field.integer, { "port", value.port, 1, 65535 },
    field.one_of, { "protocol", value.protocol, PROTOCOLS }
  )
  if fine and value.protocol ~= "http" then
    return nil, value.protocol .. " listeners are not served until the next version of the node"
  end
  return fine, reason
end
