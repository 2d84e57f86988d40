-- Rule/DOMAIN/KIND/NAMESPACE/NAME/NUMBER: which requests go where.
local domain = require "model.domain"
local field = require "model.field"
local key = require "model.key"

local SCHEMES = { "http", "https", "httptohttps", "httpandhttps" }
local PATH_TYPES = { "exact", "prefix", "start" }
local MAX_PATH = 4096
local MAX_MATCHES = 16
local MAX_POOLS = 64
local MAX_WEIGHT = 1000000
local LATER = " is not understood until the next version of the node"

local function check_path(path)
  if field.is_absent(path) then
    return true
  end
  if not field.is_object(path) then
    return nil, "matches.path must be an object"
  end
  if path.type == "regex" then
    return nil, "matches.path.type regex" .. LATER
  end
  local fine, reason = field.all(
    field.one_of, { "matches.path.type", path.type, PATH_TYPES },
    field.text, { "matches.path.value", path.value, MAX_PATH }
  )
  if fine and path.value:sub(1, 1) ~= "/" then
    return nil, "matches.path.value must begin with /"
  end
  return fine, reason
end

local function check_pairs(name, list)
  if field.is_absent(list) then
    return true
  end
  local fine, reason = field.list(name, list, MAX_MATCHES)
  for index, match in ipairs(fine and list or {}) do
    local where = ("%s[%d]"):format(name, index - 1)
    if not field.is_object(match) then
      return nil, where .. " must be an object"
    end
    if not field.is_absent(match.type) and match.type ~= "exact" then
      return nil, where .. ".type " .. tostring(match.type) .. LATER
    end
    fine, reason = field.all(
      field.text, { where .. ".name", match.name, 256 },
      field.text, { where .. ".value", match.value, 4096 }
    )
    if not fine then
      break
    end
  end
  return fine, reason
end

local function check_filters(name, filters)
  if field.is_absent(filters) then
    return true
  end
  local fine, reason = field.list(name, filters, MAX_MATCHES)
  if fine and filters[1] then
    local kind = type(filters[1]) == "table" and filters[1].type
    return nil, ("%s: filter %s"):format(name, type(kind) == "string" and kind or "of no type") .. LATER
  end
  return fine, reason
end

local function check_pools(pools)
  local fine, reason = field.list("pools", pools, MAX_POOLS)
  for index, target in ipairs(fine and pools or {}) do
    local where = ("pools[%d]"):format(index - 1)
    if not field.is_object(target) then
      return nil, where .. " must be an object"
    end
    if not key.is_well_formed(target.pool) or key.kind(target.pool) ~= "Pool" or not key.segments(target.pool) then
      return nil, where .. ".pool must be the key of a Pool"
    end
    local weight = field.is_absent(target.weight) and 1 or target.weight
    fine, reason = field.integer(where .. ".weight", weight, 0, MAX_WEIGHT)
    if fine then
      fine, reason = check_filters(where .. ".filters", target.filters)
    end
    if not fine then
      break
    end
  end
  return fine, reason
end

local function check_listeners(listeners)
  if field.is_absent(listeners) then
    return true
  end
  local fine, reason = field.list("listeners", listeners, MAX_MATCHES)
  for _, listener in ipairs(fine and listeners or {}) do
    if listener ~= "http" and listener ~= "https" then
      return nil, "listeners: " .. tostring(listener) .. LATER
    end
  end
  return fine, reason
end

local function check_owner(owner, segments)
  if not field.is_object(owner) then
    return nil, "owner must be an object"
  end
  local fine, reason = field.all(
    field.text, { "owner.kind", owner.kind, 253 },
    field.text, { "owner.namespace", owner.namespace, 253 },
    field.text, { "owner.name", owner.name, 253 },
    field.text, { "owner.created", owner.created, 64 }
  )
  if not fine then
    return nil, reason
  end
  if owner.kind ~= segments[2] or owner.namespace ~= segments[3] or owner.name ~= segments[4] then
    return nil, "owner must be the one that the key names"
  end
  return true
end

local function check_matches(matches)
  if field.is_absent(matches) then
    return true
  end
  if not field.is_object(matches) then
    return nil, "matches must be an object"
  end
  local method = field.is_absent(matches.method) and "" or matches.method
  local fine, reason = field.text("matches.method", method, 32)
  if fine then
    fine, reason = check_path(matches.path)
  end
  if fine then
    fine, reason = check_pairs("matches.headers", matches.headers)
  end
  if fine then
    fine, reason = check_pairs("matches.query", matches.query)
  end
  return fine, reason
end

return function(rule, segments)
  if not domain.is_name(rule.domain) then
    return nil, "domain must be a DNS name in lower case, *.NAME or *"
  end
  if rule.domain ~= segments[1] then
    return nil, "domain must be the one that the key names"
  end
  if not segments[5]:find("^%d+$") then
    return nil, "the last segment of a rule's key must be a number"
  end
  local fine, reason = field.one_of("scheme", field.is_absent(rule.scheme) and "http" or rule.scheme, SCHEMES)
  if fine then
    fine, reason = check_owner(rule.owner, segments)
  end
  if fine then
    fine, reason = check_listeners(rule.listeners)
  end
  if fine then
    fine, reason = check_matches(rule.matches)
  end
  if fine then
    fine, reason = check_filters("filters", rule.filters)
  end
  if fine then
    fine, reason = check_pools(rule.pools)
  end
  return fine, reason
end
