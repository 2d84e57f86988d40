-- Pool/NAMESPACE/SERVICE/PORT: how requests of one backend are spread.
local field = require "model.field"

local PROTOCOLS = { "http", "tcp", "udp", "h2c", "grpc", "https" }
-- tcp and udp pools do nothing here: what would use them is a VirtualService.
local SPOKEN = { http = true, tcp = true, udp = true }

return function(pool)
  local reason = field.one_of("protocol", pool.protocol, PROTOCOLS)
  if reason then
    return reason
  end
  if not SPOKEN[pool.protocol] then
    return "protocol " .. pool.protocol .. " is not spoken to backends until the next version of the node"
  end
  if field.default(pool.balance, "round-robin") ~= "round-robin" then
    return "balance must be round-robin until the next version of the node"
  end
  if field.default(pool.fallback, "unready") ~= "unready" then
    return 'fallback must be "unready" or absent'
  end
  return nil
end
