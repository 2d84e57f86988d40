-- Sets of names kept as one text each ("\nNAME\nNAME\n"), changed once per batch however many names come and go.
local breath = require "state.breath"
local memory = require "state.memory"

local sets = {}

local MAX_PENDING = 10000 -- sets; each takes a table

function sets.each(text)
  return (text or ""):gmatch("[^\n]+")
end

function sets.get(name, version)
  return sets.each(memory.get(name, version))
end

function sets.current(name)
  return sets.each(memory.current(name))
end

-- name: true where it comes, false where it goes.
local function changes_of(batch, set)
  local changes = batch.sets and batch.sets[set]
  if not changes then
    if (batch.set_count or 0) >= MAX_PENDING then
      sets.flush(batch)
    end
    changes = {}
    batch.sets, batch.set_count = batch.sets or {}, (batch.set_count or 0) + 1
    batch.sets[set] = changes
  end
  return changes
end

-- The caller knows whether the name is in the set. What goes and comes in one batch was there all along.
function sets.add(batch, set, name)
  local changes = changes_of(batch, set)
  if changes[name] == false then
    changes[name] = nil
  else
    changes[name] = true
  end
end

function sets.remove(batch, set, name)
  local changes = changes_of(batch, set)
  if changes[name] then
    changes[name] = nil
  else
    changes[name] = false
  end
end

local function join(before, changes)
  local name = not before and next(changes)
  if name and changes[name] and not next(changes, name) then
    return "\n" .. name .. "\n" -- the first of a set, as most are
  end
  local names, count = {}, 0
  for kept in sets.each(before) do
    if changes[kept] ~= false then
      changes[kept] = nil
      count = count + 1
      names[count] = kept
    end
  end
  for added, comes in pairs(changes) do
    if comes then
      count = count + 1
      names[count] = added
    end
  end
  return count > 0 and "\n" .. table.concat(names, "\n") .. "\n" or nil
end

-- Stages what was added and removed.
function sets.flush(batch)
  for set, changes in pairs(batch.sets or {}) do
    if next(changes) then
      batch:set(set, join(batch:get(set), changes))
    end
    breath.take()
  end
  batch.sets, batch.set_count = nil, 0
end

return sets
