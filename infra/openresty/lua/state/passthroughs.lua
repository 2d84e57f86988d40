-- Lists the Domains that speak of passthrough: few of many.
local index = require "state.index"
local sets = require "state.sets"

local passthroughs = {}

local byte, find = string.byte, string.find
local FIRST_LETTER = byte "D" -- no other kind begins with it

local function speaks(text)
  return text ~= nil and find(text, '"passthrough"', 1, true) ~= nil
end

-- before, now: the texts that serve, or nil.
function passthroughs.move(batch, name, before, now)
  if byte(name) ~= FIRST_LETTER then
    return
  end
  local did, does = speaks(before), speaks(now)
  if did ~= does then
    local change = does and sets.add or sets.remove
    change(batch, index.PASSTHROUGHS, name)
  end
end

return passthroughs
