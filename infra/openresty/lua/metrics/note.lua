-- What a request has met, noted by whoever chose it, for the log and the counters: the phase that chooses knows it, and
-- the one that counts comes later and has no cheap way to find out. One note for each request, found by its address.
local base = require "resty.core.base"
local ffi = require "ffi"
local page = require "metrics.page"
local settings = require "settings"
local slots = require "metrics.slots"

ffi.cdef [[ typedef struct { double request; int32_t route, member; } entrance_note; ]]

local note = {}

local NOTES = 65536 -- two requests that share a place: the earlier one counts as having met nothing
local UNIT = 16 -- requests lie at least so far apart

local get_request = base.get_request
local cast = ffi.cast
local notes = ffi.new("entrance_note[?]", NOTES)
local shared = page.shared
local var = ngx.var

local logs, counts = settings.logs, settings.counts
note.is_needed = logs or counts

-- What a host's requests, or a route's, meet: kept with it, so that nothing is looked up twice.
function note.met(rule, pool)
  return { rule = rule, pool = pool or "", slot = 0, epoch = 0 }
end

-- The same of a route and the pool whose turn it is; nothing where nobody asks for it.
function note.met_of(route, rule, pool)
  if not note.is_needed then
    return nil
  end
  route.mets = route.mets or {}
  local name = rule .. " " .. (pool or "")
  local met = route.mets[name] or note.met(rule, pool)
  route.mets[name] = met
  return met
end

local function own_request()
  return tonumber(cast("uintptr_t", get_request()))
end

local function slot_of(met)
  if met.epoch ~= shared.epoch then
    met.slot, met.epoch = slots.of(page.ROUTES, met.rule, met.pool), shared.epoch
  end
  return met.slot
end

-- peer: of the pool, an entrance_peer.
local function slot_of_peer(met, peer)
  peer.slot = slots.of(page.MEMBERS, met.pool, ffi.string(peer.address, peer.length) .. ":" .. peer.port)
  peer.epoch = shared.epoch
  return peer.slot
end

-- The fast way: all in one.
function note.plain(met, peer)
  if counts then
    local request = own_request()
    local it = notes[request / UNIT % NOTES]
    it.request = request
    it.route = met.epoch == shared.epoch and met.slot or slot_of(met)
    it.member = peer.epoch == shared.epoch and peer.slot or slot_of_peer(met, peer)
  end
  if logs then
    var.met_rule = met.rule
    var.met_pool = met.pool
  end
end

-- The rule that was met, and the pool, before any member is chosen.
function note.route(met)
  if counts and met then
    local request = own_request()
    local it = notes[request / UNIT % NOTES]
    it.request, it.route, it.member = request, slot_of(met), -1
  end
  if logs and met then
    var.met_rule, var.met_pool = met.rule, met.pool
  end
end

-- The member that is tried now.
function note.member(pool, peer)
  if counts then
    local request = own_request()
    local it = notes[request / UNIT % NOTES]
    if it.request == request then
      it.member = slots.of(page.MEMBERS, pool, peer.address .. ":" .. peer.port)
    end
  end
end

function note.choice(met, pool, peer)
  note.route(met)
  note.member(pool, peer)
end

-- A try failed.
function note.failed(pool, name)
  if counts then
    local request, row = own_request(), page.row()
    local it = notes[request / UNIT % NOTES]
    local route = it.request == request and it.route or page.NO_ROUTE
    row.counts[route].failures = row.counts[route].failures + 1
    local member = row.counts[slots.of(page.MEMBERS, pool, name)]
    member.failures = member.failures + 1
  end
end

-- The slots of what this request met: route, and member or -1. Once: another request may get the same address.
function note.take()
  local request = own_request()
  local it = notes[request / UNIT % NOTES]
  if it.request == request then
    it.request = 0
    return it.route, it.member
  end
  return page.NO_ROUTE, -1
end

return note
