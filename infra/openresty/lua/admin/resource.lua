-- GET /v2/resources/KEY: one resource as it is held, without secrets.
local index = require "state.index"
local json = require "state.json"
local key = require "model.key"
local memory = require "state.memory"
local record = require "state.record"

local REDACTED = "[redacted]"

-- What bears such a name (a certificate's key, a user's password), and texts with a private key, wherever they stand.
local SECRET = { Certificate = "key", Rule = "hash" }
local PRIVATE = "PRIVATE KEY"

local function redact(value, secret)
  for member, inner in pairs(value) do
    if member == secret or type(inner) == "string" and inner:find(PRIVATE, 1, true) then
      value[member] = REDACTED
    elseif type(inner) == "table" then
      redact(inner, secret)
    end
  end
end

-- In JSON a secret's name may be written with escapes, and a PEM text has some.
local function may_have(text, secret)
  return text:find("\\", 1, true) or text:find(PRIVATE, 1, true) or secret and text:find('"' .. secret .. '"', 1, true)
end

-- Without any a value is shown as it came: what is decoded and encoded again shows an empty list as {}.
local function without_secrets(name, text)
  local secret = SECRET[key.kind(name)]
  if not may_have(text, secret) then
    return text
  end
  local value = json.decode(text)
  if type(value) ~= "table" then
    return json.encode(REDACTED)
  end
  redact(value, secret)
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
