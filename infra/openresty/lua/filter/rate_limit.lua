-- RateLimit {requests, period, burst, key {type, name}}: how many requests in how long, for each client address, for
-- each value of a header, or in all; counted for all workers together. A bucket that fills at an even rate: what is
-- kept is the time at which it would be empty of what was taken.
local duration = require "model.duration"
local field = require "model.field"
local header = require "model.header"

local rate_limit = {}

local MAX_REQUESTS = 1000000
local MAX_PERIOD_SECONDS = 3600
local KEYS = { "ClientAddress", "Header", "All" }
local IPV6_NETWORK_BYTES = 8 -- a client has a whole /64 to choose addresses from

local counters = ngx.shared.entrance_limits

local function check_key(key)
  return field.object("key", key)
    or field.one_of("key.type", key.type, KEYS)
    or (key.type == "Header" and header.check_name("key.name", key.name) or nil)
end

function rate_limit.check(it)
  local reason = field.integer("requests", it.requests, 1, MAX_REQUESTS)
    or duration.check("period", field.default(it.period, "1s"), MAX_PERIOD_SECONDS)
    or field.integer("burst", field.default(it.burst, 1), 1, MAX_REQUESTS)
    or check_key(field.default(it.key, { type = "ClientAddress" }))
  if not reason and not duration.seconds(field.default(it.period, "1s")) then
    return "period must be longer than 0"
  end
  return reason
end

local SUBJECTS = {
  ClientAddress = function()
    local client = ngx.var.binary_remote_addr
    return #client == 16 and client:sub(1, IPV6_NETWORK_BYTES) or client
  end,
  All = function()
    return ""
  end,
}

local function subject_of(key)
  if key.type ~= "Header" then
    return SUBJECTS[key.type]
  end
  -- Requests without the header are one client.
  return function()
    local value = ngx.req.get_headers(100)[key.name]
    return type(value) == "table" and value[1] or value or ""
  end
end

-- Seconds until a request is allowed again, or nil: this one is.
local function take(name, each, capacity)
  local now = ngx.now()
  local keep = each * capacity + 1
  local empty_at, problem = counters:incr(name, each, now, keep)
  if not empty_at then
    ngx.log(ngx.WARN, "a rate limit can't count: ", problem)
    return nil
  end
  if empty_at - each < now then
    -- It was empty for a while. Of two workers that see this at once one request is not counted.
    empty_at = now + each
    counters:set(name, empty_at, keep)
    return nil
  end
  -- What floating point adds up to is not exact.
  local over = empty_at - now - each * capacity
  if over > each / 1000 then
    counters:incr(name, -each)
    return over
  end
  counters:expire(name, keep)
  return nil
end

function rate_limit.compile(it, _, rule_name)
  local period = duration.seconds(field.default(it.period, "1s"))
  local each, capacity = period / it.requests, field.default(it.burst, it.requests)
  local subject = subject_of(field.default(it.key, { type = "ClientAddress" }))
  return {
    on_request = function()
      local name = ngx.md5_bin(rule_name .. "\n" .. subject())
      local seconds = take(name, each, capacity)
      if seconds then
        ngx.header["Retry-After"] = math.max(1, math.ceil(seconds))
        return 429
      end
      return nil
    end,
  }
end

return rate_limit
