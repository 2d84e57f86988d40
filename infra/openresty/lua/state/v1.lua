-- What v1 made: upstreams and servers of protocol http, a source of its own beside v2's resources.
local apply = require "state.apply"
local field = require "model.field"
local domain = require "model.domain"
local index = require "state.index"
local journal = require "state.journal"
local json = require "state.json"
local settings = require "settings"
local system = require "state.system"

local v1 = {}

local MAX_SERVERS = 1000
local MAX_WEIGHT = 1000000
local STATES = { active = "active", draining = "draining", disabled = "disabled" }
local LATER = " is not served until the next version of the node"

-- An upstream is known under its name and under its name with the suffix; kept without.
local function without_suffix(name)
  local tail = "." .. settings.suffix
  if settings.suffix ~= "" and #name > #tail and name:sub(-#tail) == tail then
    return name:sub(1, -#tail - 1)
  end
  return name
end

function v1.is_name(name)
  return #name <= 253 and name:find("^[-_%w.@]+$") ~= nil
end

function v1.canonical(kind, name)
  return kind == "upstreams" and without_suffix(name) or name
end

-- "10.1.2.3:8080 weight=5", "[::1]:8080"
local function parse_address(text)
  local address, port, rest = text:match("^%[([^%]]+)%]:(%d+)%s*(.-)%s*$")
  if not address then
    address, port, rest = text:match("^([^:%s]+):(%d+)%s*(.-)%s*$")
  end
  port = tonumber(port)
  if not address or not system.is_address(address) or port < 1 or port > 65535 then
    return nil, "addr must be IP:PORT"
  end
  local weight = rest:match("^weight=(%d+)$")
  if rest ~= "" and not weight then
    return nil, "addr may be followed by weight=N only"
  end
  return { address = address, port = port, weight = tonumber(weight) }
end

local function parse_member(server)
  if type(server) ~= "table" or type(server.addr) ~= "string" then
    return nil, "each server must be an object with an addr"
  end
  local member, problem = parse_address(server.addr)
  if not member then
    return nil, problem
  end
  member.weight = member.weight or field.default(server.weight, 1)
  member.state = STATES[tostring(field.default(server.state, "active")):lower()]
  member.ready = true
  problem = field.integer("weight", member.weight, 0, MAX_WEIGHT)
    or not member.state and "state must be Active, Draining or Disabled"
  if problem then
    return nil, problem
  end
  return json.encode(member)
end

local function parse_upstream(body)
  local problem = field.list("servers", body.servers, MAX_SERVERS)
  if problem then
    return nil, problem
  end
  local members = {}
  for place, server in ipairs(body.servers) do
    members[place], problem = parse_member(server)
    if problem then
      return nil, problem
    end
  end
  return '{"members":' .. json.list(members) .. "}"
end

local function is_filled(value)
  return not field.is_absent(value) and value ~= ""
end

-- Rainbond sends booleans as texts, too.
local function is_truth(value)
  return field.is_absent(value) or type(value) == "boolean" or value == "true" or value == "false"
end

local function parse_server(body)
  if is_filled(body.cert) or is_filled(body.key) then
    return nil, "a certificate" .. LATER
  end
  local host = type(body.domain) == "string" and body.domain:lower() or ""
  if not domain.is_name(host) then
    return nil, "domain must be a DNS name, *.NAME or *"
  end
  if not is_truth(body.toHTTPS) then
    return nil, "toHTTPS must be true or false"
  end
  local path = is_filled(body.path) and body.path or "/"
  local problem = field.text("path", path, 1024)
    or field.integer("port", tonumber(field.default(body.port, 80)), 1, 65535)
    or field.text("upstream", body.upstream, 253)
  if problem then
    return nil, problem
  end
  if path:sub(1, 1) ~= "/" or not v1.is_name(body.upstream) then
    return nil, "path must begin with / and upstream must be the name of an upstream"
  end
  return json.encode { domain = host, path = path, upstream = without_suffix(body.upstream) }
end

-- The text to keep for a body, or nil and what to change.
function v1.parse(kind, name, body)
  if type(body) ~= "table" then
    return nil, "the body must be a JSON object"
  end
  if is_filled(body.name) and body.name ~= name then
    return nil, "name must be the one in the path"
  end
  local protocol = is_filled(body.protocol) and body.protocol or "http"
  if protocol ~= "http" then
    return nil, "protocol " .. tostring(protocol) .. LATER
  end
  if kind == "upstreams" then
    return parse_upstream(body)
  end
  return parse_server(body)
end

-- The hosts that lead to an item: a server's domain, an upstream's full name.
local function hosts_of(kind, name, text)
  if not text then
    return {}
  end
  if kind == "servers" then
    return { [json.decode(text).domain] = true }
  end
  local host = (settings.suffix == "" and name or name .. "." .. settings.suffix):lower()
  return domain.is_name(host) and { [host] = true } or {}
end

local function stage(batch, kind, name, text)
  local before = hosts_of(kind, name, batch:get(index.v1_record(kind, name)))
  apply.v1(batch, { kind = kind, name = name, value = text }, before, hosts_of(kind, name, text))
end

-- The writer's fill: puts an item, or with no text removes it.
function v1.fill(kind, name, text)
  return function(batch)
    stage(batch, kind, name, text)
    return { status = 205 }, function()
      local body = ('{"kind":"%s","name":"%s","value":%s}'):format(kind, name, text or "null")
      return journal.append("V", body)
    end
  end
end

function v1.load(batch, text)
  local members = assert(json.members(text))
  local value = members.value ~= "null" and members.value or nil
  stage(batch, json.decode(members.kind), json.decode(members.name), value)
end

return v1
