-- What a rule asks for beyond choosing a pool, compiled once: filters, timeouts, retries. nil for a plain rule.
local duration = require "model.duration"
local field = require "model.field"
local filters = require "filter.list"
local target_filters = require "filter.target"

local rich = {}

-- As in prepare.ts, which writes the locations: one for each set of these, with gzip and without, timed or not.
local RETRIED = { 500, 502, 503, 504 }

-- As a bit for each.
local function retried_by(retry)
  local set = 0
  for place, status in ipairs(RETRIED) do
    for _, code in ipairs(retry and retry.codes or {}) do
      if code == status then
        set = set + 2 ^ (place - 1)
      end
    end
  end
  return set
end

-- Of a plain rule whose pool is not.
rich.NOTHING = { on_request = {}, on_header = {}, retried = 0 }

local function retry_of(rule)
  local retry = field.default(rule.retry, nil)
  if not retry then
    return nil
  end
  return {
    attempts = field.default(retry.attempts, 1),
    codes = field.default(retry.codes, {}),
    backoff = duration.seconds(field.default(retry.backoff, nil)),
  }
end

-- name: the rule's key.
function rich.compile(name, rule)
  local list = field.default(rule.filters, {})
  local timeouts = field.default(rule.timeouts, {})
  local it = {
    name = name,
    on_request = {},
    on_header = {},
    retry = retry_of(rule),
    request_seconds = duration.seconds(field.default(timeouts.request, nil)),
    backend_seconds = duration.seconds(field.default(timeouts.backendRequest, nil)),
  }
  local has_gzip = filters.compile(it, list, rule)
  target_filters.compile(it, rule)
  it.is_timed = it.request_seconds ~= nil or it.backend_seconds ~= nil
  if #it.on_request + #it.on_header == 0 and not (it.retry or it.is_timed or has_gzip) then
    return nil
  end
  it.retried, it.has_gzip = retried_by(it.retry), has_gzip
  it.location = ("@rich_%d%s%s"):format(it.retried, has_gzip and "_gzip" or "", it.request_seconds and "_timed" or "")
  return it
end

return rich
