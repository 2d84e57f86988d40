-- Node/NAMESPACE/SERVICE/PORT/SLICE: members of a Pool, one list per source.
local field = require "model.field"
local system = require "state.system"

local MAX_MEMBERS = 1000 -- an EndpointSlice holds no more
local MAX_WEIGHT = 1000000
local STATES = { "active", "draining", "disabled" }

local function check_address(address)
  if type(address) ~= "string" or not system.is_address(address) then
    return "address must be an IPv4 or IPv6 address"
  end
  return nil
end

local function check_member(member)
  return field.object("a member", member)
    or check_address(member.address)
    or field.integer("port", member.port, 1, 65535)
    or field.integer("weight", field.default(member.weight, 1), 0, MAX_WEIGHT)
    or field.one_of("state", field.default(member.state, "active"), STATES)
    or field.boolean("ready", field.default(member.ready, true))
end

return function(node)
  return field.list("members", node.members, MAX_MEMBERS, check_member)
end
