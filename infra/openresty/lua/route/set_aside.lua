-- Remembers that a peer failed in those pools of a route that have it.
local pool = require "route.pool"
local view = require "route.view"

return function(route, peer, reason, now)
  if not route or not peer then
    return
  end
  for _, name in ipairs(route.pools) do
    pool.failed(view.pool(name), peer, reason, now)
  end
end
