-- At start, in the master, before any request: what is on disk becomes what is served.
local apply = require "state.apply"
local board = require "state.board"
local change = require "state.change"
local digest = require "state.digest"
local envelope = require "state.envelope"
local head = require "state.head"
local journal = require "state.journal"
local json = require "state.json"
local judgement = require "state.judgement"
local line = require "state.line"
local memory = require "state.memory"
local sets = require "state.sets"
local snapshot_file = require "state.snapshot_file"
local subjects = require "state.subjects"
local system = require "state.system"
local v1 = require "state.v1"

local load = {}

-- The lines of a file with, for each, the offset after it; a line without its line break does not count as one.
local function each_line(path, visit)
  local file = io.open(path, "r")
  if not file then
    return false
  end
  local size = file:seek("end")
  file:seek("set", 0)
  local offset = 0
  for text in file:lines() do
    offset = offset + #text + 1
    local letter, rest
    if offset <= size then
      letter, rest = line.open(text)
    end
    visit(letter, rest, offset)
  end
  file:close()
  return true, size
end

local function set_head(now, it)
  now.store, now.epoch, now.revision, now.digest = it.store, it.epoch, it.revision, it.digest
end

local function read_resource(batch, text)
  local members = assert(json.members(text))
  local name = json.decode(members.key)
  apply.resource(batch, {
    key = name,
    is_judged = judgement.is_kept(name),
    reason = members.reason and json.decode(members.reason),
    revision = json.decode(members.revision),
    hash = json.decode(members.hash),
    value = members.value or "",
    usable = members.usable,
  })
end

-- The number of the journal that continues it, and what is wrong with the file. Without a file journals begin at 1;
-- with one whose header is lost nothing says which continue it, so a number above any in use begins anew.
local function read_snapshot(batch)
  local first_journal, lines, ended, damaged = nil, 0, nil, 0
  local found = each_line(snapshot_file.path(), function(letter, text)
    if letter == "H" then
      local header = json.decode(text)
      first_journal = header.journal
      set_head(batch.head, header)
    elseif letter == "R" then
      read_resource(batch, text)
      lines = lines + 1
    elseif letter == "V" then
      v1.load(batch, text)
      lines = lines + 1
    elseif letter == "E" then
      ended = json.decode(text).lines
    else
      damaged = damaged + 1
    end
  end)
  batch.is_headless = found and not first_journal
  first_journal = first_journal or found and ngx.time() or 1
  if found and (damaged > 0 or ended ~= lines) then
    batch.damaged = batch.damaged + math.max(damaged, 1)
    return first_journal, ("the snapshot file is damaged (%d of %s lines are as they were written)")
      :format(lines, ended or "an unknown number of")
  end
  return first_journal, nil
end

-- What adds up to its digest is whole: no line that was lost before it was v2's, or needed any more.
local function is_whole(batch, said)
  return digest.format(batch.digest) == said
end

-- A batch that begins after what is here follows a gap: left out, as content is never mixed of several revisions.
local function replay(batch, letter, text)
  if letter == "V" then
    return v1.load(batch, text)
  elseif letter == "J" then
    batch.reasons = judgement.read(text)
    return
  end
  local it = assert(envelope.changes(text))
  if it.base > batch.head.revision then
    batch.has_gap = true
    return
  end
  -- What was found of its certificates may be among what is lost: they are looked at anew then.
  local is_judged = batch.reasons or batch.missing == 0
  for _, at in ipairs(it.changes) do
    local each = assert(change.at(text, at))
    apply.resource(batch, is_judged and judgement.apply(each, batch.reasons or {}) or each)
  end
  batch.reasons = nil
  set_head(batch.head, it)
  if batch.missing > 0 and is_whole(batch, it.digest) then
    batch.missing = 0
  end
end

-- Replays one journal. Lines that can't be read at the end of the last one were never acknowledged: cut off.
local function read_journal(batch, path, is_last)
  local good_until, unreadable = 0, 0
  local function count()
    batch.damaged, batch.missing, unreadable = batch.damaged + unreadable, batch.missing + unreadable, 0
  end
  local found, size = each_line(path, function(letter, text, offset)
    if letter then
      count()
      good_until = offset
      replay(batch, letter, text)
    else
      unreadable = unreadable + 1
    end
  end)
  if found and is_last and good_until < size then
    local fd = assert(system.open_for_write(path))
    assert(system.truncate(fd, good_until))
    system.close(fd)
    ngx.log(ngx.WARN, ("cut %d bytes of an unfinished write off the journal"):format(size - good_until))
  elseif not is_last then
    count()
  end
  return good_until
end

local function exists(path)
  local file = io.open(path, "r")
  if file then
    file:close()
  end
  return file ~= nil
end

local function read_journals(batch, first)
  local number = first
  while exists(journal.path(number + 1)) do
    read_journal(batch, journal.path(number), false)
    number = number + 1
  end
  board.journal_length = read_journal(batch, journal.path(number), true)
  board.journal = number
end

-- What is wrong with v2's content, or nil. What v1 said in a lost line nobody could send again: no reason to wait.
local function problem_of(batch, said)
  local now = batch.head
  if not is_whole(batch, now.digest) then
    return said or "what is on disk does not add up to its digest"
  elseif now.store == "" and not batch.is_headless then
    return nil
  end
  return said or batch.missing > 0 and ("%d lines in the journal are damaged"):format(batch.missing) or nil
end

-- What is not whole is served as far as it is known, but is not ready, and asks for what is missing by its revision: of
-- what comes behind a gap, by the one before it; of all, where it may be anything.
local function read_all(batch)
  local now = batch.head
  local first, said = read_snapshot(batch)
  read_journals(batch, first)
  local problem = problem_of(batch, said)
  if problem then
    now.problem = problem .. ": not ready until Entrance has sent what is missing"
    ngx.log(ngx.ERR, now.problem)
    if said or not batch.has_gap or not is_whole(batch, now.digest) then
      now.revision, now.digest = 0, digest.format(batch.digest)
    end
  elseif batch.damaged > 0 then
    ngx.log(ngx.ERR, ("%d damaged lines on disk: all of v2 is here, what v1 had said in them is lost"):format(
      batch.damaged))
  end
  board.damaged = batch.damaged
end

local function read_into_memory()
  local batch = memory.first_batch()
  batch.head = head.empty()
  batch.digest = digest.parse(digest.EMPTY)
  batch.subjects = subjects.none()
  batch.damaged, batch.missing = 0, 0 -- lines; and those that may have been v2's
  read_all(batch)
  sets.flush(batch)
  head.stage(batch, batch.head)
  if batch.full then
    error("the node's dictionary is too small for its state: give it more memory", 0)
  end
  batch:publish()
end

-- A reload finds the state in the dictionary, newer than any file read now, and leaves it alone.
function load.once()
  if board.version > 0 then
    return
  end
  board.started = ngx.time()
  read_into_memory()
  -- Every worker inherits what is left here.
  collectgarbage()
  collectgarbage()
end

return load
