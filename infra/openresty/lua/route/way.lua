-- The way of one request that is not plain: what was met, and what is left to try. Lives in ngx.ctx, which neither an
-- error page nor ngx.exec keeps: they hand it over, without a pause between giving and taking.
local rich_of = require "route.rich"
local whose = require "route.whose"

local way = {}

local NOTHING = rich_of.NOTHING

local owner, handed

-- tried: how many tries the fast way had.
function way.new(route, pool, tried)
  local special = pool and pool.special
  local rich = route.rich or special and NOTHING
  return { pool_name = pool and pool.name, special = special, rich = rich, tried = tried, sent_on = false }
end

function way.hand_over(it)
  owner, handed = whose(), it
end

-- What was handed over for this request, once.
function way.take()
  local it = handed
  local is_own = it and owner == whose()
  owner, handed = nil, nil
  return is_own and it or nil
end

return way
