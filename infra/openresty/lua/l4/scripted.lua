-- The stream section for an nginx with Lua in it: ports alone are text. Who answers on them is data, handed over to
-- l4/stream/, so that only a new port, or another use of the PROXY protocol, reloads.
local json = require "state.json"
local progress = require "generated.progress"
local settings = require "settings"
local stock = require "l4.stock"

local scripted = {}

scripted.DATA = ".connections" -- the file of a generation with what its workers begin with

local CONNECT_MS, SEND_MS, READ_MS = 1000, 5000, 5000

local HEAD = [[
lua_package_path "$prefix/lua/?.lua;;";
lua_shared_dict entrance_connections 32m;
init_by_lua_block { connections = require "l4.stream.init" }
upstream members {
server 0.0.0.1:1;
balancer_by_lua_block { connections.balance() }
}
server {
listen unix:%s;
content_by_lua_block { connections.take() }
}]]

local FRONT = [[
upstream ended_here { server unix:%s; }
upstream told_nothing { server unix:%s; }
server {
listen %s backlog=4096%s;
preread_timeout 10s;
set $to ended_here;
preread_by_lua_block { connections.preread() }
log_by_lua_block { connections.done() }
proxy_protocol on;
proxy_pass $to;
}
server {
listen unix:%s proxy_protocol;
preread_timeout 10s;
set $to members;
preread_by_lua_block { connections.preread_untold() }
log_by_lua_block { connections.done() }
proxy_pass $to;
}]]

local function server(sockets, more)
  if #sockets == 0 then
    return ""
  end
  local lines = { "server {" }
  for _, socket in ipairs(sockets) do
    lines[#lines + 1] = stock.listen(socket)
  end
  lines[#lines + 1] = more .. "log_by_lua_block { connections.done() }\nproxy_pass members;\n}"
  return table.concat(lines, "\n")
end

local function add_services(lines, services)
  local plain, told, datagrams = {}, {}, {}
  for _, it in ipairs(services) do
    local sockets = it.protocol == "udp" and datagrams or it.to.proxy_protocol and told or plain
    for _, socket in ipairs(it.sockets) do
      sockets[#sockets + 1] = socket
    end
  end
  lines[#lines + 1] = server(plain, "")
  lines[#lines + 1] = server(told, "proxy_protocol on;\n")
  lines[#lines + 1] = server(datagrams, "proxy_timeout 60s;\n")
end

function scripted.stream(services, names)
  local lines = { stock.head(), HEAD:format(stock.socket_path("l4")) }
  add_services(lines, services)
  if #names > 0 then
    local https, inner = stock.socket_path("https"), stock.socket_path("passthrough")
    local introduced = settings.l4.https_takes_proxy_protocol and " proxy_protocol" or ""
    lines[#lines + 1] = FRONT:format(https, inner, settings.l4.https, introduced, inner)
  end
  lines[#lines + 1] = "}\n"
  return table.concat(lines, "\n")
end

-- Which evaluation this is; then one line for each port and name: what it is called there, and who answers; of a name
-- that is ended here, nobody.
function scripted.data(services, names)
  local lines = { ("%d"):format(progress.evaluations + 1) } -- as it will be counted
  for _, it in ipairs(services) do
    lines[#lines + 1] = ("%s/%d\t%s"):format(it.protocol, it.port, json.encode(it.to))
  end
  for _, it in ipairs(names) do
    lines[#lines + 1] = ("tls/%s\t%s"):format(it.name, it.to and json.encode(it.to) or "{}")
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Hands it over to the workers that run. They and we share no memory.
function scripted.hand_over(text)
  local socket = ngx.socket.tcp()
  socket:settimeouts(CONNECT_MS, SEND_MS, READ_MS)
  local fine, problem = socket:connect("unix:" .. stock.socket_path("l4"))
  local answer
  if fine then
    fine, problem = socket:send(#text .. "\n" .. text)
  end
  if fine then
    answer, problem = socket:receive("*l")
  end
  socket:close()
  if answer ~= "ok" then
    return nil, problem or answer
  end
  return true
end

return scripted
