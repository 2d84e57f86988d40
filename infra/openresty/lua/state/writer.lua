-- The only way to change what requests see: one writer at a time stages a batch, puts it on disk, publishes it.
--   fill(batch) gives an answer alone                -> nothing is changed
--   fill(batch) gives an answer and a way to persist -> staged, persisted, published; or taken back whole, with 507
local board = require "state.board"
local digest = require "state.digest"
local fold = require "state.fold"
local head = require "state.head"
local lock = require "state.lock"
local memory = require "state.memory"
local reload = require "generated.reload"
local ring = require "state.ring"
local sets = require "state.sets"
local snapshot_file = require "state.snapshot_file"
local subjects = require "state.subjects"
local tidy = require "state.tidy"

local writer = {}

local function full(reason, message)
  return { status = 507, reason = reason, message = message }
end

-- The last writer died or could not tell whether its file is in place: back to what requests see, on disk too.
local function repair()
  memory.discard_unpublished()
  return snapshot_file.replace(board.version)
end

local function begin()
  local batch = memory.batch()
  batch.head = head.current()
  batch.was_damaged = batch.head.problem ~= ""
  batch.digest = digest.parse(batch.head.digest)
  batch.subjects = subjects.none()
  return batch
end

local function finish(batch, answer, persist)
  sets.flush(batch)
  head.stage(batch, batch.head)
  if batch.full or batch.grows and memory.is_short() then
    return full("memory", "the node's dictionary is full; nothing was changed"), false
  end
  local fine, problem, unsure = persist(batch)
  if not fine then
    ngx.log(ngx.ERR, "state was not written, nothing is changed: ", problem)
    return full("disk", "the state could not be written; nothing was changed"), unsure
  end
  ring.put(batch.version, batch.subjects)
  batch:publish()
  batch.published = true
  reload.soon()
  fold.when_due(batch.was_damaged and batch.head.problem == "")
  return answer, false
end

local function write(fill)
  if board.writing == 1 then
    local fine, problem = repair()
    if not fine then
      ngx.log(ngx.ERR, "state was not written, nothing is changed: ", problem)
      return full("disk", "the state could not be written; nothing was changed")
    end
  end
  board.writing = 1
  local batch = begin()
  local unsure = false
  local fine, answer, persist = pcall(fill, batch)
  if fine and persist then
    fine, answer, unsure = pcall(finish, batch, answer, persist)
  end
  if not batch.published then
    batch:rollback()
  end
  if batch:is_large() then
    tidy()
  end
  if fine and not unsure then
    board.writing = 0
  end
  return fine and answer or error(answer, 0)
end

function writer.run(fill)
  local guard, problem = lock.take("writer")
  if not guard then
    return { status = 503, reason = "busy", message = "another change is being written: " .. problem }
  end
  local fine, answer = pcall(write, fill)
  lock.give_back(guard)
  if not fine then
    ngx.log(ngx.ERR, "a change failed: ", answer)
    return { status = 500, reason = "internal", message = "the change failed and was taken back; the log says why" }
  end
  return answer
end

return writer
