-- What a node holds, as one number: SHA-1(key LF hash) of every live key, five big-endian words, summed modulo 2^32.
local bit = require "bit"

local digest = {}

local function word(bytes, at)
  local a, b, c, d = bytes:byte(at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function shift(sum, key, hash, sign)
  local bytes = ngx.sha1_bin(key .. "\n" .. hash)
  for index = 1, 5 do
    sum[index] = (sum[index] + sign * word(bytes, index * 4 - 3)) % 4294967296
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
