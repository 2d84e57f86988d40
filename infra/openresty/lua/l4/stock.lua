-- The stream section for an nginx without Lua in it: ports, pools and members as text, reloaded when they change. All
-- of it is numbers, addresses and names that were checked: what is none of these stops here.
local settings = require "settings"

local stock = {}

local BALANCES = { ["least-connections"] = "least_conn;", hash = "hash $remote_addr consistent;" }
local NOBODY = "nobody" -- an upstream where nobody answers

local HEAD = [[
stream {
tcp_nodelay on;
proxy_connect_timeout 2s;
proxy_timeout 1h;
proxy_next_upstream on;
proxy_next_upstream_tries 3;
proxy_next_upstream_timeout 10s;
]]

function stock.address(text)
  assert(#text <= 45 and not text:find("[^%x:.]"), "no address")
  return text:find(":", 1, true) and "[" .. text .. "]" or text
end

local function member_line(it, member)
  return ("server %s:%d weight=%d max_fails=%d fail_timeout=%ds;"):format(
    stock.address(member.address), member.port, member.weight, it.failures, it.seconds)
end

local function upstream(name, it)
  local lines = { ("upstream %s {"):format(name), BALANCES[it.balance] }
  for _, member in ipairs(it.members) do
    lines[#lines + 1] = member_line(it, member)
  end
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n")
end

-- What `listen` has of a socket.
function stock.listen(socket)
  local text = ("listen %s:%d"):format(stock.address(socket.address), socket.port)
  if socket.protocol == "udp" then
    return text .. " udp reuseport;"
  end
  return text .. " backlog=4096 so_keepalive=on" .. (settings.l4.takes_proxy_protocol and " proxy_protocol;" or ";")
end

local function service_text(it)
  local name = ("%s_%d"):format(it.protocol, it.port)
  local is_empty = #it.to.members == 0
  local lines = { is_empty and "" or upstream(name, it.to), "server {" }
  for _, socket in ipairs(it.sockets) do
    lines[#lines + 1] = stock.listen(socket)
  end
  lines[#lines + 1] = it.protocol == "udp" and "proxy_timeout 60s;" or nil
  lines[#lines + 1] = it.to.proxy_protocol and it.protocol == "tcp" and "proxy_protocol on;" or nil
  lines[#lines + 1] = (is_empty and 'return "";' or ("proxy_pass %s;"):format(name)) .. "\n}"
  return table.concat(lines, "\n")
end

local function escaped(name)
  return (name:gsub("[%.%-]", "\\%0"))
end

-- A name as `map` takes it. Alone, without a dot, it could be one of map's own words.
local function map_key(name)
  assert(not name:find("[^%l%d%-_%.%*]"), "no name")
  if name == "*" then
    return "default"
  elseif name:sub(1, 2) == "*." then
    return "~*^[^.]+" .. escaped(name:sub(2)) .. "$"
  end
  return name:find(".", 1, true) and name or "~*^" .. escaped(name) .. "$"
end

local function map_text(variable, names, default, target_of)
  local lines = { ("map $ssl_preread_server_name %s {"):format(variable) }
  local has_default = false
  for _, it in ipairs(names) do
    has_default = has_default or it.name == "*"
    lines[#lines + 1] = ("%s %s;"):format(map_key(it.name), target_of(it))
  end
  lines[#lines + 1] = has_default and "" or ("default %s;"):format(default)
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n")
end

function stock.socket_path(name)
  return settings.l4.folder .. "/" .. name .. ".sock"
end

-- The front knows the client and tells it on by the PROXY protocol, for nginx takes no variable for that. Who ends TLS
-- needs it; a pool that does not want it is reached by way of a second hop, which takes it off again.
local FRONT = [[
upstream nobody { server 0.0.0.1:1 down; }
upstream ended_here { server unix:%s; }
upstream told_nothing { server unix:%s; }
server {
listen %s backlog=4096%s;
ssl_preread on;
preread_timeout 10s;
proxy_protocol on;
proxy_pass $to;
}
server {
listen unix:%s proxy_protocol;
ssl_preread on;
preread_timeout 10s;
proxy_pass $to_untold;
}]]

local function add_passthrough(lines, names)
  lines[#lines + 1] = "map_hash_bucket_size 512;\nmap_hash_max_size 65536;"
  local upstreams, count = {}, 0
  for _, it in ipairs(names) do
    if it.to and #it.to.members > 0 and not upstreams[it.pool] then
      count = count + 1
      upstreams[it.pool] = "tls_" .. count
      lines[#lines + 1] = upstream(upstreams[it.pool], it.to)
    end
  end
  local function target_of(it)
    if not it.to then
      return "ended_here"
    end
    return upstreams[it.pool] or NOBODY
  end
  lines[#lines + 1] = map_text("$to", names, "ended_here", function(it)
    local target = target_of(it)
    return it.to and target ~= NOBODY and not it.to.proxy_protocol and "told_nothing" or target
  end)
  lines[#lines + 1] = map_text("$to_untold", names, NOBODY, target_of)
  local https, inner = stock.socket_path("https"), stock.socket_path("passthrough")
  lines[#lines + 1] = FRONT:format(https, inner, settings.l4.https, settings.l4.https_takes_proxy_protocol
    and " proxy_protocol" or "", inner)
end

-- What ends TLS while the front has its port; and, so that nobody is refused, a moment longer, while old workers of the
-- front take connections beside new ones that need none.
function stock.https(is_front)
  local own = ("listen unix:%s ssl http2 proxy_protocol backlog=4096;\nset_real_ip_from unix:;\n"):format(
    stock.socket_path("https"))
  local header = "real_ip_header proxy_protocol;\n"
  if is_front then
    return own .. header
  end
  return own .. "include node/https.conf;\n" .. (settings.l4.https_takes_proxy_protocol and "" or header)
end

local function trusted()
  local lines = {}
  if not settings.l4.takes_proxy_protocol and not settings.l4.https_takes_proxy_protocol then
    return ""
  end
  for place, range in ipairs(settings.l4.trusted) do
    assert(not range:find("[^%x:./]"), "no range")
    lines[place] = ("set_real_ip_from %s;"):format(range)
  end
  return table.concat(lines, "\n")
end

function stock.head()
  return HEAD .. trusted()
end

-- services: {protocol, port, sockets, to: as l4/members.lua says}; names: {name, to or nil}.
function stock.stream(services, names)
  local lines = { stock.head() }
  for _, it in ipairs(services) do
    lines[#lines + 1] = service_text(it)
  end
  if #names > 0 then
    add_passthrough(lines, names)
  end
  lines[#lines + 1] = "}\n"
  return table.concat(lines, "\n")
end

return stock
