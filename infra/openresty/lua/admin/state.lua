-- GET /v2/state: what the node has, per worker too.
local authorities = require "authorities.report"
local board = require "state.board"
local ending = require "state.ending"
local head = require "state.head"
local health = require "health.report"
local index = require "state.index"
local json = require "state.json"
local listeners = require "l4.report"
local memory = require "state.memory"
local record = require "state.record"
local sets = require "state.sets"
local settings = require "settings"
local site = require "route.site"
local v1 = require "state.v1"
local view = require "route.view"

local MAX_LISTED = 100
local MAX_V1_LOOKED_AT = 1000

local function rejected_list()
  local listed = {}
  for bucket = 0, index.REJECTED_BUCKETS - 1 do
    for name in sets.current("rejected/" .. bucket) do
      local it = record.decode(memory.current(index.record(name)))
      if #listed < MAX_LISTED and it and it.reason then
        listed[#listed + 1] = json.encode { key = name, reason = it.reason }
      end
    end
  end
  return json.list(listed)
end

local function is_shadowed(label, host, listener)
  local found = view.consistently(function()
    return view.site(host, listener)
  end)
  for _, shadowed in ipairs(found and site.shadowed(found) or {}) do
    if shadowed == label then
      return true
    end
  end
  return false
end

-- v1's servers where both claim one path of a host: v2 wins.
local function shadowed_list()
  local listed, looked_at = {}, 0
  for _, protocol in ipairs { "http", "https" } do
    for name in v1.names("servers", protocol) do
      looked_at = looked_at + 1
      if looked_at > MAX_V1_LOOKED_AT or #listed >= MAX_LISTED then
        return json.list(listed)
      end
      local label = index.v1_label("servers", protocol, name)
      local it = v1.read(label)
      if it and is_shadowed(label, it.domain, protocol) then
        listed[#listed + 1] = json.encode { v1 = "servers/" .. name, protocol = protocol, domain = it.domain }
      end
    end
  end
  return json.list(listed)
end

local function workers()
  local listed = {}
  for id = 0, ngx.worker.count() - 1 do
    local it = board.workers[id]
    listed[#listed + 1] = ('{"id":%d,"pid":%d,"version":%.0f,"revision":%.0f,"seenSecondsAgo":%d}')
      :format(id, it.pid, it.version, it.revision, ngx.time() - it.beat)
  end
  return json.list(listed)
end

return function()
  view.report()
  local now = head.current()
  local free, capacity = memory.free_bytes()
  local counts = {}
  for kind, count in pairs(now.counts) do
    counts[#counts + 1] = ('"%s":%d'):format(kind, count)
  end
  table.sort(counts)
  return table.concat {
    '{"format":1,"store":', json.encode(now.store),
    (',"epoch":%.0f,"revision":%.0f,"digest":"%s"'):format(now.epoch, now.revision, now.digest),
    ',"ready":', tostring(head.is_ready(now)),
    ',"problem":', now.problem ~= "" and json.encode(now.problem) or "null",
    ',"counts":{', table.concat(counts, ","), "}",
    (',"v1":%d,"rejectedCount":%d'):format(now.v1, now.rejected),
    ',"rejected":', rejected_list(),
    ',"shadowed":', shadowed_list(),
    ",", health.text(),
    ',"awaitingAuthorities":', authorities(),
    ',"certificates":', json.list(ending.soon()),
    ",", listeners.members(),
    (',"memory":{"freeBytes":%d,"capacityBytes":%d}'):format(free, capacity),
    (',"uptimeSeconds":%d,"version":"%s"'):format(ngx.time() - board.started, settings.version),
    (',"pid":%d,"workers":'):format(ngx.worker.pid()), workers(), "}",
  }
end
