-- balance hash: equal values lead to one member. Members stand on a ring at many points, as many as their weights say;
-- a request goes to the point behind its hash. So a member that comes or goes moves only its own share, and one that is
-- set aside leaves its share to those behind it.
local cookie = require "route.cookie"
local ffi = require "ffi"

local hashed = {}

local POINTS = 160 -- of a member with the smallest weight: shares are then even within about 8 %
local MOST_POINTS = 16384 -- of a pool: larger ones have fewer for each member
local PLACES = 65536
local SMALLEST_WEIGHT = 1

local function word(text, at)
  local a, b, c, d = text:byte(at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

-- A power of two, so that a small change of the smallest weight moves nothing else.
local function unit_of(members)
  local least = math.huge
  for _, member in ipairs(members) do
    least = math.min(least, member.weight)
  end
  return 2 ^ math.floor(math.log(math.max(least, SMALLEST_WEIGHT)) / math.log(2))
end

local function points_of(member, factor)
  return math.max(1, math.floor(member.weight * factor))
end

local function factor_for(members)
  local factor = POINTS / unit_of(members)
  while true do
    local total = 0
    for _, member in ipairs(members) do
      total = total + points_of(member, factor)
    end
    if total <= math.max(MOST_POINTS, #members) then
      return factor, total
    end
    factor = factor / 2
  end
end

local function add_points(points, member, place, count)
  for group = 0, math.ceil(count / 4) - 1 do
    local digest = ngx.md5_bin(member.name .. "#" .. group)
    for part = 0, math.min(4, count - group * 4) - 1 do
      points[#points + 1] = word(digest, part * 4 + 1) * PLACES + place
    end
  end
end

local READERS = {
  header = function(name)
    local variable = "http_" .. name:lower():gsub("-", "_")
    return function()
      return ngx.var[variable]
    end
  end,
  cookie = function(name)
    return function()
      return cookie.value(name)
    end
  end,
  source = function()
    return function()
      return ngx.var.binary_remote_addr
    end
  end,
}

-- settings: {by, name}.
function hashed.compile(it, settings)
  it.hash = { read = READERS[settings.by](settings.name), size = 0 }
  if #it.members == 0 then
    return
  end
  local factor = factor_for(it.members)
  local points = {}
  for place, member in ipairs(it.members) do
    add_points(points, member, place - 1, points_of(member, factor))
  end
  table.sort(points)
  it.hash.size = #points
  it.hash.points = ffi.new("uint32_t[?]", #points)
  it.hash.places = ffi.new("uint16_t[?]", #points)
  for at, point in ipairs(points) do
    it.hash.points[at - 1] = math.floor(point / PLACES)
    it.hash.places[at - 1] = point % PLACES
  end
end

-- The first point that is not before a hash.
local function behind(hash, value)
  local low, high = 0, hash.size
  while low < high do
    local middle = math.floor((low + high) / 2)
    if hash.points[middle] < value then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

-- nil when the request has no such header or cookie, or nobody is usable.
function hashed.next(it, is_usable)
  local hash = it.hash
  local value = hash.read()
  if not value or value == "" or hash.size == 0 then
    return nil
  end
  local from = behind(hash, word(ngx.md5_bin(value), 1))
  for step = 0, hash.size - 1 do
    local member = it.members[hash.places[(from + step) % hash.size] + 1]
    if is_usable(member) then
      return member
    end
  end
  return nil
end

return hashed
