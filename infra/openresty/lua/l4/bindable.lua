-- Whether nginx could open a socket: it is tried as nginx does it, and let go at once.
local ephemeral = require "l4.ephemeral"
local ffi = require "ffi"
require "state.system" -- declares close, inet_pton and strerror

ffi.cdef [[
typedef struct { uint16_t family, port; uint8_t address[4]; uint8_t zero[8]; } entrance_inet;
typedef struct { uint16_t family, port; uint32_t flow; uint8_t address[16]; uint32_t scope; } entrance_inet6;
int socket(int domain, int type, int protocol);
int bind(int fd, const void *address, uint32_t length);
int setsockopt(int fd, int level, int name, const void *value, uint32_t length);
uint16_t htons(uint16_t value);
]]

local C = ffi.C
local AF_INET, AF_INET6 = 2, 10
local SOCK_TYPE = { tcp = 1, udp = 2 }
local SOCK_CLOEXEC = 0x80000
local SOL_SOCKET, SO_REUSEADDR, SO_REUSEPORT = 1, 2, 15
local EADDRINUSE = 98
local IPPROTO_IPV6, IPV6_V6ONLY = 41, 26
local ON = ffi.new("int[1]", 1)

local SENTENCES = {
  [1] = "the node may not open %s (EPERM)",
  [13] = "the node may not open %s: ports below 1024 need CAP_NET_BIND_SERVICE",
  [97] = "this machine has no IPv6, which %s needs",
  [EADDRINUSE] = "another program has %s: end it, or use another port",
  [99] = "no interface of this machine has the address of %s",
}

-- Where Linux takes ports for connections; one keeps its port from others for a minute after it has ended.
local TAKEN = "%s is taken, by another program or by a connection that this machine opened, which has ports "
  .. "%d to %d for them: end the program, or add the port to net.ipv4.ip_local_reserved_ports of the machine, or use "
  .. "another port"

local function address_of(it)
  if it.address:find(":", 1, true) then
    local address = ffi.new("entrance_inet6")
    address.family, address.port = AF_INET6, C.htons(it.port)
    C.inet_pton(AF_INET6, it.address, address.address)
    return AF_INET6, address
  end
  local address = ffi.new("entrance_inet")
  address.family, address.port = AF_INET, C.htons(it.port)
  C.inet_pton(AF_INET, it.address, address.address)
  return AF_INET, address
end

local function set(fd, level, name)
  return C.setsockopt(fd, level, name, ON, ffi.sizeof(ON)) == 0
end

local function try(fd, it, family, address)
  return set(fd, SOL_SOCKET, SO_REUSEADDR)
    and (it.protocol == "tcp" or set(fd, SOL_SOCKET, SO_REUSEPORT))
    and (family == AF_INET or set(fd, IPPROTO_IPV6, IPV6_V6ONLY))
    and C.bind(fd, address, ffi.sizeof(address)) == 0
end

local function sentence(it)
  local number = ffi.errno()
  if number == EADDRINUSE then
    local first, last = ephemeral(it.port)
    if first then
      return TAKEN:format(it.listen, first, last)
    end
  end
  local text = SENTENCES[number] or "%s can't be opened: " .. ffi.string(C.strerror(number)):gsub("%%", "%%%%")
  return text:format(it.listen)
end

-- it: {protocol, address, port, listen: as nginx writes it}. nil, or why not.
return function(it)
  local family, address = address_of(it)
  local fd = C.socket(family, SOCK_TYPE[it.protocol] + SOCK_CLOEXEC, 0)
  if fd < 0 then
    return sentence(it)
  end
  local problem = not try(fd, it, family, address) and sentence(it) or nil
  C.close(fd)
  return problem
end
