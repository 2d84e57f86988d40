-- balancer_by_lua of connections: chooses a member for each try.
local balancer = require "ngx.balancer"
local chosen = require "l4.stream.chosen"
local service = require "l4.stream.service"

local var = ngx.var

local MORE_TRIES = 2

-- A port's own name, unless the handshake has said another.
local function name_of(context)
  return context.name or (var.protocol == "UDP" and "udp/" or "tcp/") .. var.server_port
end

return function()
  local context = ngx.ctx
  local it = service.of(name_of(context))
  if not it or it.is_ended_here then
    return ngx.exit(ngx.ERROR)
  end
  local now = ngx.now()
  if not context.tried then
    context.tried = {}
    if #it.members > 1 then
      balancer.set_more_tries(math.min(MORE_TRIES, #it.members - 1))
    end
  elseif context.at then
    chosen.failed(it, context.at, now)
  end
  local member = chosen.next(it, context.tried, now)
  if not member then
    return ngx.exit(ngx.ERROR)
  end
  context.tried[member.name] = true
  chosen.enter(context, member)
  return balancer.set_current_peer(member.address, member.port)
end
