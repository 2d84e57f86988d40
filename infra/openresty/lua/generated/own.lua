-- Which generation this worker runs: the configuration says so itself, and no file, which may be newer.
local progress = require "generated.progress"

local own = { generation = 0 }

function own.begin()
  own.generation = tonumber(os.getenv("ENTRANCE_GENERATION")) or 0
end

-- False in a worker that is about to be told to go, or was.
function own.is_newest()
  return own.generation >= progress.running
end

return own
