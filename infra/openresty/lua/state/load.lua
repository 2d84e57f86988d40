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
  first_journal = first_journal or found and ngx.time() or 1
  if found and (damaged > 0 or ended ~= lines) then
    return first_journal, ("the snapshot file is damaged (%d of %s lines are as they were written)")
      :format(lines, ended or "an unknown number of")
  end
  return first_journal, nil
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
    return
  end
  for _, at in ipairs(it.changes) do
    apply.resource(batch, judgement.apply(assert(change.at(text, at)), batch.reasons or {}))
  end
  batch.reasons = nil
  set_head(batch.head, it)
end

-- Replays one journal. Lines that can't be read at the end of the last one were never acknowledged: cut off.
local function read_journal(batch, path, is_last)
  local good_until, unreadable, damaged = 0, 0, 0
  local found, size = each_line(path, function(letter, text, offset)
    if letter then
      damaged, unreadable = damaged + unreadable, 0
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
    damaged = damaged + unreadable
  end
  return damaged, good_until
end

local function exists(path)
  local file = io.open(path, "r")
  if file then
    file:close()
  end
  return file ~= nil
end

local function read_journals(batch, first)
  local number, damaged = first, 0
  while exists(journal.path(number + 1)) do
    damaged = damaged + read_journal(batch, journal.path(number), false)
    number = number + 1
  end
  local bad, length = read_journal(batch, journal.path(number), true)
  board.journal, board.journal_length = number, length
  return damaged + bad
end

-- What is not whole is served as far as it is known, but is not ready, and asks for what is missing by its revision.
local function read_all(batch)
  local now = batch.head
  local first, problem = read_snapshot(batch)
  local damaged = read_journals(batch, first)
  if damaged > 0 and not problem then
    problem = ("%d lines in the journal are damaged"):format(damaged)
  end
  local sum = digest.format(batch.digest)
  if sum ~= now.digest then
    problem = problem or "what is on disk does not add up to its digest"
    now.revision, now.digest = 0, sum
  end
  if problem then
    now.problem = problem .. ": not ready until Entrance has sent what is missing"
    ngx.log(ngx.ERR, now.problem)
  end
end

local function read_into_memory()
  local batch = memory.first_batch()
  batch.head = head.empty()
  batch.digest = digest.parse(digest.EMPTY)
  batch.subjects = subjects.none()
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
