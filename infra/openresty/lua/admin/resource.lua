-- GET /v2/resources/KEY: one resource as it is held, without secrets.
local index = require "state.index"
local json = require "state.json"
local key = require "model.key"
local memory = require "state.memory"
local record = require "state.record"

local function without_secrets(name, text)
  if key.kind(name) ~= "Certificate" then
    return text
  end
  local value = json.decode(text)
  if type(value) ~= "table" then
    return '"[redacted]"'
  end
  value.key = "[redacted]"
  return json.encode(value)
end

-- The resource as JSON, or nil when there is none.
return function(name)
  local it = record.decode(memory.current(index.record(name)))
  if not it then
    return nil
  end
  local text = ('{"key":%s,"revision":%.0f,"hash":"%s"'):format(json.encode(name), it.revision, it.hash)
  text = text .. ',"value":' .. (it.value ~= "" and without_secrets(name, it.value) or "null")
  if it.reason then
    text = text .. ',"rejected":' .. json.encode(it.reason)
    text = text .. ',"serving":' .. (it.usable and without_secrets(name, it.usable) or "null")
  end
  return text .. "}"
end
