-- Which certificates end on which day: what ends soon is found without looking through all.
local index = require "state.index"
local json = require "state.json"
local memory = require "state.memory"
local record = require "state.record"
local sets = require "state.sets"

local ending = {}

local byte = string.byte
local FIRST_LETTER = byte "C" -- no other kind begins with it
local DAYS_BACK, DAYS_AHEAD = 90, 21
local SECONDS_OF_A_DAY = 86400
local MAX_LISTED = 100

-- (No PEM text and no name has a quote that is not escaped.)
local function day_of(text)
  return text and text:match('"notAfter"%s*:%s*"(%d%d%d%d%-%d%d%-%d%d)T')
end

-- Stages that a resource's serving text has changed.
function ending.move(batch, name, before, now)
  if byte(name) ~= FIRST_LETTER then
    return
  end
  local old, new = day_of(before), day_of(now)
  if old == new then
    return
  end
  if old then
    sets.remove(batch, index.ending(old, name), name)
  end
  if new then
    sets.add(batch, index.ending(new, name), name)
  end
end

local function add(listed, name)
  local it = record.decode(memory.current(index.record(name)))
  local text = it and record.serving(it)
  local value = text and json.decode(text)
  if value then
    listed[#listed + 1] = json.encode { key = name, notAfter = value.notAfter }
  end
end

-- The serving certificates that have ended lately or soon will, as a list of JSON texts, the earliest first.
function ending.soon()
  local listed = {}
  for days = -DAYS_BACK, DAYS_AHEAD do
    local day = os.date("!%Y-%m-%d", ngx.time() + days * SECONDS_OF_A_DAY)
    for part = 0, index.PARTS_OF_A_DAY - 1 do
      for name in sets.current(index.ending_part(day, part)) do
        if #listed >= MAX_LISTED then
          return listed
        end
        add(listed, name)
      end
    end
  end
  return listed
end

return ending
