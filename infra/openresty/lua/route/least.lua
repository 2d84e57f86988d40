-- balance least-connections: the member with the fewest requests under way for its weight, those of all workers
-- counted.
local in_flight = require "route.in_flight"
local slow_start = require "route.slow_start"

local least = {}

local MOST = 128 -- members compared for one request; of more, those that follow a place that moves on

-- Of equals the next in turn.
function least.next(it, is_usable, now)
  local count = #it.members
  local best, best_load
  local from = it.at
  for step = 1, count do
    local at = (from + step - 1) % count + 1
    local member = it.members[at]
    if is_usable(member) then
      local share = it.ramp and slow_start.share(it, member, now) or 1
      local load = (in_flight.at(member.place) + 1) / (member.weight * share)
      if not best or load < best_load then
        best, best_load, it.at = member, load, at
      end
    end
    if step >= MOST and best then
      break
    end
  end
  return best
end

return least
