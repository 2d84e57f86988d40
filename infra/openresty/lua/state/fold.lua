-- Folds a long journal into a new snapshot file while others go on writing.
local board = require "state.board"
local journal = require "state.journal"
local lock = require "state.lock"
local snapshot_file = require "state.snapshot_file"

local fold = {}

local TRY_SECONDS = 0.01

local function with_writers_lock(work)
  local guard = lock.take("writer")
  if not guard then
    return nil, "the writer's lock was not to be had"
  end
  local fine, result, problem = pcall(work)
  lock.give_back(guard)
  if not fine then
    return nil, result
  end
  return result, problem
end

local function run()
  local dumps, first_journal
  local fine, problem = with_writers_lock(function()
    if board.writing == 1 then
      return nil, "a change that broke off must be repaired first"
    end
    dumps = board.dumps
    local rotated, why = journal.rotate()
    first_journal = board.journal
    return rotated, why
  end)
  if not fine then
    return nil, problem
  end
  local bytes
  bytes, problem = snapshot_file.prepare("fold", first_journal)
  if not bytes then
    return nil, problem
  end
  return with_writers_lock(function()
    if board.dumps ~= dumps then
      snapshot_file.discard("fold") -- somebody put a newer one in place
      return true
    end
    return snapshot_file.install("fold", first_journal, bytes)
  end)
end

local function fold_now(premature)
  local guard = not premature and lock.take("fold", TRY_SECONDS)
  if not guard then
    return
  end
  local fine, result, problem = pcall(run)
  lock.give_back(guard)
  if not fine or not result then
    ngx.log(ngx.ERR, "the journal could not be folded: ", problem or result)
  end
end

-- At once when asked: a damaged file is left behind by writing a new one.
function fold.when_due(at_once)
  if at_once or board.journal_length > math.max(journal.FOLD_BYTES, board.dump_bytes) then
    ngx.timer.at(0, fold_now)
  end
end

return fold
