-- VirtualService/PROTOCOL/PORT: a listener for connections, whose members are a pool's.
local address = require "model.address"
local field = require "model.field"
local key = require "model.key"

local PROTOCOLS = { "tcp", "udp" }
local THE_NODES_OWN = { http = true, https = true, tls = true }
local MAX_ADDRESSES = 64

local function check_address(text)
  if not address.range(text) or text:find("/", 1, true) then
    return "must be an IPv4 or IPv6 address"
  end
  return nil
end

local function check_key(value, segments)
  if value.protocol ~= segments[1] or tostring(value.port) ~= segments[2] then
    return "protocol and port must be those that the key names"
  end
  return nil
end

local function check_pool(pool)
  if not key.is_well_formed(pool) or key.kind(pool) ~= "Pool" or not key.segments(pool) then
    return "pool must be the key of a Pool"
  end
  return nil
end

return function(value, segments)
  if THE_NODES_OWN[value.protocol] then
    return "protocol must be tcp or udp: http and https listeners are the node's own"
  end
  return field.one_of("protocol", value.protocol, PROTOCOLS)
    or field.integer("port", value.port, 1, 65535)
    or check_key(value, segments)
    or field.list("addresses", field.default(value.addresses, {}), MAX_ADDRESSES, check_address)
    or check_pool(value.pool)
    or field.boolean("enabled", field.default(value.enabled, true))
end
