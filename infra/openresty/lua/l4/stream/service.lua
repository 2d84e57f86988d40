-- A port or name as this worker has compiled it, of the version that counts.
local chosen = require "l4.stream.chosen"
local content = require "l4.stream.content"
local json = require "cjson.safe"

local service = {}

local compiled, version = {}, -1

-- nil: nobody knows it. (That is not remembered: clients say what names they like.)
function service.of(name)
  local now = content.version()
  if now ~= version then
    compiled, version = {}, now
  end
  local found = compiled[name]
  if not found then
    local text = content.get(name)
    found = text and chosen.compile(name, json.decode(text))
    compiled[name] = found
  end
  return found
end

return service
