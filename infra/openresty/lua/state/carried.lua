-- What Entrance carries along with values, and the node only compares.
local carried = {}

-- cjson writes 14 digits; 10^14 revisions are enough.
carried.MAX_INTEGER = 99999999999999

local find = string.find

function carried.is_integer(value)
  return type(value) == "number" and value % 1 == 0 and value >= 0 and value <= carried.MAX_INTEGER
end

function carried.is_hash(value)
  return type(value) == "string" and #value == 40 and not find(value, "[^%da-f]")
end

function carried.is_store(value)
  return type(value) == "string" and #value >= 1 and #value <= 128 and not find(value, "[^%w%._%-]")
end

return carried
