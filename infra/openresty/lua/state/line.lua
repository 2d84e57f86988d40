-- A line on disk: eight hex digits of CRC-32 over the rest, a space, a letter for what it is, a space, JSON.
local bit = require "bit"

local line = {}

function line.seal(letter, text)
  local rest = letter .. " " .. text
  return bit.tohex(ngx.crc32_long(rest)) .. " " .. rest .. "\n"
end

-- Letter and text, or nil when the line is not as it was written.
function line.open(sealed)
  local sum, rest = sealed:match("^(%x%x%x%x%x%x%x%x) (.+)$")
  if not sum or bit.tohex(ngx.crc32_long(rest)) ~= sum then
    return nil
  end
  return rest:match("^(%u) (.*)$")
end

return line
