-- What was counted, summed over all workers: by route (a rule and one of its pools) and by member of a pool.
local breath = require "state.breath"
local known = require "health.known"
local page = require "metrics.page"
local slots = require "metrics.slots"
local text = require "metrics.text"

local CLASSES = { [0] = "none", "1xx", "2xx", "3xx", "4xx", "5xx" }
local BOUNDS = page.BOUNDS

local function sum(slot)
  local it = { statuses = {}, buckets = {}, seconds = 0, bytes = 0, failures = 0, requests = 0 }
  page.each(slot, function(count)
    for class = 0, 5 do
      it.statuses[class] = (it.statuses[class] or 0) + count.statuses[class]
      it.requests = it.requests + count.statuses[class]
    end
    for bucket = 0, #BOUNDS - 1 do
      it.buckets[bucket] = (it.buckets[bucket] or 0) + count.buckets[bucket]
    end
    it.seconds, it.bytes, it.failures = it.seconds + count.seconds, it.bytes + count.bytes, it.failures + count.failures
  end)
  breath.take()
  return it
end

-- Each slot that was used: {labels: list, sums}.
local function all(kind, names, special)
  local found = {}
  local function add(slot, first, second)
    local sums = sum(slot)
    if sums.requests + sums.failures > 0 then
      local labels = { names[1], first, names[2], second }
      found[#found + 1] = { labels = labels, first = first, second = second, sums = sums }
    end
  end
  for slot, name in pairs(special) do
    add(slot, name, name)
  end
  for slot = kind.first, slots.last(kind) do
    local first, second = slots.name(slot)
    if first then
      add(slot, first, second)
    end
  end
  return found
end

local function with(labels, name, value)
  local more = { unpack(labels) }
  more[#more + 1], more[#more + 2] = name, value
  return text.labels(more)
end

local function by_status(out, family, help, found)
  local add = text.family(out, family, "counter", help)
  for _, it in ipairs(found) do
    for class = 0, 5 do
      if it.sums.statuses[class] > 0 then
        add(with(it.labels, "status", CLASSES[class]), it.sums.statuses[class])
      end
    end
  end
end

local function durations(out, found)
  local add = text.family(out, "entrance_node_request_seconds", "histogram",
    "Time from a request's first byte to its answer's last.")
  for _, it in ipairs(found) do
    local count = 0
    for place, bound in ipairs(BOUNDS) do
      count = count + it.sums.buckets[place - 1]
      add(with(it.labels, "le", bound), count, "_bucket")
    end
    local labels = text.labels(it.labels)
    add(with(it.labels, "le", "+Inf"), it.sums.requests, "_bucket")
    add(labels, it.sums.seconds, "_sum")
    add(labels, it.sums.requests, "_count")
  end
end

local function one_each(out, family, kind, help, found, value)
  local add = text.family(out, family, kind, help)
  for _, it in ipairs(found) do
    add(text.labels(it.labels), value(it))
  end
end

local function is_well(it)
  return known.until_time(it.first, it.second) <= ngx.now() and 1 or 0
end

return function(out)
  local routes = all(page.ROUTES, { "rule", "pool" }, { [page.ROUTES.other] = "other", [page.NO_ROUTE] = "none" })
  by_status(out, "entrance_node_requests_total", "Requests, by the rule and the pool that they met.", routes)
  durations(out, routes)
  one_each(out, "entrance_node_response_bytes_total", "counter", "Bytes sent to clients.", routes, function(it)
    return it.sums.bytes
  end)
  one_each(out, "entrance_node_failed_tries_total", "counter", "Tries of members that failed.", routes, function(it)
    return it.sums.failures
  end)
  local members = all(page.MEMBERS, { "pool", "node" }, { [page.MEMBERS.other] = "other" })
  by_status(out, "entrance_node_member_requests_total", "Requests, by the member that was asked last.", members)
  one_each(out, "entrance_node_member_seconds_total", "counter", "Time of these requests.", members, function(it)
    return it.sums.seconds
  end)
  one_each(out, "entrance_node_member_failed_tries_total", "counter", "Tries that failed.", members, function(it)
    return it.sums.failures
  end)
  one_each(out, "entrance_node_member_healthy", "gauge", "1, or 0 while a member is set aside.", members, is_well)
end
