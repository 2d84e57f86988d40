-- What Entrance carries along with values, and the node only compares.
local carried = {}

local byte = string.byte

-- cjson writes 14 digits; 10^14 revisions are enough.
carried.MAX_INTEGER = 99999999999999

function carried.is_integer(value)
  return type(value) == "number" and value % 1 == 0 and value >= 0 and value <= carried.MAX_INTEGER
end

-- 40 hex digits in lower case.
function carried.is_hash(value)
  if type(value) ~= "string" or #value ~= 40 then
    return false
  end
  for at = 1, 40 do
    local digit = byte(value, at)
    if digit < 48 or digit > 102 or digit > 57 and digit < 97 then
      return false
    end
  end
  return true
end

function carried.is_store(value)
  return type(value) == "string" and #value >= 1 and #value <= 128 and not value:find("[^%w%._%-]")
end

return carried
