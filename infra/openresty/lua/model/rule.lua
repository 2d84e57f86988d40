-- Rule/DOMAIN/KIND/NAMESPACE/NAME/NUMBER: which requests go where.
local domain = require "model.domain"
local duration = require "model.duration"
local field = require "model.field"
local filters = require "filter.list"
local key = require "model.key"
local pattern = require "model.pattern"
local target_filters = require "filter.target"

local SCHEMES = { "http", "https", "httptohttps", "httpandhttps" }
local PATH_TYPES = { "exact", "prefix", "start", "regex" }
local VALUE_TYPES = { "exact", "regex" }
local MAX_PATH = 4096
local MAX_MATCHES = 16
local MAX_LISTENERS = 64
local MAX_POOLS = 16
local MAX_WEIGHT = 1000000
local MAX_ATTEMPTS = 5 -- nginx goes to another location ten times at most
local MAX_BACKOFF_SECONDS = 10
local MAX_TIMEOUT_SECONDS = 86400
local RETRIED = { 500, 502, 503, 504 } -- what nginx can try again, as in prepare.ts
local LISTENERS = { "http", "https" }

local function check_path(path)
  if path == nil then
    return nil
  end
  local reason = field.object("matches.path", path)
  if reason then
    return reason
  end
  if path.type == "regex" then
    return pattern.check("matches.path.value", path.value)
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
  local kind = field.default(pair.type, "exact")
  return field.one_of("type", kind, VALUE_TYPES)
    or field.text("name", pair.name, 256)
    or field.text("value", pair.value, 4096)
    or (kind == "regex" and pattern.check("value", pair.value) or nil)
end

local function check_matches(matches)
  return field.object("matches", matches)
    or field.text("matches.method", field.default(matches.method, ""), 32)
    or check_path(field.default(matches.path, nil))
    or field.list("matches.headers", field.default(matches.headers, {}), MAX_MATCHES, check_pair)
    or field.list("matches.query", field.default(matches.query, {}), MAX_MATCHES, check_pair)
end

local function check_code(code)
  return field.one_of("a code", code, RETRIED)
end

local function check_retry(retry)
  if retry == nil then
    return nil
  end
  return field.object("retry", retry)
    or field.integer("retry.attempts", field.default(retry.attempts, 1), 0, MAX_ATTEMPTS)
    or field.list("retry.codes", field.default(retry.codes, {}), #RETRIED, check_code)
    or duration.check("retry.backoff", field.default(retry.backoff, "0s"), MAX_BACKOFF_SECONDS)
end

local function check_timeouts(timeouts)
  return field.object("timeouts", timeouts)
    or duration.check("timeouts.request", field.default(timeouts.request, "0s"), MAX_TIMEOUT_SECONDS)
    or duration.check("timeouts.backendRequest", field.default(timeouts.backendRequest, "0s"), MAX_TIMEOUT_SECONDS)
end

local function check_target(target, rule)
  local reason = field.object("a pool", target)
  if reason then
    return reason
  end
  if not key.is_well_formed(target.pool) or key.kind(target.pool) ~= "Pool" or not key.segments(target.pool) then
    return "pool must be the key of a Pool"
  end
  return field.integer("weight", field.default(target.weight, 1), 0, MAX_WEIGHT)
    or target_filters.check(field.default(target.filters, {}), rule)
end

local function check_listener(listener)
  return field.one_of("a listener", listener, LISTENERS)
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
    or filters.check("filters", field.default(rule.filters, {}), rule)
    or check_timeouts(field.default(rule.timeouts, {}))
    or check_retry(field.default(rule.retry, nil))
    or field.list("pools", rule.pools, MAX_POOLS, function(target)
      return check_target(target, rule)
    end)
end
