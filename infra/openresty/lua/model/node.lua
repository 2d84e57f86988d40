-- Node/NAMESPACE/SERVICE/PORT/SLICE: members of a Pool, one list per source.
local field = require "model.field"
local system = require "state.system"

local MAX_MEMBERS = 1000 -- an EndpointSlice holds no more
local MAX_WEIGHT = 1000000
local STATES = { "active", "draining", "disabled" }

local function check_member(where, member)
  if not field.is_object(member) then
    return nil, where .. " must be an object"
  end
  if type(member.address) ~= "string" or not system.address_family(member.address) then
    return nil, where .. ".address must be an IPv4 or IPv6 address"
  end
  local absent = field.is_absent
  return field.all(
    field.integer, { where .. ".port", member.port, 1, 65535 },
    field.integer, { where .. ".weight", absent(member.weight) and 1 or member.weight, 0, MAX_WEIGHT },
    field.one_of, { where .. ".state", absent(member.state) and "active" or member.state, STATES },
    field.boolean, { where .. ".ready", absent(member.ready) or member.ready }
  )
end

return function(node)
  local fine, reason = field.list("members", node.members, MAX_MEMBERS)
  for index, member in ipairs(fine and node.members or {}) do
    fine, reason = check_member(("members[%d]"):format(index - 1), member)
    if not fine then
      break
    end
  end
  return fine, reason
end
