-- A line on disk: eight hex digits of CRC-32 over the rest, a space, a letter for what it is, a space, JSON.
local bit = require "bit"
local breath = require "state.breath"
local ffi = require "ffi"

local line = {}

ffi.cdef [[ unsigned long crc32(unsigned long sum, const uint8_t *bytes, unsigned int length); ]]

local PIECE_BYTES = 1024 * 1024

-- zlib's goes piece by piece and takes 0.5 ms for 1 MB; nginx's own takes 2.8 ms for it and can't be divided. (An nginx
-- that has zlib inside may not show it to others.)
local has_zlib, zlib_crc32 = pcall(function()
  return ffi.C.crc32
end)

local function checksum(letter, text)
  if not has_zlib then
    return ngx.crc32_long(letter .. " " .. text)
  end
  local bytes, length = ffi.cast("const uint8_t *", text), #text
  local sum = zlib_crc32(0, letter .. " ", #letter + 1)
  for at = 0, length - 1, PIECE_BYTES do
    sum = zlib_crc32(sum, bytes + at, math.min(PIECE_BYTES, length - at))
    breath.take()
  end
  return tonumber(sum)
end

-- What stands before the text; behind it a line break.
function line.begin(letter, text)
  return bit.tohex(checksum(letter, text)) .. " " .. letter .. " "
end

function line.seal(letter, text)
  return line.begin(letter, text) .. text .. "\n"
end

-- Letter and text, or nil when the line is not as it was written.
function line.open(sealed)
  local sum, letter, text = sealed:match("^(%x%x%x%x%x%x%x%x) (%u) (.*)$")
  if not sum or bit.tohex(checksum(letter, text)) ~= sum then
    return nil
  end
  return letter, text
end

return line
