-- What changed in each of the last versions, so that a worker forgets only that of what it has compiled.
local bit = require "bit"
local subjects = require "state.subjects"

local ring = {}

local dict = ngx.shared.entrance_ring
local tobit = bit.tobit
local VERSIONS = 1024
local EVERYTHING = "*"

-- Before the version is published.
function ring.put(version, changed)
  local place = version % VERSIONS
  if not dict:set(place, subjects.text(changed) or EVERYTHING, 0, tobit(version)) then
    dict:delete(place) -- what is missing means everything
  end
end

-- Calls visit("host" or "pool", name) for what changed after one version up to another; false: it could be anything.
function ring.each(after, up_to, visit)
  if up_to - after > VERSIONS then
    return false
  end
  for version = after + 1, up_to do
    local text, flags = dict:get(version % VERSIONS)
    if not text or text == EVERYTHING or (flags or 0) ~= tobit(version) then
      return false
    end
    for kind, name in text:gmatch("(%a+) ([^\n]+)") do
      visit(kind, name)
    end
  end
  return true
end

return ring
