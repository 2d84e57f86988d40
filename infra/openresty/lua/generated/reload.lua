-- Turns what the sources generate into what nginx runs: writes it, has the master reload gracefully, and waits until
-- workers of the new configuration report. At once after a change, then at most once a second, and more rarely the more
-- old workers there are that still hold connections. One process at a time does it, over all workers; whoever dies on
-- the way, the next one's timer goes on.
local board = require "state.board"
local breath = require "state.breath"
local content = require "generated.content"
local folder = require "generated.folder"
local head = require "state.head"
local lock = require "state.lock"
local master = require "generated.master"
local own = require "generated.own"
local problem_of = require "generated.problem"
local progress = require "generated.progress"

local reload = {}

local EVERY_SECONDS = 1 -- between two reloads
local TAKEN_WITHIN_SECONDS = 10 -- nginx tries for 2.5 s to open a port; after this it has refused
local REFUSED_SECONDS = 30 -- what nginx refused is not asked again for so long
local MAX_SHARE = 0.1 -- of one CPU, for generating
local SOON_SECONDS = 0.05 -- between two looks at what is about to happen
local GENERATIONS = 8 -- as in progress.accepting
-- While more than this many old generations hold connections, the time between reloads doubles with each, up to a
-- minute. (Old workers end after worker_shutdown_timeout.)
local MANY_OLD, MAX_WAIT_SECONDS = 8, 60

local is_waiting = false

-- Whether a worker of an older generation still takes connections.
local function old_ones_accept()
  for place = 0, GENERATIONS - 1 do
    if place ~= progress.running % GENERATIONS then
      for id = 0, ngx.worker.count() - 1 do
        local pid = progress.accepting[place][id]
        if pid ~= 0 and master.is_alive(pid) then
          return true
        end
        progress.accepting[place][id] = 0
      end
    end
  end
  return false
end

local function seconds_between()
  local old = master.children() / ngx.worker.count() - 1
  local wait = EVERY_SECONDS * 2 ^ math.max(0, math.ceil(old) - MANY_OLD)
  return math.min(wait, MAX_WAIT_SECONDS)
end

-- nginx kept the configuration it had: the error log says why. What was new in it is left out for a while.
local function give_up(now)
  ngx.log(ngx.ERR, ("nginx did not take generation %d of the generated configuration; what runs is %d"):format(
    progress.asked, progress.running))
  if progress.refused > 0 then
    folder.forget(progress.refused)
  end
  progress.refused, progress.refused_until = progress.asked, now + REFUSED_SECONDS
  progress.asked, progress.evaluated, progress.under_way = progress.running, 0, 0
  folder.point_to(progress.running)
end

-- Workers have read what they need of theirs.
local function forget_older()
  for number = progress.forgotten + 1, progress.running - 1 do
    if number ~= progress.refused then
      folder.forget(number)
    end
  end
  progress.forgotten = math.max(progress.forgotten, progress.running - 1)
end

-- Takes note of what has become of the last reload. Not over yet: false, and when to look again, unless new workers do.
local function settle(now)
  if progress.asked > progress.running then
    if now - progress.asked_at < TAKEN_WITHIN_SECONDS then
      return false, nil
    end
    give_up(now)
  elseif progress.under_way == 1 then
    if old_ones_accept() then
      return false, SOON_SECONDS
    end
    progress.under_way, progress.is_behind, progress.revision = 0, 0, progress.asked_revision
    content.say_served()
    forget_older()
  end
  if progress.refused > 0 and (now >= progress.refused_until or progress.running > progress.refused) then
    folder.forget(progress.refused)
    progress.refused, progress.evaluated = 0, 0
  end
  return true
end

local function is_due(version, now)
  local is_time = progress.again_at > 0 and now >= progress.again_at
  return is_time or content.is_outdated() or progress.evaluated == 0
    or progress.evaluated ~= version and content.is_concerned(version)
end

