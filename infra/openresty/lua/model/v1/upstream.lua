-- The body of a v1 upstream: its servers, as members.
local field = require "model.field"
local json = require "state.json"
local system = require "state.system"

local MAX_SERVERS = 1000
local MAX_WEIGHT = 1000000
local STATES = { active = "active", draining = "draining", disabled = "disabled" }

-- "10.1.2.3:8080 weight=5", "[::1]:8080"
local function parse_address(text)
  local address, port, rest = text:match("^%[([^%]]+)%]:(%d+)%s*(.-)%s*$")
  if not address then
    address, port, rest = text:match("^([^:%s]+):(%d+)%s*(.-)%s*$")
  end
  port = tonumber(port)
  if not address or not system.is_address(address) or port < 1 or port > 65535 then
    return nil, "addr must be IP:PORT"
  end
  local weight = rest:match("^weight=(%d+)$")
  if rest ~= "" and not weight then
    return nil, "addr may be followed by weight=N only"
  end
  return { address = address, port = port, weight = tonumber(weight) }
end

local function parse_member(server)
  if type(server) ~= "table" or type(server.addr) ~= "string" then
    return nil, "each server must be an object with an addr"
  end
  local member, problem = parse_address(server.addr)
  if not member then
    return nil, problem
  end
  member.weight = member.weight or field.default(server.weight, 1)
  member.state = STATES[tostring(field.default(server.state, "active")):lower()]
  member.ready = true
  problem = field.integer("weight", member.weight, 0, MAX_WEIGHT)
    or not member.state and "state must be Active, Draining or Disabled"
  if problem then
    return nil, problem
  end
  return json.encode(member)
end

-- The text to keep, or nil and what to change.
return function(body)
  local problem = field.list("servers", body.servers, MAX_SERVERS)
  if problem then
    return nil, problem
  end
  local members = {}
  for place, server in ipairs(body.servers) do
    members[place], problem = parse_member(server)
    if problem then
      return nil, problem
    end
  end
  return '{"members":' .. json.list(members) .. "}"
end
