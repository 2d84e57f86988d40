-- Asks a member once whether it can serve. (Over TLS nginx's sockets for Lua can't ask for HTTP/2: there the handshake
-- counts.)
local http1 = require "health.http1"
local http2 = require "health.http2"
local socket = require "health.socket"

local function is_good(ranges, status)
  for _, range in ipairs(ranges) do
    if status >= range[1] and status <= range[2] then
      return true
    end
  end
  return false
end

local function ask(it, member, connection)
  local host = it.host or member.name
  if it.kind == "tcp" or it.is_http2 and it.tls then
    return true
  elseif it.kind == "grpc" then
    local serves, problem = http2.serves(connection, host)
    return serves == true, serves == false and "it says that it does not serve" or problem
  end
  local status, problem = (it.is_http2 and http2.status or http1)(connection, host, it.path)
  if not status then
    return false, problem
  end
  return is_good(it.statuses, status), "it answered " .. status
end

-- it: what health.checks compiled. true; or false and why not.
return function(it, member)
  local connection, problem = socket.open(member.address, member.port, it.timeout, it.tls)
  if not connection then
    return false, problem
  end
  local fine, good, reason = pcall(ask, it, member, connection)
  connection:close()
  if not fine then
    ngx.log(ngx.ERR, "a check failed: ", good)
    return false, "the check itself failed"
  end
  return good, reason
end
