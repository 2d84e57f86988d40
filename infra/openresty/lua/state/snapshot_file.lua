-- The whole state in one file, put in place by a rename: a header, resources, v1's items, and the count of lines.
local board = require "state.board"
local breath = require "state.breath"
local head = require "state.head"
local index = require "state.index"
local journal = require "state.journal"
local json = require "state.json"
local line = require "state.line"
local memory = require "state.memory"
local record = require "state.record"
local sets = require "state.sets"
local settings = require "settings"
local system = require "state.system"
local v1_names = require "model.v1.name"

local snapshot_file = {}

local FLUSH_BYTES = 256 * 1024

function snapshot_file.path()
  return settings.state_folder .. "/snapshot"
end

-- A fold and a replacement may be under way at the same time: each has a file of its own.
local function temporary_path(purpose)
  return snapshot_file.path() .. "." .. purpose
end

-- Reads as of a fixed version, or of whatever is published at the moment of each single read.
local function reader(version)
  if version then
    return function(name)
      return memory.get(name, version)
    end
  end
  return memory.current
end

local function resource_line(name, it)
  local text = ('{"key":%s,"revision":%.0f,"hash":"%s"'):format(json.encode(name), it.revision, it.hash)
  if it.value ~= "" then
    text = text .. ',"value":' .. it.value
  end
  if it.usable then
    text = text .. ',"usable":' .. it.usable
  end
  if it.reason then
    text = text .. ',"reason":' .. json.encode(it.reason)
  end
  return line.seal("R", text .. "}")
end

local function each_line(get, visit)
  for bucket = 0, index.BUCKETS - 1 do
    for name in sets.each(get("keys/" .. bucket)) do
      local it = record.decode(get(index.record(name)))
      if it then
        visit(resource_line(name, it))
      end
    end
  end
  v1_names.each_list(function(kind, protocol)
    for name in sets.each(get(index.v1_names(kind, protocol))) do
      local value = get(index.v1_record(index.v1_label(kind, protocol, name)))
      if value then
        visit(line.seal("V", v1_names.line(kind, protocol, name, value)))
      end
    end
  end)
end

local function write_all(fd, get, first_journal, now)
  breath.start()
  local parts, bytes, offset, lines = {}, 0, 0, 0
  local problem
  local function flush()
    local fine
    fine, problem = system.write_at(fd, table.concat(parts), offset)
    system.begin_sync(fd, offset, bytes)
    offset, parts, bytes = offset + bytes, {}, 0
    breath.take()
    return fine
  end
  local function add(text)
    parts[#parts + 1] = text
    bytes = bytes + #text
    if bytes >= FLUSH_BYTES and not problem then
      flush()
    end
  end
  add(line.seal("H", ('{"format":1,"journal":%.0f,"store":"%s","epoch":%.0f,"revision":%.0f,"digest":"%s"}')
    :format(first_journal, now.store, now.epoch, now.revision, now.digest)))
  each_line(get, function(text)
    lines = lines + 1
    add(text)
  end)
  add(line.seal("E", ('{"lines":%d}'):format(lines)))
  if problem or not flush() then
    return nil, problem
  end
  local fine
  fine, problem = system.sync_data(fd)
  return fine and offset, problem
end

-- Writes the temporary file: its size, or nil and why not. With no version given others may go on writing meanwhile:
-- values are absolute and all of that is in the journal that is replayed over the file.
function snapshot_file.prepare(purpose, first_journal, version)
  local fd, problem = system.create_empty(temporary_path(purpose))
  if not fd then
    return nil, problem
  end
  local get = reader(version)
  local bytes
  bytes, problem = write_all(fd, get, first_journal, head.of(get))
  system.close(fd)
  if not bytes then
    snapshot_file.discard(purpose)
  end
  return bytes, problem
end

-- Puts the prepared file in place, holding the writer's lock. A third result says that it may be in place all the same.
function snapshot_file.install(purpose, first_journal, bytes)
  local fine, problem = system.rename(temporary_path(purpose), snapshot_file.path())
  if not fine then
    snapshot_file.discard(purpose)
    return nil, problem, false
  end
  fine, problem = system.sync_folder(settings.state_folder)
  if not fine then
    return nil, problem, true
  end
  board.dumps = board.dumps + 1
  board.dump_bytes = bytes
  journal.forget_before(first_journal)
  return true
end

-- All of it, holding the writer's lock: what is staged at version becomes what is on disk.
function snapshot_file.replace(version)
  local fine, problem = journal.rotate()
  if not fine then
    return nil, problem, false
  end
  local bytes
  bytes, problem = snapshot_file.prepare("new", board.journal, version)
  if not bytes then
    return nil, problem, false
  end
  return snapshot_file.install("new", board.journal, bytes)
end

function snapshot_file.discard(purpose)
  system.unlink(temporary_path(purpose))
end

return snapshot_file
