-- GET /v2/state: what the node has, per worker too.
local board = require "state.board"
local head = require "state.head"
local index = require "state.index"
local json = require "state.json"
local memory = require "state.memory"
local record = require "state.record"
local sets = require "state.sets"
local settings = require "settings"
local site = require "route.site"
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

local function shadowed_list()
  local listed, looked_at = {}, 0
  for name in sets.current(index.v1_names("servers")) do
    looked_at = looked_at + 1
    if looked_at > MAX_V1_LOOKED_AT or #listed >= MAX_LISTED then
      break
    end
    local text = memory.current(index.v1_record("servers", name))
    local host = text and json.decode(text).domain
    local found = host and view.consistently(function()
      return view.site(host)
    end)
    for _, label in ipairs(found and site.shadowed(found) or {}) do
      if label == "servers/" .. name then
        listed[#listed + 1] = json.encode { v1 = label, domain = host }
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
    (',"memory":{"freeBytes":%d,"capacityBytes":%d}'):format(free, capacity),
    (',"uptimeSeconds":%d,"version":"%s"'):format(ngx.time() - board.started, settings.version),
    (',"pid":%d,"workers":'):format(ngx.worker.pid()), workers(), "}",
  }
end
