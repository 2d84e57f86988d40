-- Which ports are asked for, and who has each: v2's services before v1's servers, of those the first name.
local field = require "model.field"
local index = require "state.index"
local json = require "state.json"
local memory = require "state.memory"
local record = require "state.record"
local sets = require "state.sets"
local settings = require "settings"
local v1 = require "state.v1"

local services = {}

local function read(name)
  local it = record.decode(memory.current(name))
  local text = it and record.serving(it)
  return text and json.decode(text)
end

local function listen_text(address, port)
  return (address:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(address, port)
end

-- A wildcard has every address of its family.
local function sockets_of(protocol, port, addresses)
  local found, sockets = {}, {}
  for _, address in ipairs(#addresses > 0 and addresses or { settings.l4.address }) do
    found[address] = true
  end
  for address in pairs(found) do
    local wildcard = address:find(":", 1, true) and "::" or "0.0.0.0"
    if address == wildcard or not found[wildcard] then
      sockets[#sockets + 1] = {
        name = protocol .. " " .. listen_text(address, port),
        protocol = protocol, address = address, port = port, listen = listen_text(address, port),
      }
    end
  end
  table.sort(sockets, function(a, b)
    return a.name < b.name
  end)
  return sockets
end

local function new(key, protocol, port, pool, addresses)
  local it = { key = key, protocol = protocol, port = port, pool = pool }
  it.sockets = sockets_of(protocol, port, addresses)
  return it
end

local function by_key(a, b)
  return a.key < b.key
end

-- Those of v2; and who has each "tcp/33061", also when nobody shall listen there.
local function of_v2()
  local found, holders = {}, {}
  for name in sets.current(index.LISTENERS) do
    local value = read(index.record(name))
    if value then
      holders[value.protocol .. "/" .. value.port] = name
      if field.default(value.enabled, true) then
        local addresses = field.default(value.addresses, {})
        found[#found + 1] = new(name, value.protocol, value.port, value.pool, addresses)
      end
    end
  end
  table.sort(found, by_key)
  return found, holders
end

-- Every service that shall listen, {key, protocol, port, pool, sockets: {name, listen, …}}, in one order; and the v1
-- servers that came too late, {key, held_by}.
function services.all()
  local found, holders = of_v2()
  local servers, shadowed = v1.port_servers(), {}
  for _, server in ipairs(servers) do
    server.key = index.v1_label("servers", server.protocol, server.name)
  end
  table.sort(servers, by_key)
  for _, server in ipairs(servers) do
    local place = server.protocol .. "/" .. server.port
    if holders[place] then
      shadowed[#shadowed + 1] = { key = server.key, held_by = holders[place] }
    else
      holders[place] = server.key
      found[#found + 1] = new(server.key, server.protocol, server.port, server.pool, {})
    end
  end
  return found, shadowed
end

return services
