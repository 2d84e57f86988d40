-- The admin API of lb-openresty, for an existing Rainbond: success is always 205. Without a key on loopback, and on a
-- listener of its own for the networks that may use it.
local answer = require "admin.answer"
local body = require "admin.body"
local caller = require "admin.caller"
local json = require "state.json"
local names = require "model.v1.name"
local unread = require "route.body"
local v1 = require "state.v1"
local writer = require "state.writer"

local MAX_BYTES = 1024 * 1024
local UNUSABLE, FAILED = 405, 555

local function succeed()
  return answer.send(205, '{"status":205,"message":"success"}')
end

local function fail(status, message)
  unread.drop()
  return answer.send(status, json.encode { status = status, message = message })
end

local function run(fill)
  local outcome = writer.run(fill)
  if outcome.status == 205 then
    return succeed()
  end
  return fail(FAILED, outcome.message)
end

local function put(kind, protocol, name, request)
  local text, problem = v1.parse(kind, protocol, name, request)
  if not text then
    return fail(UNUSABLE, problem)
  end
  return run(v1.fill { kind = kind, protocol = protocol, name = v1.canonical(kind, name), value = text })
end

local function remove(kind, protocol, name)
  return run(v1.fill { kind = kind, protocol = protocol, name = v1.canonical(kind, name) })
end

local function list(kind, protocol, name, asked)
  local items = {}
  local only = name and v1.canonical(kind, name)
  for known in v1.names(kind, protocol) do
    if not only or known == only then
      items[#items + 1] = json.encode(known)
    end
  end
  table.sort(items)
  return answer.send(205, ('{"protocol":"%s","items":%s}'):format(asked, json.list(items)))
end

local function is_filled(value)
  return type(value) == "string" and value ~= ""
end

-- A body is optional for GET and DELETE; it says the protocol.
local function handle(method, kind, name)
  local text = body.read(MAX_BYTES)
  if not text then
    return fail(413, ("a body has at most %d bytes"):format(MAX_BYTES))
  end
  local request = json.decode(text)
  if text == "" and (method == "GET" or method == "DELETE") then
    request = {}
  end
  if type(request) ~= "table" then
    return fail(UNUSABLE, "the body must be a JSON object")
  end
  local asked = is_filled(request.protocol) and request.protocol or "http"
  local protocol = names.protocol(kind, asked)
  if not protocol then
    return fail(UNUSABLE, "protocol must be http, https, tcp or udp")
  elseif method == "GET" then
    return list(kind, protocol, name, asked)
  elseif method == "DELETE" then
    return remove(kind, protocol, name)
  end
  return put(kind, protocol, name, request)
end

local NEEDS_NAME = { POST = true, UPDATE = true, DELETE = true }

-- is_open: whether nobody has to show a key here.
return function(is_open)
  if not is_open and not caller.has_key() then
    return answer.refuse(401, "v1 without a key is served on loopback only")
  end
  if caller.is_browser() then
    return answer.refuse(403, "requests of web pages (with an Origin) are refused")
  end
  local method = ngx.req.get_method()
  local kind, name = ngx.var.request_uri:match("^/v1/(%a+)/?([^/?]*)$")
  if kind ~= "upstreams" and kind ~= "servers" then
    return answer.refuse(404, "there is nothing at this path")
  end
  name = name ~= "" and name or nil
  if name and not names.is_usable(name) then
    return fail(UNUSABLE, "a name consists of letters, digits, - _ . and @")
  end
  if method ~= "GET" and not NEEDS_NAME[method] or not name and NEEDS_NAME[method] then
    return answer.wrong_method(name and "GET, POST, UPDATE, DELETE" or "GET")
  end
  return handle(method, kind, name)
end
