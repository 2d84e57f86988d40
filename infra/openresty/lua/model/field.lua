-- Checks of single fields: each gives nil when all is well, else a sentence that says what to change, so that
-- several are joined by "or".
local json = require "state.json"

local field = {}

function field.is_absent(value)
  return value == nil or value == json.null
end

function field.default(value, instead)
  if field.is_absent(value) then
    return instead
  end
  return value
end

function field.object(name, value)
  if type(value) ~= "table" or value[1] ~= nil then
    return name .. " must be an object"
  end
  return nil
end

function field.text(name, value, limit)
  if type(value) ~= "string" or #value > limit or value:find("%c") then
    return ("%s must be a text of at most %d bytes without control characters"):format(name, limit)
  end
  return nil
end

function field.integer(name, value, least, most)
  if type(value) ~= "number" or value % 1 ~= 0 or value < least or value > most then
    return ("%s must be a whole number from %d to %d"):format(name, least, most)
  end
  return nil
end

function field.boolean(name, value)
  if type(value) ~= "boolean" then
    return name .. " must be true or false"
  end
  return nil
end

function field.one_of(name, value, choices)
  for _, choice in ipairs(choices) do
    if value == choice then
      return nil
    end
  end
  return name .. " must be one of " .. table.concat(choices, ", ")
end

-- Lua cannot tell {} from [] once decoded; a table without any key that is a text counts as a list. check, if given,
-- is asked about every item.
function field.list(name, value, limit, check)
  local is_list = type(value) == "table" and #value <= limit
  for place in pairs(is_list and value or {}) do
    is_list = is_list and type(place) == "number"
  end
  if not is_list then
    return ("%s must be a list of at most %d"):format(name, limit)
  end
  for place = 1, check and #value or 0 do
    local reason = check(value[place])
    if reason then
      return ("%s[%d]: %s"):format(name, place - 1, reason)
    end
  end
  return nil
end

return field
