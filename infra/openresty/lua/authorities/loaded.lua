-- Whose signatures this worker's nginx can check: it read their certificates when it took its configuration.
local folder = require "generated.folder"
local settings = require "settings"

local loaded = {}

loaded.LIST = "authorities"
loaded.SYSTEM = "system"
loaded.MOST = 64 -- different ones of pools: each takes two locations of each listener

local known = {}

-- By each worker, of its own generation: old ones go on with what they have.
function loaded.began()
  local generation = tonumber(os.getenv("ENTRANCE_GENERATION")) or 0
  known = { [loaded.SYSTEM] = settings.has_authorities }
  for hash in (folder.read(generation, loaded.LIST) or ""):gmatch("%x+") do
    known[hash] = true
  end
end

function loaded.has(name)
  return known[name] == true
end

return loaded
