-- What is known of the node itself, for GET /metrics.
local board = require "state.board"
local ending = require "state.ending"
local head = require "state.head"
local json = require "state.json"
local memory = require "state.memory"
local page = require "metrics.page"
local readiness = require "state.readiness"
local settings = require "settings"
local text = require "metrics.text"

local CONNECTIONS = { "active", "reading", "writing", "waiting" }

local function gauge(out, name, help, value, labels)
  text.family(out, "entrance_node_" .. name, "gauge", help)(labels or "", value)
end

local function dictionaries(out)
  local names = {}
  for name in pairs(ngx.shared) do
    names[#names + 1] = name
  end
  table.sort(names)
  local free = text.family(out, "entrance_node_dictionary_free_bytes", "gauge",
    "Whole pages left; those in use may have room, too.")
  for _, name in ipairs(names) do
    free(text.labels { "dictionary", name }, ngx.shared[name]:free_space())
  end
  local capacity = text.family(out, "entrance_node_dictionary_capacity_bytes", "gauge", "Size of a shared dictionary.")
  for _, name in ipairs(names) do
    capacity(text.labels { "dictionary", name }, ngx.shared[name]:capacity())
  end
end

-- Of a time such as 2026-11-22T10:21:37Z, since 1970; nil of anything else.
local function seconds_of(time)
  local year, month, day, hour, minute, second = (time or ""):match("^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)")
  if not year then
    return nil
  end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  -- Days since 1970 by the calendar, as os.time knows local time only; the year begins in March.
  year = year - (month < 3 and 1 or 0)
  local day_of_year = math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  local leap_days = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  local days = 365 * year + leap_days + day_of_year - 719468
  return ((days * 24 + hour) * 60 + minute) * 60 + second
end

local function certificates(out)
  local add = text.family(out, "entrance_node_certificate_not_after_seconds", "gauge",
    "When certificates end that have ended lately or soon will, in seconds since 1970.")
  for _, listed in ipairs(ending.soon()) do
    local it = json.decode(listed)
    local seconds = seconds_of(it.notAfter)
    if seconds then
      add(text.labels { "certificate", it.key }, seconds)
    end
  end
end

local function resources(out, now)
  local add = text.family(out, "entrance_node_resources", "gauge", "Resources that Entrance sent, by kind.")
  for kind, count in pairs(now.counts) do
    add(text.labels { "kind", kind }, count)
  end
  gauge(out, "rejected", "Resources of which the last value can't be used.", now.rejected)
  gauge(out, "v1_items", "Upstreams and servers that v1 made.", now.v1)
end

return function(out)
  local now = head.current()
  gauge(out, "info", "The node's version.", 1, text.labels { "version", settings.version })
  gauge(out, "uptime_seconds", "Since the start.", ngx.time() - board.started)
  gauge(out, "ready", "1 when a complete state serves and nothing is being drained.", readiness.problem() and 0 or 1)
  gauge(out, "draining", "1 while the node is being drained.", readiness.is_draining() and 1 or 0)
  gauge(out, "revision", "Revision of the state.", now.revision)
  gauge(out, "epoch", "Epoch of the state.", now.epoch)
  resources(out, now)
  gauge(out, "journal_bytes", "Of changes since the last snapshot file.", board.journal_length)
  gauge(out, "snapshot_bytes", "Size of the last snapshot file that this process wrote.", board.dump_bytes)
  gauge(out, "damaged_lines", "Of the state on disk, found at the start.", board.damaged)
  gauge(out, "state_free_bytes", "Of the state's dictionary.", (memory.free_bytes()))
  dictionaries(out)
  local connections = text.family(out, "entrance_node_connections", "gauge", "Clients' connections to all listeners.")
  for _, state in ipairs(CONNECTIONS) do
    connections(text.labels { "state", state }, tonumber(ngx.var["connections_" .. state]) or 0)
  end
  gauge(out, "workers", "Worker processes that are wanted.", ngx.worker.count())
  text.family(out, "entrance_node_worker_starts_total", "counter",
    "Workers started; more than generations times workers means that some died.")("", page.shared.starts)
  text.family(out, "entrance_node_generations_total", "counter",
    "How often the configuration was loaded.")("", page.shared.generation)
  certificates(out)
end
