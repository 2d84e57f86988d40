-- Lists the Pools that speak of what somebody has to see to beside their requests: few of many.
local index = require "state.index"
local sets = require "state.sets"

local marked_pools = {}

local byte, find = string.byte, string.find
local FIRST_LETTER = byte "P" -- no other kind begins with it
-- A word is looked for first, which LuaJIT compiles: of most pools neither is found.
local CHECKED = { list = index.CHECKED, word = '"active"', pattern = '"active"%s*:%s*{' }
local OWN_AUTHORITIES = { list = index.OWN_AUTHORITIES, word = '"ca"', pattern = '"ca"%s*:' }

local function has(text, mark)
  return text ~= nil and find(text, mark.word, 1, true) ~= nil and find(text, mark.pattern) ~= nil
end

local function move(batch, name, before, now, mark)
  local did, does = has(before, mark), has(now, mark)
  if did ~= does then
    local change = does and sets.add or sets.remove
    change(batch, index.part_of(mark.list, name), name)
  end
end

-- before, now: the texts that serve, or nil.
function marked_pools.move(batch, name, before, now)
  if byte(name) ~= FIRST_LETTER then
    return
  end
  move(batch, name, before, now, CHECKED)
  move(batch, name, before, now, OWN_AUTHORITIES)
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
