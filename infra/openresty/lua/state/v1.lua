-- What v1 made: upstreams and servers, a source of its own beside v2's resources.
local apply = require "state.apply"
local domain = require "model.domain"
local field = require "model.field"
local index = require "state.index"
local journal = require "state.journal"
local json = require "state.json"
local memory = require "state.memory"
local name_of = require "model.v1.name"
local parse_server = require "model.v1.server"
local parse_upstream = require "model.v1.upstream"
local sets = require "state.sets"

local v1 = {}

function v1.canonical(kind, name)
  return kind == "upstreams" and name_of.without_suffix(name) or name
end

-- The text to keep for a body, or nil and what to change.
function v1.parse(kind, protocol, name, body)
  if not field.is_absent(body.name) and body.name ~= "" and body.name ~= name then
    return nil, "name must be the one in the path"
  end
  if kind == "upstreams" then
    return parse_upstream(body)
  end
  return parse_server(protocol, body)
end

-- The hosts that lead to an item: a server's domain, an upstream's full name.
local function hosts_of(item, text)
  if not text or item.protocol == "tcp" or item.protocol == "udp" then
    return {}
  end
  if item.kind == "servers" then
    return { [json.decode(text).domain] = true }
  end
  local host = name_of.with_suffix(item.name)
  return domain.is_name(host) and { [host] = true } or {}
end

-- item: {kind: upstreams or servers, protocol, name, value: text to put, or nil to remove}.
local function stage(batch, item)
  local before = batch:get(index.v1_record(index.v1_label(item.kind, item.protocol, item.name)))
  apply.v1(batch, item, hosts_of(item, before), hosts_of(item, item.value))
end

-- The writer's fill.
function v1.fill(item)
  return function(batch)
    stage(batch, item)
    return { status = 205 }, function()
      return journal.append("V", name_of.line(item.kind, item.protocol, item.name, item.value))
    end
  end
end

-- Before protocols were kept apart all was http, and a server had no scheme.
local function of_the_form_before(kind, value)
  if kind == "upstreams" or not value then
    return value
  end
  local server = json.decode(value)
  server.scheme = "http"
  return json.encode(server)
end

function v1.load(batch, text)
  local members = assert(json.members(text))
  local item = { kind = json.decode(members.kind), name = json.decode(members.name), protocol = "http" }
  item.value = members.value ~= "null" and members.value or nil
  if members.protocol then
    item.protocol = json.decode(members.protocol)
  else
    item.value = of_the_form_before(item.kind, item.value)
  end
  stage(batch, item)
end

-- Every name of this kind and protocol, as of a version or, without one, as published now.
function v1.names(kind, protocol, version)
  local names = index.v1_names(kind, protocol)
  return version and sets.get(names, version) or sets.current(names)
end

-- A record as a table, or nil: {members} of an upstream; of a server {domain, path, upstream, scheme, chain, key} or
-- {port, protocol, upstream}.
function v1.read(label, version)
  local name = index.v1_record(label)
  local text = version and memory.get(name, version) or not version and memory.current(name)
  return text and json.decode(text) or nil
end

-- Each server of a port, tcp's and udp's: {name, port, protocol, upstream: the pool's name}.
function v1.port_servers(version)
  local found = {}
  for _, protocol in ipairs { "tcp", "udp" } do
    for name in v1.names("servers", protocol, version) do
      local it = v1.read(index.v1_label("servers", protocol, name), version)
      if it then
        found[#found + 1] = {
          name = name, port = it.port, protocol = protocol, pool = index.v1_label("upstreams", protocol, it.upstream),
        }
      end
    end
  end
  return found
end

-- What leads from a host to something: {label, kind, path, scheme, pool, chain, key} each.
function v1.of_host(host, version)
  local found = {}
  for label in sets.get(index.v1_of(host), version) do
    local kind, name = label:match("^(%a+)/%a+/(.+)$")
    if kind == "upstreams" then
      found[#found + 1] = { label = label, kind = kind, name = name, path = "/", scheme = "http", pool = label }
    else
      local it = v1.read(label, version)
      if it then
        it.label, it.kind, it.name = label, kind, name
        it.pool = index.v1_label("upstreams", "http", it.upstream)
        found[#found + 1] = it
      end
    end
  end
  return found
end

return v1
