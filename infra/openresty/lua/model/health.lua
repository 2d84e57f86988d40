-- How it is known whether a member of a pool can serve: health {active {type, path, host, interval, timeout, healthy,
-- unhealthy, statuses}, passive {failures, for}}.
local domain = require "model.domain"
local duration = require "model.duration"
local field = require "model.field"

local health = {}

local TYPES = { "http", "grpc", "tcp" }
local MIN_SECONDS, MAX_SECONDS, MAX_TIMEOUT_SECONDS = 0.1, 3600, 60
local MAX_ANSWERS, MAX_FAILURES = 100, 1000
local MAX_STATUSES = 16
local MAX_PATH = 1024
local STATUSES_MESSAGE = "health.active.statuses must be statuses and ranges of them from 100 to 599, "
  .. "at most " .. MAX_STATUSES .. ", such as 200-399,401"

local function range_of(text)
  local low, high = text:match("^([1-5]%d%d)%-([1-5]%d%d)$")
  low = low or text:match("^[1-5]%d%d$")
  return tonumber(low), tonumber(high or low)
end

-- "200-399,401" as a list of {low, high}; nil when it is not of that form.
function health.statuses(text)
  local ranges = {}
  for part in (text .. ","):gmatch("([^,]*),") do
    local low, high = range_of(part)
    if not low or low > high or #ranges == MAX_STATUSES then
      return nil
    end
    ranges[#ranges + 1] = { low, high }
  end
  return ranges
end

local function check_path(path)
  if type(path) ~= "string" or #path > MAX_PATH or not path:find("^/[\33-\126]*$") then
    return "health.active.path must begin with / and have at most 1024 visible characters of ASCII"
  end
  return nil
end

local function check_host(host)
  if host and (not domain.is_name(host) or host:find("*", 1, true)) then
    return "health.active.host must be a host name in lower case"
  end
  return nil
end

local function check_statuses(text)
  if type(text) ~= "string" or not health.statuses(text) then
    return STATUSES_MESSAGE
  end
  return nil
end

local function check_active(it)
  return field.object("health.active", it)
    or field.one_of("health.active.type", it.type, TYPES)
    or check_path(field.default(it.path, "/"))
    or check_host(field.default(it.host, nil))
    or duration.check("health.active.interval", field.default(it.interval, "5s"), MAX_SECONDS, MIN_SECONDS)
    or duration.check("health.active.timeout", field.default(it.timeout, "2s"), MAX_TIMEOUT_SECONDS, MIN_SECONDS)
    or field.integer("health.active.healthy", field.default(it.healthy, 2), 1, MAX_ANSWERS)
    or field.integer("health.active.unhealthy", field.default(it.unhealthy, 3), 1, MAX_ANSWERS)
    or check_statuses(field.default(it.statuses, "200-399"))
end

local function check_passive(it)
  return field.object("health.passive", it)
    or field.integer("health.passive.failures", field.default(it.failures, 1), 0, MAX_FAILURES)
    or duration.check("health.passive.for", field.default(it["for"], "5s"), MAX_SECONDS, MIN_SECONDS)
end

function health.check(it)
  local reason = field.object("health", it)
  if reason then
    return reason
  end
  local active = field.default(it.active, nil)
  return active and check_active(active) or check_passive(field.default(it.passive, {}))
end

return health
