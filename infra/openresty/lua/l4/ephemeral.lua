-- Ports that Linux takes for the near ends of connections: whoever wants to listen there has them reserved.
local system = require "state.system"

local function read(name)
  return system.read_all("/proc/sys/net/ipv4/" .. name) or ""
end

-- ports: as Linux writes them, "8080,9148-9200".
local function is_among(port, ports)
  for first, last in ports:gmatch("(%d+)%-?(%d*)") do
    if port >= tonumber(first) and port <= (tonumber(last) or tonumber(first)) then
      return true
    end
  end
  return false
end

-- The first and the last of them where a port is one; nil where it is not, or is reserved.
return function(port)
  local first, last = read("ip_local_port_range"):match("(%d+)%s+(%d+)")
  first, last = tonumber(first), tonumber(last)
  if first and port >= first and port <= last and not is_among(port, read("ip_local_reserved_ports")) then
    return first, last
  end
  return nil
end
