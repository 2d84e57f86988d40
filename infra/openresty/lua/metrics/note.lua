-- What a request has met, noted by whoever chose it, for the log and the counters: the phase that chooses knows it, and
-- the one that counts comes later and has no cheap way to find out. One note for each request, found by its address.
local current = require "request.current"
local ffi = require "ffi"
local page = require "metrics.page"
local settings = require "settings"
local slots = require "metrics.slots"

ffi.cdef [[ typedef struct { double request; int32_t route, member; } entrance_note; ]]

local note = {}

local NOTES = 65536 -- two requests that share a place: the earlier one counts as having met nothing
local ERROR_BYTES = 256
local UNIT = 16 -- requests lie at least so far apart

local address_of, get_request = current.address, current.get
local C = ffi.C
local notes = ffi.new("entrance_note[?]", NOTES)
local shared = page.shared
local lower_case = ffi.new("unsigned char[16]")
local error_text, error_length = ffi.new("unsigned char[?]", ERROR_BYTES), ffi.new("size_t[1]")
local var = ngx.var

local logs, counts = settings.logs, settings.counts
note.is_needed = logs or counts

-- What requests meet by a route and the pool whose turn it is: kept with the route, so that nothing is looked up twice;
-- nothing where nobody asks for it.
function note.met_of(route, rule, pool)
  if not note.is_needed then
    return nil
  end
  route.mets = route.mets or {}
  local name = rule .. " " .. (pool or "")
  local met = route.mets[name] or { rule = rule, pool = pool or "", slot = 0, epoch = 0 }
  route.mets[name] = met
  return met
end

-- The place for a request, and its address.
local function place_of(request)
  local address = address_of(request)
  return notes[address / UNIT % NOTES], address
end

local function slot_of(met)
  if met.epoch ~= shared.epoch then
    met.slot, met.epoch = slots.of(page.ROUTES, met.rule, met.pool), shared.epoch
  end
  return met.slot
end

local function rule_of(only)
  return ffi.string(only.names, only.rule_length)
end

local function pool_of(only)
  return ffi.string(only.names + only.rule_length, only.pool_length)
end

local function slot_of_only(only)
  only.slot, only.epoch = slots.of(page.ROUTES, rule_of(only), pool_of(only)), shared.epoch
  return only.slot
end

local function slot_of_peer(only, peer)
  local name = ffi.string(peer.address, peer.length) .. ":" .. peer.port
  peer.slot, peer.epoch = slots.of(page.MEMBERS, pool_of(only), name), shared.epoch
  return peer.slot
end

-- ngx.var would make texts of what lies in memory already.
local function set_variable(request, name, length, value, value_length)
  error_length[0] = ERROR_BYTES
  C.ngx_http_lua_ffi_var_set(request, name, length, lower_case, value, value_length, error_text, error_length)
end

-- The fast way, all in one. only: a host's entrance_only; peer: an entrance_peer of it.
function note.plain(request, only, peer)
  if counts then
    local it, address = place_of(request)
    it.request = address
    it.route = only.epoch == shared.epoch and only.slot or slot_of_only(only)
    it.member = peer.epoch == shared.epoch and peer.slot or slot_of_peer(only, peer)
  end
  if logs then
    set_variable(request, "met_rule", 8, only.names, only.rule_length)
    set_variable(request, "met_pool", 8, only.names + only.rule_length, only.pool_length)
  end
end

-- The rule that was met, and the pool, before any member is chosen.
function note.route(met)
  if counts and met then
    local it, address = place_of(get_request())
    it.request, it.route, it.member = address, slot_of(met), -1
  end
  if logs and met then
    var.met_rule, var.met_pool = met.rule, met.pool
  end
end

-- The member that is tried now.
function note.member(pool, peer)
  if counts then
    local it, address = place_of(get_request())
    if it.request == address then
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
    local it, address = place_of(get_request())
    local row = page.row()
    local route = it.request == address and it.route or page.NO_ROUTE
    row.counts[route].failures = row.counts[route].failures + 1
    local member = row.counts[slots.of(page.MEMBERS, pool, name)]
    member.failures = member.failures + 1
  end
end

-- The slots of what this request met: route, and member or -1. Once: another request may get the same address.
function note.take(request)
  local it, address = place_of(request)
  if it.request == address then
    it.request = 0
    return it.route, it.member
  end
  return page.NO_ROUTE, -1
end

return note
