-- Checks of single fields. Each gives true, or nil and a sentence that says what to change.
local json = require "state.json"

local field = {}

local function absent(value)
  return value == nil or value == json.null
end

function field.is_absent(value)
  return absent(value)
end

-- Lua cannot tell {} from [] once decoded; a table without any string key counts as a list.
function field.is_list(value)
  if type(value) ~= "table" then
    return false
  end
  for name in pairs(value) do
    if type(name) ~= "number" then
      return false
    end
  end
  return true
end

function field.is_object(value)
  return type(value) == "table" and value[1] == nil
end

function field.text(name, value, limit)
  if type(value) ~= "string" or #value > limit or value:find("%c") then
    return nil, ("%s must be a text of at most %d bytes without control characters"):format(name, limit)
  end
  return true
end

function field.integer(name, value, least, most)
  if type(value) ~= "number" or value % 1 ~= 0 or value < least or value > most then
    return nil, ("%s must be a whole number from %d to %d"):format(name, least, most)
  end
  return true
end

function field.boolean(name, value)
  if type(value) ~= "boolean" then
    return nil, name .. " must be true or false"
  end
  return true
end

function field.one_of(name, value, choices)
  for _, choice in ipairs(choices) do
    if value == choice then
      return true
    end
  end
  return nil, name .. " must be one of " .. table.concat(choices, ", ")
end

function field.list(name, value, limit)
  if not field.is_list(value) or #value > limit then
    return nil, ("%s must be a list of at most %d"):format(name, limit)
  end
  return true
end

-- The first failure of several checks: field.all(check, {arguments}, check, {arguments}, …).
function field.all(...)
  local checks = { ... }
  for index = 1, #checks, 2 do
    local arguments = checks[index + 1]
    local fine, reason = checks[index](arguments[1], arguments[2], arguments[3], arguments[4])
    if not fine then
      return nil, reason
    end
  end
  return true
end

return field
