-- The admin API that Entrance uses. Always with a key.
local answer = require "admin.answer"
local body = require "admin.body"
local caller = require "admin.caller"
local changes = require "state.changes"
local json = require "state.json"
local key = require "model.key"
local snapshot = require "state.snapshot"
local state = require "admin.state"
local readiness = require "state.readiness"
local resource = require "admin.resource"
local writer = require "state.writer"

local RETRY_AFTER = { [503] = "1" }

-- An update's outcome as JSON; lists are put together by hand, as an empty one would become {}.
local function send(outcome)
  local rejected = {}
  for place, it in ipairs(outcome.rejected or {}) do
    rejected[place] = json.encode(it)
  end
  local status, has_list = outcome.status, outcome.rejected ~= nil
  outcome.status, outcome.rejected = nil, nil
  local text = json.encode(outcome)
  if has_list then
    text = text:sub(1, -2) .. ',"rejected":' .. json.list(rejected) .. "}"
  end
  ngx.header["Retry-After"] = RETRY_AFTER[status]
  return answer.send(status, text)
end

local function post_changes()
  local text = body.read(changes.MAX_BYTES)
  if not text then
    return answer.refuse(413, ("the body has more than %d bytes: send a snapshot"):format(changes.MAX_BYTES))
  end
  local it, status, problem = changes.parse(text)
  if not it then
    return answer.refuse(status, problem)
  end
  return send(writer.run(changes.fill(it, text)))
end

local function put_snapshot()
  if body.is_too_large(snapshot.MAX_BYTES) then
    return answer.refuse(413, ("a snapshot has at most %d bytes"):format(snapshot.MAX_BYTES))
  end
  return send(writer.run(snapshot.fill(body.lines())))
end

local function get_state()
  return answer.send(200, state())
end

local function get_resource(name)
  local text = key.is_well_formed(name) and resource(name)
  if not text then
    return answer.refuse(404, "no such resource")
  end
  return answer.send(200, text)
end

-- POST: whoever asks for readiness hears that no requests are wanted; DELETE: that they are again.
local function drain()
  readiness.drain(ngx.req.get_method() == "POST")
  return answer.send(200, ('{"draining":%s}'):format(tostring(readiness.is_draining())))
end

local PATHS = {
  ["/v2/changes"] = { method = "POST", run = post_changes },
  ["/v2/snapshot"] = { method = "PUT", run = put_snapshot },
  ["/v2/state"] = { method = "GET", run = get_state },
  ["/v2/drain"] = { method = "POST, DELETE", run = drain },
}

return function()
  if not caller.has_key() then
    return answer.refuse_stranger()
  end
  if caller.is_browser() then
    return answer.refuse(403, "requests of web pages (with an Origin) are refused")
  end
  local path = ngx.var.request_uri:match("^[^?]*")
  local name = path:match("^/v2/resources/(.+)$")
  local found = name and { method = "GET", run = get_resource } or PATHS[path]
  if not found then
    return answer.refuse(404, "there is nothing at this path")
  end
  if not (", " .. found.method .. ", "):find(", " .. ngx.req.get_method() .. ", ", 1, true) then
    return answer.wrong_method(found.method)
  end
  return found.run(name)
end
