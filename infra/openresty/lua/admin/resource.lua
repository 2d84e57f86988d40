-- GET /v2/resources/KEY: one resource as it is held, without secrets.
local index = require "state.index"
local json = require "state.json"
local key = require "model.key"
local memory = require "state.memory"
local record = require "state.record"

local REDACTED = "[redacted]"

local function redact(value, name)
  for member, inner in pairs(value) do
    if member == name then
      value[member] = REDACTED
    elseif type(inner) == "table" then
      redact(inner, name)
    end
  end
end

-- Hashes of passwords, in the BasicAuth filter of a rule. Others are shown as they came: what is decoded and encoded
-- again shows an empty list as {}.
local function without_hashes(text)
  if not text:find('"hash"', 1, true) and not text:find("\\", 1, true) then
    return text
  end
  local value = json.decode(text)
  if type(value) ~= "table" then
    return json.encode(REDACTED)
  end
  redact(value, "hash")
  return json.encode(value)
end

local function without_key(text)
  local value = json.decode(text)
  if type(value) ~= "table" then
    return json.encode(REDACTED)
  end
  value.key = REDACTED
  return json.encode(value)
end

local function without_secrets(name, text)
  local kind = key.kind(name)
  if kind == "Certificate" then
    return without_key(text)
  end
  return kind == "Rule" and without_hashes(text) or text
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
