-- Why this worker's balancer did not send a request on, and what it had found for it. nginx goes from there to the
-- error page without a pause, so the page finds what was said of its own request; were it to look again, it could see a
-- newer state, in which all is well, and would have nothing to say.
local whose = require "route.whose"

local refusal = {}

local owner, said, met, found

-- status: why there is nobody to send to, or nil; the route that was met; its pool, if there is one.
function refusal.say(status, route, pool)
  owner, said, met, found = whose(), status, route, pool
end

-- The same, once; nothing when the balancer said nothing of this request.
function refusal.take()
  if owner == nil then
    return nil
  end
  local is_own = owner == whose()
  local status, route, pool = said, met, found
  owner, said, met, found = nil, nil, nil, nil
  if is_own then
    return status, route, pool
  end
  return nil
end

return refusal
