-- Lists the Pools that speak of what somebody has to see to beside their requests: few of many.
local index = require "state.index"
local sets = require "state.sets"

local marked_pools = {}

local byte, find = string.byte, string.find
local FIRST_LETTER = byte "P" -- no other kind begins with it
local WORDS = { [index.CHECKED] = '"active"%s*:%s*{', [index.OWN_AUTHORITIES] = '"ca"%s*:' }

-- before, now: the texts that serve, or nil.
function marked_pools.move(batch, name, before, now)
  if byte(name) ~= FIRST_LETTER then
    return
  end
  for list, word in pairs(WORDS) do
    local did, does = before ~= nil and find(before, word) ~= nil, now ~= nil and find(now, word) ~= nil
    if did ~= does then
      local change = does and sets.add or sets.remove
      change(batch, index.part_of(list, name), name)
    end
  end
end

-- The names in such a list, as of now.
function marked_pools.each(list, visit)
  for part = 0, index.MARKED_PARTS - 1 do
    for name in sets.current(list .. part) do
      visit(name)
    end
  end
end

return marked_pools
