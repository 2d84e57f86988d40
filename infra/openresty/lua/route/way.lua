-- The way of one request that is not plain: what was met, and what is left to try. Lives in ngx.ctx, which neither an
-- error page nor ngx.exec keeps: they hand it over, without a pause between giving and taking.
local way = {}

local handed

-- tried: how many tries the fast way had.
function way.new(route, pool, tried)
  return { route = route, pool_name = pool and pool.name, rich = route.rich, tried = tried, sent_on = false }
end

function way.hand_over(it)
  handed = it
end

function way.take()
  local it = handed
  handed = nil
  return it
end

return way
