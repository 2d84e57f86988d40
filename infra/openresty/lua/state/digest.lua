-- What a node holds, as one number: SHA-1(key LF hash) of every live key, five big-endian words, summed modulo 2^32.
local bit = require "bit"
local ffi = require "ffi"

local digest = {}

-- The hash is made in place: as texts, what goes into it and what comes out cost as much as the hash itself.
local C = ffi.C
local sha1 = ngx.config.subsystem == "http" and C.ngx_http_lua_ffi_sha1_bin or C.ngx_stream_lua_ffi_sha1_bin
local MAX_LENGTH = 2048
local LINE_FEED = 10
local source, target = ffi.new("uint8_t[?]", MAX_LENGTH), ffi.new("uint8_t[20]")

local function word(at)
  return ((target[at] * 256 + target[at + 1]) * 256 + target[at + 2]) * 256 + target[at + 3]
end

local function shift(sum, key, hash, sign)
  local length = #key + 1 + #hash
  assert(length <= MAX_LENGTH, "a key is too long")
  ffi.copy(source, key, #key)
  source[#key] = LINE_FEED
  ffi.copy(source + #key + 1, hash, #hash)
  sha1(source, length, target)
  for index = 1, 5 do
    sum[index] = (sum[index] + sign * word(index * 4 - 4)) % 4294967296
  end
end

function digest.parse(text)
  local sum = {}
  for index = 1, 5 do
    sum[index] = tonumber(text:sub(index * 8 - 7, index * 8), 16)
  end
  return sum
end

function digest.format(sum)
  local words = {}
  for index = 1, 5 do
    words[index] = bit.tohex(sum[index])
  end
  return table.concat(words)
end

function digest.add(sum, key, hash)
  shift(sum, key, hash, 1)
end

function digest.remove(sum, key, hash)
  shift(sum, key, hash, -1)
end

digest.EMPTY = ("0"):rep(40)

return digest
