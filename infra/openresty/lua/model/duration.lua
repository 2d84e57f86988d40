-- How long something takes, as Gateway API writes it (GEP-2257): "10s", "500ms", "1h30m".
local duration = {}

local SECONDS = { h = 3600, m = 60, s = 1, ms = 0.001 }

local function parse(text)
  local total, parts, rest = 0, 0, text
  while rest ~= "" do
    local digits, unit, behind = rest:match("^(%d+)(%l+)(.*)$")
    if not digits or #digits > 5 or not SECONDS[unit] then
      return nil
    end
    total, parts, rest = total + tonumber(digits) * SECONDS[unit], parts + 1, behind
  end
  return parts >= 1 and parts <= 4 and total or nil
end

-- least, most: seconds.
function duration.check(name, value, most, least)
  local seconds = type(value) == "string" and parse(value)
  if not seconds or seconds > most or least and seconds < least then
    local range = least and ("from %dms to %ds"):format(least * 1000, most) or ("at most %ds"):format(most)
    return ('%s must be a duration such as "10s", "500ms" or "1m30s", %s'):format(name, range)
  end
  return nil
end

-- nil where nothing is said, or 0, which means without a limit.
function duration.seconds(value)
  local seconds = value and parse(value)
  return seconds and seconds > 0 and seconds or nil
end

return duration
