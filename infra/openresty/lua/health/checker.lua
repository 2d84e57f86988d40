-- Asks members again and again whether they can serve. One worker does it for all; when it ends, another takes over.
local board = require "state.board"
local breath = require "state.breath"
local checks = require "health.checks"
local index = require "state.index"
local known = require "health.known"
local lock = require "state.lock"
local marked_pools = require "state.marked_pools"
local probe = require "health.probe"
local ring = require "state.ring"

local checker = {}

local MOST_MEMBERS = 4096 -- more are not asked, and count as well
local MOST_AT_ONCE = 64
local STEP_SECONDS, IDLE_SECONDS = 0.05, 0.5
local JITTER = 0.2 -- of an interval, so that members are not asked all at once

local guard
local pools, count, version -- by name: {members by name}; members in all; the state that was looked at last
local queue, at = nil, 1 -- all of them, and whose turn it is; nil: to be made anew
local running = 0

local function mark(it, good, reason)
  local pool, name = it.pool, it.name
  if good and it.how.ramp > 0 then
    local now = ngx.now()
    known.put(known.ACTIVE, pool, name, { until_time = now, since = now, reason = "well again" }, it.how.ramp + 1)
  elseif good then
    known.forget(known.ACTIVE, pool, name)
  else
    known.put(known.ACTIVE, pool, name, { until_time = known.FOR_GOOD, since = it.since, reason = reason }, 0)
  end
end

-- What one answer changes.
local function note(it, good, reason)
  it.good, it.bad = good and it.good + 1 or 0, good and 0 or it.bad + 1
  if good and not it.is_well and it.good >= it.how.healthy then
    it.is_well = true
    mark(it, true)
  elseif not good and it.is_well and it.bad >= it.how.unhealthy then
    it.is_well, it.since, it.reason = false, ngx.now(), reason
    mark(it, false, reason)
  elseif not good and not it.is_well then
    local noted = known.read(known.ACTIVE, it.pool, it.name)
    if not noted or noted.reason ~= reason then
      mark(it, false, reason)
    end
  end
end

local function ask(premature, it)
  if not premature then
    local good, reason = probe(it.how, it)
    if not it.is_gone then
      note(it, good, (reason or "it is not well"):gsub("[%c\127-\255]", "?"))
    end
  end
  it.is_asked = false
  running = math.max(0, running - 1)
end

local function begin(it, pool, how, now)
  local before = known.read(known.ACTIVE, pool, it.name)
  it.pool, it.how, it.good, it.bad = pool, how, 0, 0
  it.is_well = not before or before.until_time ~= known.FOR_GOOD
  it.since = before and before.since or now
  it.next_at = now + math.random() * math.min(how.interval, 1)
  return it
end

local function leave(it)
  it.is_gone = true
  if not it.is_well then
    known.forget(known.ACTIVE, it.pool, it.name)
  end
end

-- Results go on where a member stays, however its pool changes.
local function look_at(name)
  local before = pools[name] and pools[name].members or {}
  local how, found = checks.of(name)
  local members, now = {}, ngx.now()
  for place, member in pairs(found) do
    local it = before[place]
    if it then
      it.how, members[place], before[place] = how, it, nil
    elseif count < MOST_MEMBERS then
      members[place] = begin(member, name, how, now)
      count = count + 1
    end
  end
  for _, it in pairs(before) do
    leave(it)
    count = count - 1
  end
  pools[name] = next(members) and { members = members } or nil
  queue = nil
  breath.take()
end

local function look_at_all()
  local names = {}
  for name in pairs(pools) do
    names[name] = true
  end
  marked_pools.each(index.CHECKED, function(name)
    names[name] = true
  end)
  for name in pairs(names) do
    look_at(name)
  end
end

-- Follows the state; after a take-over, also what the one before has left.
local function follow()
  local now = board.version
  if now == version then
    return
  end
  breath.start()
  local changed = {}
  local is_known = ring.each(version, now, function(kind, name)
    if kind == "pool" then
      changed[name] = true
    end
  end)
  if is_known then
    for name in pairs(changed) do
      look_at(name)
    end
  else
    look_at_all()
  end
  version = now
end

local function clear_away()
  known.list(0, function(by, pool, name)
    local it = pools[pool] and pools[pool].members[name]
    if by == known.ACTIVE and not it then
      known.forget(known.ACTIVE, pool, name)
    end
  end)
end

local function everybody()
  local list = {}
  for _, pool in pairs(pools) do
    for _, it in pairs(pool.members) do
      list[#list + 1] = it
    end
  end
  return list
end

-- Whoever finds no place is first the next time.
local function ask_those_due()
  local now = ngx.now()
  queue = queue or everybody()
  for _ = 1, #queue do
    if running >= MOST_AT_ONCE then
      return
    end
    at = at % #queue + 1
    local it = queue[at]
    if not it.is_asked and it.next_at <= now and ngx.timer.at(0, ask, it) then
      it.is_asked, running = true, running + 1
      it.next_at = now + it.how.interval * (1 - JITTER / 2 + math.random() * JITTER)
    end
  end
end

local function go_on()
  pools, count, queue, running = {}, 0, nil, 0
  look_at_all()
  version = board.version
  clear_away()
  while not ngx.worker.exiting() do
    follow()
    ask_those_due()
    ngx.sleep(next(pools) and STEP_SECONDS or IDLE_SECONDS)
    ngx.update_time()
  end
end

local function run(premature)
  if not premature then
    local fine, problem = pcall(go_on)
    if not fine then
      ngx.log(ngx.ERR, "checking members broke off: ", problem)
    end
  end
  lock.give_back(guard)
  guard = nil
end

-- Now and then in each worker: whoever gets the lock goes on until it ends.
function checker.step()
  if guard or ngx.worker.exiting() then
    return
  end
  guard = lock.take("health", 0)
  if guard and not ngx.timer.at(0, run) then
    lock.give_back(guard)
    guard = nil
  end
end

return checker
