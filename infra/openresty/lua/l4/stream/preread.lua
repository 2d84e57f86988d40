-- preread_by_lua where TLS may be passed through: by the name in the handshake, of which the most specific counts.
local hello = require "l4.stream.hello"
local service = require "l4.stream.service"

local var = ngx.var

local preread = {}

local function find(name)
  local wildcard = name:match("^[^.]+(%..+)$")
  return service.of("tls/" .. name) or wildcard and service.of("tls/*" .. wildcard) or service.of("tls/*")
end

local function found()
  local it = find(hello.server_name())
  if not it or it.is_ended_here then
    return nil
  end
  ngx.ctx.name = it.name
  return it
end

-- Whoever is met from here is told of the client by the PROXY protocol; who does not want that is a hop away.
function preread.told()
  local it = found()
  if it and #it.members == 0 then
    return ngx.exit(ngx.ERROR)
  elseif it then
    var.to = it.tells and "members" or "told_nothing"
  end
  return nil
end

function preread.untold()
  if not found() then
    return ngx.exit(ngx.ERROR)
  end
  return nil
end

return preread
