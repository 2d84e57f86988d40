-- Rule/DOMAIN/KIND/NAMESPACE/NAME/NUMBER: which requests go where.
local domain = require "model.domain"
local field = require "model.field"
local key = require "model.key"

local SCHEMES = { "http", "https", "httptohttps", "httpandhttps" }
local PATH_TYPES = { "exact", "prefix", "start" }
local MAX_PATH = 4096
local MAX_MATCHES = 16
local MAX_LISTENERS = 64
local MAX_POOLS = 16
local MAX_WEIGHT = 1000000
local LATER = " is not understood until the next version of the node"

local function check_path(path)
  if path == nil then
    return nil
  end
  local reason = field.object("matches.path", path)
  if reason then
    return reason
  end
  if path.type == "regex" then
    return "matches.path.type regex" .. LATER
  end
  reason = field.one_of("matches.path.type", path.type, PATH_TYPES)
    or field.text("matches.path.value", path.value, MAX_PATH)
  if not reason and path.value:sub(1, 1) ~= "/" then
    return "matches.path.value must begin with /"
  end
  return reason
end

-- A header or a query parameter.
local function check_pair(pair)
  local reason = field.object("a match", pair)
  if reason then
    return reason
  end
  if field.default(pair.type, "exact") ~= "exact" then
    return "type " .. tostring(pair.type) .. LATER
  end
  return field.text("name", pair.name, 256) or field.text("value", pair.value, 4096)
end

local function check_matches(matches)
  return field.object("matches", matches)
    or field.text("matches.method", field.default(matches.method, ""), 32)
    or check_path(field.default(matches.path, nil))
    or field.list("matches.headers", field.default(matches.headers, {}), MAX_MATCHES, check_pair)
    or field.list("matches.query", field.default(matches.query, {}), MAX_MATCHES, check_pair)
end

local function check_filter(filter)
  local kind = type(filter) == "table" and filter.type
  return "filter " .. (type(kind) == "string" and kind or "of no type") .. LATER
end

local function check_filters(filters)
  return field.list("filters", field.default(filters, {}), MAX_MATCHES, check_filter)
end

local function check_target(target)
  local reason = field.object("a pool", target)
  if reason then
    return reason
  end
  if not key.is_well_formed(target.pool) or key.kind(target.pool) ~= "Pool" or not key.segments(target.pool) then
    return "pool must be the key of a Pool"
  end
  return field.integer("weight", field.default(target.weight, 1), 0, MAX_WEIGHT) or check_filters(target.filters)
end

local function check_listener(listener)
  if listener ~= "http" and listener ~= "https" then
    return "listener " .. tostring(listener) .. LATER
  end
  return nil
end

local function check_owner(owner, segments)
  local reason = field.object("owner", owner)
    or field.text("owner.kind", owner.kind, 253)
    or field.text("owner.namespace", owner.namespace, 253)
    or field.text("owner.name", owner.name, 253)
    or field.text("owner.created", owner.created, 64)
  if reason then
    return reason
  end
  if owner.kind ~= segments[2] or owner.namespace ~= segments[3] or owner.name ~= segments[4] then
    return "owner must be the one that the key names"
  end
  return nil
end

local function check_domain(name, segments)
  if not domain.is_name(name) then
    return "domain must be a DNS name in lower case, *.NAME or *"
  end
  if name ~= segments[1] then
    return "domain must be the one that the key names"
  end
  if not segments[5]:find("^%d+$") then
    return "the last segment of a rule's key must be a number"
  end
  return nil
end

return function(rule, segments)
  return check_domain(rule.domain, segments)
    or field.one_of("scheme", field.default(rule.scheme, "http"), SCHEMES)
    or check_owner(rule.owner, segments)
    or field.list("listeners", field.default(rule.listeners, {}), MAX_LISTENERS, check_listener)
    or check_matches(field.default(rule.matches, {}))
    or check_filters(rule.filters)
    or field.list("pools", rule.pools, MAX_POOLS, check_target)
end
