-- Members that are left out, for /v2/state: at most so many, how many in all, and how many of each pool.
local board = require "state.board"
local json = require "state.json"
local known = require "health.known"
local members = require "route.members"

local report = {}

local MOST_LISTED, MOST_LOOKED_AT = 100, 20000

local function each(now)
  local found, by_name = {}, {}
  known.list(MOST_LOOKED_AT, function(by, pool, member)
    local it = known.read(by, pool, member)
    local name = pool .. "\n" .. member
    if it and it.until_time > now and (not by_name[name] or by == known.ACTIVE) then
      if not by_name[name] then
        found[#found + 1] = name
      end
      it.pool, it.member, by_name[name] = pool, member, it
    end
  end)
  table.sort(found)
  return found, by_name
end

local function line(it)
  local address, port = it.member:match("^%[?(.-)%]?:(%d+)$")
  return ('{"pool":%s,"address":"%s","port":%s,"healthy":false,"since":"%s","reason":%s}'):format(
    json.encode(it.pool), address, port, os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(it.since)), json.encode(it.reason))
end

-- Three members of a JSON object.
function report.text()
  local found, by_name = each(ngx.now())
  local lines, pools, of_pool, pool_count = {}, {}, {}, 0
  for place, name in ipairs(found) do
    local it = by_name[name]
    if place <= MOST_LISTED then
      lines[place] = line(it)
    end
    if not of_pool[it.pool] then
      pool_count = pool_count + 1
      pools[pool_count] = it.pool
    end
    of_pool[it.pool] = (of_pool[it.pool] or 0) + 1
  end
  local counts = {}
  for place = 1, math.min(pool_count, MOST_LISTED) do
    local name = pools[place]
    counts[place] = ('{"pool":%s,"members":%d,"unhealthy":%d}'):format(
      json.encode(name), #members.of(name, board.version), of_pool[name])
  end
  return ('"unhealthyCount":%d,"health":%s,"unhealthyPools":%s'):format(#found, json.list(lines), json.list(counts))
end

return report
