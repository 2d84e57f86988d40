-- Pool/NAMESPACE/SERVICE/PORT: how requests of one backend are spread.
local field = require "model.field"

local PROTOCOLS = { "http", "tcp", "udp", "h2c", "grpc", "https" }
-- tcp and udp pools do nothing here: what would use them is a VirtualService.
local SPOKEN = { http = true, tcp = true, udp = true }

return function(pool)
  local fine, reason = field.one_of("protocol", pool.protocol, PROTOCOLS)
  if not fine then
    return nil, reason
  end
  if not SPOKEN[pool.protocol] then
    return nil, "protocol " .. pool.protocol .. " is not spoken to backends until the next version of the node"
  end
  if not field.is_absent(pool.balance) and pool.balance ~= "round-robin" then
    return nil, "balance must be round-robin until the next version of the node"
  end
  if not field.is_absent(pool.fallback) and pool.fallback ~= "unready" then
    return nil, 'fallback must be "unready" or absent'
  end
  return true
end