local function ask(texts, mark, revision, now)
  if not problem_of.may_reload() then
    return true
  end
  local number = progress.last + 1
  texts["generation.main.conf"] = ("env ENTRANCE_GENERATION=%d;\n"):format(number)
  texts["https.conf"] = texts["https.conf"] or "include node/https.conf;\n"
  local fine, problem = folder.write(number, texts, mark)
  if not fine then
    return nil, problem
  end
  progress.last, progress.asked, progress.asked_at, progress.asked_revision = number, number, now, revision
  progress.under_way = 1
  fine, problem = master.reload()
  if not fine then
    progress.asked, progress.under_way = progress.running, 0
    folder.point_to(progress.running)
    return nil, "the master could not be signalled: " .. problem
  end
  progress.reloads = progress.reloads + 1
  return true
end

-- true, or nil and why not; and how long to wait before nginx may be asked to reload again.
local function evaluate(version, now)
  local revision = head.current().revision
  progress.evaluated = 0 -- until it is done: sources note what they have made, whatever becomes of it
  breath.start()
  local texts, mark, again_at, each = content.make()
  ngx.update_time()
  progress.evaluations, progress.cost, progress.done_at = progress.evaluations + 1, ngx.now() - now, ngx.now()
  if mark == folder.mark_of(progress.running) then
    local fine, problem = content.serve(each)
    if not fine then
      return nil, problem
    end
    progress.revision, progress.is_behind = revision, 0
    content.say_served()
  elseif not content.is_refused(mark) then
    progress.is_behind = 1
    local wait = progress.asked_at > 0 and progress.asked_at + seconds_between() - ngx.now() or 0
    if wait > 0 then
      return true, nil, wait
    end
    local fine, problem = ask(texts, mark, revision, ngx.now())
    if not fine then
      return nil, problem
    end
  end
  progress.evaluated, progress.again_at = version, again_at
  return true
end

-- One step; gives the seconds after which another one is due, if soon.
local function step()
  ngx.update_time()
  -- The revision first: one that comes in between is in the version, and is not told before it was looked at.
  local now, revision = ngx.now(), head.current().revision
  local version = board.version
  local is_settled, soon = settle(now)
  if not is_settled then
    return soon
  end
  if not is_due(version, now) then
    progress.evaluated = version
    if progress.is_behind == 0 then
      progress.revision = revision
    end
    return nil
  end
  local rest = progress.done_at + progress.cost * (1 / MAX_SHARE - 1) - now
  if rest > 0 then
    return rest
  end
  local fine, problem, wait = evaluate(version, now)
  if not fine then
    ngx.log(ngx.ERR, "configuration was not generated: ", problem)
  end
  return wait
end

local function run(premature)
  is_waiting = false
  if not premature then
    reload.step()
  end
end

local function come_back(seconds)
  if not is_waiting and not ngx.worker.exiting() then
    is_waiting = ngx.timer.at(seconds, run) and true or false
  end
end

-- Now and then, and after each change. Somebody else at it: they, or the next timer, see it.
function reload.step()
  local guard = lock.take("reload", 0)
  if not guard then
    return come_back(SOON_SECONDS)
  end
  local fine, wait = pcall(step)
  lock.give_back(guard)
  if not fine then
    ngx.log(ngx.ERR, "generating configuration failed: ", wait)
  elseif wait then
    come_back(wait)
  end
end

-- After a change was published.
function reload.soon()
  come_back(0)
end

-- A worker begins to take connections.
function reload.began()
  own.begin()
  progress.accepting[own.generation % GENERATIONS][ngx.worker.id()] = ngx.worker.pid()
  progress.running = math.max(progress.running, own.generation)
  progress.last, progress.asked = math.max(progress.last, own.generation), math.max(progress.asked, own.generation)
  come_back(0)
end

-- A worker takes no more connections: nginx tells those that have timers.
function reload.ended()
  local mine = progress.accepting[own.generation % GENERATIONS]
  if mine[ngx.worker.id()] == ngx.worker.pid() then
    mine[ngx.worker.id()] = 0
  end
end

return reload
