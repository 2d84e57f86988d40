-- Names and values of headers that a rule may name.
local field = require "model.field"

local header = {}

local MAX_NAME, MAX_VALUE = 256, 4096
local MAX_CHANGES = 16 -- Gateway API's

-- What frames a message or belongs to one connection, and what the node says itself.
local FRAMING = {
  ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["keep-alive"] = true,
  ["proxy-authenticate"] = true, ["proxy-authorization"] = true, ["proxy-connection"] = true, ["te"] = true,
  ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
}
local SAID_BY_NODE = {
  ["forwarded"] = true, ["x-forwarded-for"] = true, ["x-forwarded-host"] = true, ["x-forwarded-port"] = true,
  ["x-forwarded-proto"] = true, ["x-real-ip"] = true,
}

-- RFC 9110, 5.6.2.
function header.check_name(what, name)
  if type(name) ~= "string" or #name > MAX_NAME or not name:find("^[%w!#$%%&'*+%-.^_`|~]+$") then
    return ("%s must be a header's name of at most %d letters, digits and hyphens"):format(what, MAX_NAME)
  end
  return nil
end

local function check_change(name, of_request)
  local reason = header.check_name("name", name)
  if reason then
    return reason
  end
  local lower = name:lower()
  if FRAMING[lower] then
    return name .. " can't be changed: it belongs to the connection"
  elseif of_request and lower == "host" then
    return "Host can't be changed here: use URLRewrite's hostname"
  elseif of_request and SAID_BY_NODE[lower] then
    return name .. " can't be changed: the node says it itself"
  end
  return nil
end

-- Not at all: control characters (they would end the header) and spaces at the ends.
function header.check_value(value)
  local reason = field.text("value", value, MAX_VALUE)
  if not reason and value:find("^ ") or not reason and value:find(" $") then
    return "value must not begin or end with a space"
  end
  return reason
end

-- Gateway API's HTTPHeaderFilter {set, add, remove}.
function header.check_changes(it, of_request)
  local function check_pair(pair)
    return field.object("a header", pair) or check_change(pair.name, of_request) or header.check_value(pair.value)
  end
  local set, add, remove = field.default(it.set, {}), field.default(it.add, {}), field.default(it.remove, {})
  local reason = field.list("set", set, MAX_CHANGES, check_pair)
    or field.list("add", add, MAX_CHANGES, check_pair)
    or field.list("remove", remove, MAX_CHANGES, function(name)
      return check_change(name, of_request)
    end)
  if not reason and #set + #add + #remove == 0 then
    return "set, add or remove must name a header"
  end
  return reason
end

-- One more value beside those that a header has: none (nil), one, or a list of them.
function header.with(value, more)
  if value == nil then
    return more
  elseif type(value) == "table" then
    value[#value + 1] = more
    return value
  end
  return { value, more }
end

return header
