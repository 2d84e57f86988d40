-- VirtualService/PROTOCOL/PORT: a listener.
local field = require "model.field"

local PROTOCOLS = { "tcp", "udp", "http", "https", "tls" }

return function(value)
  local reason = field.integer("port", value.port, 1, 65535) or field.one_of("protocol", value.protocol, PROTOCOLS)
  if not reason and value.protocol ~= "http" then
    return value.protocol .. " listeners are not served until the next version of the node"
  end
  return reason
end
