-- Remembers in all pools of a route that a peer failed. Passive health is each worker's own.
local pool = require "route.pool"
local view = require "route.view"

return function(route, peer, now)
  if not route or not peer then
    return
  end
  for _, name in ipairs(route.pools) do
    pool.set_aside(view.pool(name), peer, now)
  end
end
