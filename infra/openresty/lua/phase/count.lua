-- log_by_lua of every listener of applications, where metrics are wanted: counts what became of a request.
local current = require "request.current"
local note = require "metrics.note"
local page = require "metrics.page"

local floor = math.floor
local take = note.take
local BOUNDS = page.BOUNDS
local FIRST_BOUND = BOUNDS[1]

local row

local function slower(count, seconds)
  for place = 2, #BOUNDS do
    if seconds <= BOUNDS[place] then
      count.buckets[place - 1] = count.buckets[place - 1] + 1
      return
    end
  end
end

return function()
  if not row then
    row = page.row()
  end
  local request = current.get()
  local route, member = take(request)
  local class = floor(current.status(request) / 100)
  if class > 5 then
    class = 0
  end
  local seconds = current.seconds(request)
  local count = row.counts[route]
  count.statuses[class] = count.statuses[class] + 1
  count.seconds = count.seconds + seconds
  count.bytes = count.bytes + current.bytes_sent(request)
  if seconds <= FIRST_BOUND then
    count.buckets[0] = count.buckets[0] + 1
  else
    slower(count, seconds)
  end
  if member >= 0 then
    count = row.counts[member]
    count.statuses[class] = count.statuses[class] + 1
    count.seconds = count.seconds + seconds
  end
end
