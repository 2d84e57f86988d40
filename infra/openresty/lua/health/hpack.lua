-- As much of HPACK (RFC 7541) as a check needs: headers as they are, and the status of an answer, which comes first.
local bit = require "bit"

local hpack = {}

local band, rshift = bit.band, bit.rshift
local char = string.char

local STATUSES = { [8] = 200, [9] = 204, [10] = 206, [11] = 304, [12] = 400, [13] = 404, [14] = 500 } -- Appendix A
local FIRST, LAST = 8, 14
local SHORT_DIGITS = 3 -- 0, 1 and 2 have five bits in Appendix B, the others six, which begin at 25
local LONG_DIGITS_FROM = 25

local function integer(number)
  if number < 127 then
    return char(number)
  end
  local bytes = { char(127) }
  number = number - 127
  while number >= 128 do
    bytes[#bytes + 1] = char(number % 128 + 128)
    number = math.floor(number / 128)
  end
  bytes[#bytes + 1] = char(number)
  return table.concat(bytes)
end

-- pairs_of: {{name, value}}.
function hpack.encode(pairs_of)
  local parts = {}
  for place, it in ipairs(pairs_of) do
    parts[place] = "\0" .. integer(#it[1]) .. it[1] .. integer(#it[2]) .. it[2]
  end
  return table.concat(parts)
end

local function digits_of(bytes)
  local bits = {}
  for at = 1, #bytes do
    for shift = 7, 0, -1 do
      bits[#bits + 1] = band(rshift(bytes:byte(at), shift), 1)
    end
  end
  local function number(from, count)
    local value = 0
    for at = from, from + count - 1 do
      value = value * 2 + (bits[at] or 1)
    end
    return value
  end
  local text, at = "", 1
  while #text < 3 do
    local short = number(at, 5)
    local is_short = short < SHORT_DIGITS
    local digit = is_short and short or number(at, 6) - LONG_DIGITS_FROM + SHORT_DIGITS
    if digit < 0 or digit > 9 then
      return nil
    end
    text, at = text .. digit, at + (is_short and 5 or 6)
  end
  return text
end

local function literal(block, at)
  local length = block:byte(at)
  if not length then
    return nil
  end
  local is_huffman = length >= 128
  local bytes = block:sub(at + 1, at + band(length, 127))
  return tonumber(is_huffman and digits_of(bytes) or bytes)
end

-- The status that a block of headers begins with, or nil.
function hpack.status(block)
  local at = 1
  local first = block:byte(at)
  while first and band(first, 0xe0) == 0x20 do -- another size of the table
    at = at + 1
    while first % 32 == 31 and (block:byte(at) or 0) >= 128 do
      at = at + 1
    end
    at = at + (first % 32 == 31 and 1 or 0)
    first = block:byte(at)
  end
  if not first then
    return nil
  elseif first >= 128 then
    return STATUSES[first - 128]
  end
  local name = first >= 64 and first - 64 or first % 16
  return name >= FIRST and name <= LAST and literal(block, at + 1) or nil
end

return hpack
