-- Names and texts in the shared dictionary, in versions: a batch is staged beside what requests see, then published
-- by one store of board.version, or taken back. Each name has two slots; an entry's flags are the version it came with.
local bit = require "bit"
local board = require "state.board"
local breath = require "state.breath"

local dict = ngx.shared.entrance_state
local tobit = bit.tobit
local GONE = "" -- a staged removal
local LARGE = 5000 -- names
local RESERVE = 16 -- one part in so many

local memory = {}
local Batch, First = {}, {}
Batch.__index, First.__index = Batch, First

-- Versions are compared modulo 2^32, as flags hold no more.
local function is_visible(flags, version)
  return tobit(version - flags) >= 0
end

-- Where a slot is. The first has the name as it is: the fewer texts are made, the faster is a batch.
local function at(name, slot)
  return slot == 1 and name or name .. "\2"
end

-- The text that a reader at this version sees, its slot, and whether the other slot holds anything.
local function get(name, version)
  local first, first_flags = dict:get(name)
  local second, second_flags = dict:get(at(name, 2))
  first_flags, second_flags = first_flags or 0, second_flags or 0
  local first_counts = first and is_visible(first_flags, version)
  local second_counts = second and is_visible(second_flags, version)
  if first_counts and not (second_counts and tobit(second_flags - first_flags) > 0) then
    return first ~= GONE and first or nil, 1, second ~= nil
  end
  if second_counts then
    return second ~= GONE and second or nil, 2, first ~= nil
  end
  return nil, nil, first ~= nil or second ~= nil
end

function memory.get(name, version)
  return (get(name, version))
end

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
  breath.start()
  return setmetatable({ version = board.version + 1, staged = {}, count = 0, outdated = {}, full = false }, Batch)
end

-- What was found about the name read last is remembered: mostly that one is set next.
function Batch:get(name)
  local text, slot, other_is_used = get(name, self.version)
  self.name, self.slot, self.other_is_used = name, slot, other_is_used
  return text
end

function Batch:has_staged(name)
  return self.staged[name] ~= nil
end

-- The slot to stage a name in, and whether it holds anything; nil to remove what is not there.
local function choose_slot(batch, name, text)
  local slot = batch.staged[name]
  if slot then
    return slot, true
  end
  if batch.name ~= name then
    batch:get(name)
  end
  if not batch.slot and text == nil then
    return nil
  end
  slot = batch.slot == 1 and 2 or 1
  batch.staged[name] = slot
  batch.count = batch.count + 1
  if batch.slot or batch.other_is_used then
    batch.outdated[name] = true
  end
  return slot, batch.other_is_used
end

-- Stages a text, or with nil a removal. When the dictionary is full the batch is marked so, and must be taken back.
function Batch:set(name, text)
  if self.full then
    return
  end
  local slot, is_used = choose_slot(self, name, text)
  if not slot then
    return
  end
  local key = at(name, slot)
  if is_used then
    dict:delete(key) -- set() would evict others; safe_set() over an entry loses it on failure
  end
  if text == nil then
    self.outdated[name] = GONE
  elseif self.outdated[name] then
    self.outdated[name] = true
  end
  if not dict:safe_add(key, text or GONE, 0, tobit(self.version)) then
    self.full = true
  end
end

-- What there is at start, before any version: nothing is visible yet, and nothing has to be taken back.
function First.get(_, name)
  return (dict:get(name))
end

function First:set(name, text)
  local stored, problem = true, nil
  if text then
    stored, problem = dict:safe_add(name, text, 0, self.version)
  end
  if not text or problem == "exists" then
    dict:delete(name)
    stored = not text or dict:safe_add(name, text, 0, self.version)
  end
  self.full = self.full or not stored
end

function First:publish()
  board.version = self.version
end

function memory.first_batch()
  return setmetatable({ version = 1, full = false }, First)
end

function Batch:is_large()
  return self.count > LARGE
end

function Batch:rollback()
  for name, slot in pairs(self.staged) do
    dict:delete(at(name, slot))
    breath.take()
  end
end

function Batch:publish()
  board.version = self.version
  for name, what in pairs(self.outdated) do
    local slot = self.staged[name]
    dict:delete(at(name, 3 - slot))
    if what == GONE then
      dict:delete(at(name, slot))
    end
    breath.take()
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
