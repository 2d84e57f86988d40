-- Without a key: whether the process lives, and whether a complete state serves.
local answer = require "admin.answer"
local json = require "state.json"
local readiness = require "state.readiness"

local health = {}

-- GET only, or HEAD.
local function is_read()
  local method = ngx.req.get_method()
  return method == "GET" or method == "HEAD"
end

function health.health()
  if not is_read() then
    return answer.wrong_method("GET")
  end
  return answer.send(200, '{"status":"ok"}')
end

-- As lb-openresty answers, for Rainbond's polling.
function health.v1()
  if not is_read() then
    return answer.wrong_method("GET")
  end
  return answer.send(205, '{"status":205,"message":"success"}')
end

function health.ready()
  if not is_read() then
    return answer.wrong_method("GET")
  end
  local reason = readiness.problem()
  if not reason then
    return answer.send(200, '{"ready":true}')
  end
  return answer.send(503, ('{"ready":false,"reason":%s}'):format(json.encode(reason)))
end

return health
