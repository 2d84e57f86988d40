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

-- nil when the value can be used, else the reason why not: one line.
function resource.reason_against(name, text)
  if #text > resource.MAX_VALUE_BYTES then
    return ("the value has %d bytes, more than %d"):format(#text, resource.MAX_VALUE_BYTES)
  end
  local segments, reason = key.segments(name)
  if not segments then
    return reason
  end
  local value = json.decode(text)
  if type(value) ~= "table" or text:sub(1, 1) ~= "{" then
    return "the value must be a JSON object"
  end
  reason = CHECKS[key.kind(name)](value, segments)
  return reason and (reason:sub(1, 300):gsub("[^\32-\126]", "?"))
end

return resource
