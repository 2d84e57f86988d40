-- Pools that wait for nginx to read who signs for their members, for /v2/state: as this worker sees it.
local ca_of = require "authorities.pool"
local identity = require "authorities.identity"
local index = require "state.index"
local json = require "state.json"
local loaded = require "authorities.loaded"
local marked_pools = require "state.marked_pools"

local MOST_LISTED = 100
local REASON = ("nginx does not know yet who signs for its members; a node takes at most %d different ca"):format(
  loaded.MOST)

return function()
  local listed = {}
  marked_pools.each(index.OWN_AUTHORITIES, function(name)
    local ca = #listed < MOST_LISTED and ca_of(name)
    if ca and not loaded.has((identity(ca))) then
      listed[#listed + 1] = json.encode { pool = name, reason = REASON }
    end
  end)
  return json.list(listed)
end
