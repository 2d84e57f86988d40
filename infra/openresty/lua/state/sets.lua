-- Sets of names kept as one text each ("\nNAME\nNAME\n"), changed once per batch however many names come and go.
local memory = require "state.memory"

local sets = {}

function sets.each(text)
  return (text or ""):gmatch("[^\n]+")
end

function sets.get(name, version)
  return sets.each(memory.get(name, version))
end

function sets.current(name)
  return sets.each(memory.current(name))
end

local function touched(batch, set)
  batch.sets = batch.sets or {}
  local changes = batch.sets[set]
  if not changes then
    changes = { added = {}, removed = {} }
    batch.sets[set] = changes
  end
  return changes
end

-- The caller knows whether the name is in the set: adding twice would double it.
function sets.add(batch, set, name)
  local changes = touched(batch, set)
  changes.added[name] = true
end

function sets.remove(batch, set, name)
  local changes = touched(batch, set)
  if changes.added[name] then
    changes.added[name] = nil
  else
    changes.removed[name] = true
  end
end

-- Stages what was added and removed. A name removed and added again in one batch was there all along.
function sets.flush(batch)
  for set, changes in pairs(batch.sets or {}) do
    local names = {}
    for name in sets.each(batch:get(set)) do
      if changes.added[name] or not changes.removed[name] then
        changes.added[name] = nil
        names[#names + 1] = name
      end
    end
    for name in pairs(changes.added) do
      names[#names + 1] = name
    end
    batch:set(set, #names > 0 and "\n" .. table.concat(names, "\n") .. "\n" or nil)
    batch:breathe()
  end
  batch.sets = nil
end

return sets
