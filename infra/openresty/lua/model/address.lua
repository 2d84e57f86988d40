-- IP addresses and ranges of them, as the bytes that nginx knows a client by: 4, or 16.
local ffi = require "ffi"
local bit = require "bit"
require "state.system" -- declares inet_pton

local address = {}

local AF_INET, AF_INET6 = 2, 10
local MAPPED = ("\0"):rep(10) .. "\255\255" -- an IPv4 client of an IPv6 listener

local buffer = ffi.new("unsigned char[16]")

local function bytes_of(text)
  if #text > 45 or text:find("[^%x:.]") then
    return nil
  elseif ffi.C.inet_pton(AF_INET, text, buffer) == 1 then
    return ffi.string(buffer, 4)
  elseif ffi.C.inet_pton(AF_INET6, text, buffer) == 1 then
    return ffi.string(buffer, 16)
  end
  return nil
end

-- "10.0.0.0/8", "2001:db8::/32" or an address alone; nil when the text is none of these. Bits behind the mask don't
-- count.
function address.range(text)
  if type(text) ~= "string" then
    return nil
  end
  local base, mask = text:match("^([^/]+)/(%d%d?%d?)$")
  local bytes = bytes_of(base or text)
  local bits = bytes and (mask and tonumber(mask) or #bytes * 8)
  if not bytes or bits > #bytes * 8 then
    return nil
  end
  return { bytes = bytes, bits = bits }
end

-- client: $binary_remote_addr.
function address.is_within(range, client)
  if #client == 16 and #range.bytes == 4 and client:sub(1, 12) == MAPPED then
    client = client:sub(13)
  end
  if #client ~= #range.bytes then
    return false
  end
  local whole = math.floor(range.bits / 8)
  if client:sub(1, whole) ~= range.bytes:sub(1, whole) then
    return false
  end
  local rest = range.bits - whole * 8
  if rest == 0 then
    return true
  end
  return bit.rshift(bit.bxor(client:byte(whole + 1), range.bytes:byte(whole + 1)), 8 - rest) == 0
end

return address
