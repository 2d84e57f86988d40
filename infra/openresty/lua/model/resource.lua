-- Any resource: whether this node can use its value.
local domain = require "model.domain"
local json = require "state.json"
local key = require "model.key"

local resource = {}

resource.MAX_VALUE_BYTES = 256 * 1024 -- Entrance keeps its own records in parts of 200 KiB

local CHECKS = {
  Pool = require "model.pool",
  Node = require "model.node",
  Domain = domain.check,
  VirtualService = require "model.virtual_service",
  Rule = require "model.rule",
  Certificate = require "model.certificate",
}

-- nil when the value can be used, else the reason why not: one line. change: {key, value: text, decoded: what it says,
-- if that is known}; segments: the key's; or nil and unknown: why there are none.
function resource.reason_against(change, segments, unknown)
  local text = change.value
  if #text > resource.MAX_VALUE_BYTES then
    return ("the value has %d bytes, more than %d"):format(#text, resource.MAX_VALUE_BYTES)
  end
  if not segments then
    return unknown
  end
  local value = change.decoded or json.decode(text)
  if type(value) ~= "table" or text:sub(1, 1) ~= "{" then
    return "the value must be a JSON object"
  end
  local reason = CHECKS[key.kind(change.key)](value, segments)
  return reason and (reason:sub(1, 300):gsub("[^\32-\126]", "?"))
end

return resource
