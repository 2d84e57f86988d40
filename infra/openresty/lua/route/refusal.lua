-- Why this worker's balancer had nobody to send a request to. nginx goes from there to the error page without a pause,
-- so the page finds what was said of its own request; were it to look again, it could see a newer state, in which all
-- is well, and would have nothing to say.
local refusal = {}

local said

function refusal.say(status)
  said = status
end

-- The status, once; nil when the balancer said nothing.
function refusal.take()
  local status = said
  said = nil
  return status
end

return refusal
