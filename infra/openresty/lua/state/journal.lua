-- What was accepted since the snapshot file: one line per batch, on disk before it is acknowledged.
-- The board holds which file is appended to and how much of it counts, so every worker appends at the right place.
local board = require "state.board"
local breath = require "state.breath"
local line = require "state.line"
local settings = require "settings"
local system = require "state.system"

local journal = {}

-- A journal longer than this, and than the last snapshot file, is folded into a new one.
journal.FOLD_BYTES = 8 * 1024 * 1024

local FORGET_AT_MOST = 1000
local PIECE_BYTES = 1024 * 1024

local open_number, open_fd

function journal.path(number)
  return ("%s/journal-%012d"):format(settings.state_folder, number)
end

local function file()
  if open_number ~= board.journal then
    if open_fd then
      system.close(open_fd)
      open_fd, open_number = nil, nil
    end
    local fd, problem = system.open_for_write(journal.path(board.journal))
    if not fd then
      return nil, problem
    end
    open_fd, open_number = fd, board.journal
  end
  return open_fd
end

-- In pieces, so that other requests pass between them. (The lock is held: nobody else appends meanwhile.)
local function write(fd, text, at)
  for from = 0, #text - 1, PIECE_BYTES do
    local length = math.min(PIECE_BYTES, #text - from)
    local fine, problem = system.write_at(fd, text, at + from, from, length)
    if not fine then
      return nil, problem
    end
    if length < #text then
      system.begin_sync(fd, at + from, length)
      breath.take()
    end
  end
  return #text
end

-- A line of several megabytes is not put together first: that takes as long again.
local function write_line(fd, letter, text, at)
  if #text < PIECE_BYTES then
    return write(fd, line.seal(letter, text), at)
  end
  local done = 0
  for _, part in ipairs { line.begin(letter, text), text, "\n" } do
    local length, problem = write(fd, part, at + done)
    if not length then
      return nil, problem
    end
    done = done + length
  end
  return done
end

-- true once the line is on disk. Otherwise why not; what may have been written of it is cut off or does not count.
function journal.append(letter, text)
  local fd, problem = file()
  if not fd then
    return nil, problem
  end
  local at = board.journal_length
  local length, fine
  length, problem = write_line(fd, letter, text, at)
  if length then
    fine, problem = system.sync_data(fd)
  end
  if not fine then
    system.truncate(fd, at)
    return nil, problem
  end
  board.journal_length = at + length
  return true
end

-- Takes back an append that was not published.
function journal.cut(length)
  local fd = file()
  board.journal_length = length
  return fd and system.truncate(fd, length)
end

-- Starts the next file. The one before stays until a snapshot file covers it.
function journal.rotate()
  local number = board.journal + 1
  local fd, problem = system.create_empty(journal.path(number))
  if not fd then
    return nil, problem
  end
  system.close(fd)
  local fine
  fine, problem = system.sync_folder(settings.state_folder)
  if not fine then
    return nil, problem
  end
  board.journal, board.journal_length = number, 0
  return true
end

-- Removes the files before this one: a snapshot file covers them.
function journal.forget_before(number)
  for old = math.max(1, number - FORGET_AT_MOST), number - 1 do
    system.unlink(journal.path(old))
  end
end

return journal
