-- GET /metrics, for Prometheus: on the health listener, which needs no key on loopback, and on the admin listener.
local answer = require "admin.answer"
local breath = require "state.breath"
local caller = require "admin.caller"
local of_node = require "metrics.node"
local of_requests = require "metrics.requests"
local settings = require "settings"

local function send()
  breath.start()
  local out = {}
  of_node(out)
  if settings.counts then
    of_requests(out)
  end
  ngx.header["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
  ngx.header["Cache-Control"] = "no-store"
  ngx.print(table.concat(out, "\n"), "\n")
end

-- needs_key: whether this listener is reached by others.
return function(needs_key)
  if needs_key and not caller.has_key() then
    return answer.refuse_stranger()
  elseif caller.is_browser() then
    return answer.refuse(403, "requests of web pages (with an Origin) are refused")
  elseif ngx.req.get_method() ~= "GET" then
    return answer.wrong_method("GET")
  end
  return send()
end
