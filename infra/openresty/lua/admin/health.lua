-- Without a key: whether the process lives, and whether a complete state serves.
local answer = require "admin.answer"
local head = require "state.head"
local json = require "state.json"

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
  local now = head.current()
  if head.is_ready(now) then
    return answer.send(200, '{"ready":true}')
  end
  local reason = now.problem ~= "" and now.problem or "nothing was sent to this node yet"
  return answer.send(503, ('{"ready":false,"reason":%s}'):format(json.encode(reason)))
end

return health
