-- Pool/NAMESPACE/SERVICE/PORT: how requests of one backend are spread. The same as shared/model/pool.ts.
local backend_tls = require "model.backend_tls"
local balance = require "model.balance"
local duration = require "model.duration"
local field = require "model.field"
local health = require "model.health"

local PROTOCOLS = { "http", "h2c", "grpc", "https", "tcp", "udp" }
local MAX_SLOW_START_SECONDS, MIN_SLOW_START_SECONDS = 3600, 0.1

local function check_slow_start(value)
  return value and duration.check("slowStart", value, MAX_SLOW_START_SECONDS, MIN_SLOW_START_SECONDS)
end

local function check_health(it)
  return it and health.check(it)
end

local function check_tls(tls, protocol)
  if tls == nil then
    return nil
  elseif protocol ~= "https" and protocol ~= "grpc" then
    return "tls needs protocol https or grpc"
  end
  return backend_tls.check(tls)
end

local function check_proxy_protocol(version, protocol)
  if version == nil then
    return nil
  elseif protocol ~= "tcp" then
    return "proxyProtocol needs protocol tcp"
  end
  return field.one_of("proxyProtocol", version, { "v1", "v2" })
end

return function(pool)
  local reason = field.one_of("protocol", pool.protocol, PROTOCOLS)
  if reason then
    return reason
  end
  if field.default(pool.fallback, "unready") ~= "unready" then
    return 'fallback must be "unready" or absent'
  end
  return balance.check(pool)
    or check_slow_start(field.default(pool.slowStart, nil))
    or check_health(field.default(pool.health, nil))
    or check_tls(field.default(pool.tls, nil), pool.protocol)
    or check_proxy_protocol(field.default(pool.proxyProtocol, nil), pool.protocol)
end
