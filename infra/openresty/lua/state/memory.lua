-- Names and texts in the shared dictionary, in versions: a batch is staged beside what requests see, then published
-- by one store of board.version, or taken back. Each name has two slots; an entry's flags are the version it came with.
local bit = require "bit"
local board = require "state.board"

local dict = ngx.shared.entrance_state
local tobit = bit.tobit
local SLOTS = { "\1", "\2" }
local GONE = "" -- a staged removal
local YIELD_EVERY = 200
local RESERVE = 16 -- one part in so many

local memory = {}
local Batch = {}
Batch.__index = Batch

-- Versions are compared modulo 2^32, as flags hold no more.
local function is_visible(flags, version)
  return tobit(version - flags) >= 0
end

-- The text that a reader at this version sees, and its slot.
local function get(name, version)
  local first, first_flags = dict:get(name .. SLOTS[1])
  local second, second_flags = dict:get(name .. SLOTS[2])
  first_flags, second_flags = first_flags or 0, second_flags or 0
  local first_counts = first and is_visible(first_flags, version)
  local second_counts = second and is_visible(second_flags, version)
  if first_counts and not (second_counts and tobit(second_flags - first_flags) > 0) then
    return first ~= GONE and first or nil, 1
  end
  if second_counts then
    return second ~= GONE and second or nil, 2
  end
  return nil, nil
end

memory.get = get

-- What is published at this moment. (Between a reader's look at the version and its read, a batch may be published.)
function memory.current(name)
  local text, version
  repeat
    version = board.version
    text = get(name, version)
  until board.version == version
  return text
end

function memory.batch()
  return setmetatable({ version = board.version + 1, staged = {}, count = 0, steps = 0, full = false }, Batch)
end

function Batch:get(name)
  return (get(name, self.version))
end

-- Stages a text, or with nil a removal. When the dictionary is full the batch is marked so, and must be taken back.
function Batch:set(name, text)
  if self.full then
    return
  end
  local slot = self.staged[name]
  if not slot then
    local _, current = get(name, self.version)
    if not current and text == nil then
      return
    end
    slot = current == 1 and 2 or 1
    self.staged[name] = slot
    self.count = self.count + 1
  end
  -- The slot holds nothing that counts. (set() would evict others; safe_set() over an entry loses it on failure.)
  dict:delete(name .. SLOTS[slot])
  local stored = dict:safe_add(name .. SLOTS[slot], text or GONE, 0, tobit(self.version))
  if not stored then
    self.full = true
  end
end

-- Large batches let other requests pass. The lock is still held, and readers see nothing that is staged.
function Batch:breathe()
  self.steps = self.steps + 1
  if self.steps % YIELD_EVERY == 0 and ngx.get_phase() ~= "init" then
    ngx.sleep(0.001)
  end
end

function Batch:rollback()
  for name, slot in pairs(self.staged) do
    dict:delete(name .. SLOTS[slot])
    self:breathe()
  end
end

function Batch:publish()
  board.version = self.version
  for name, slot in pairs(self.staged) do
    dict:delete(name .. SLOTS[3 - slot])
    if dict:get(name .. SLOTS[slot]) == GONE then
      dict:delete(name .. SLOTS[slot])
    end
    self:breathe()
  end
end

-- After a writer died half way: nothing newer than what requests see may stay. Rare, so it may walk through everything.
function memory.discard_unpublished()
  for _, name in ipairs(dict:get_keys(0)) do
    local text, flags = dict:get(name)
    if text and not is_visible(flags or 0, board.version) then
      dict:delete(name)
    end
  end
end

-- Whether less is left than what removals need to go through: what adds is refused first.
function memory.is_short()
  return dict:free_space() < dict:capacity() / RESERVE
end

function memory.free_bytes()
  return dict:free_space(), dict:capacity()
end

return memory
