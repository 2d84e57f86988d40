-- A pool's peers in the order of their turns, each as often as its weight says, in one piece of memory: with 10,000
-- hosts asked for at random, a request waits for what it has to fetch, and as tables this was four times as much.
-- What is known of a peer's health (health/known.lua) is noted in here, too.
local ffi = require "ffi"
local known = require "health.known"
local turns = require "route.turns"

ffi.cdef [[
typedef struct {
  double aside_until;       /* 0: healthy */
  uint16_t port;
  uint8_t length;
  char address[45];         /* IPv6 in its brackets */
  int32_t slot, epoch;      /* among the counters, and as of when (metrics/note.lua) */
} entrance_peer;
typedef struct {
  int32_t size;             /* of turns; -1: what holds on to this must look it up anew */
  int32_t at;
  entrance_peer turns[?];
} entrance_peers;
]]

local peers = {}

local new = ffi.typeof("entrance_peers")

-- IPv6 in its brackets, as nginx writes it.
function peers.address(member)
  local address = member.address
  return address:find(":", 1, true) and "[" .. address .. "]" or address
end

-- How nginx names a peer that was tried.
function peers.name(address, port)
  return address .. ":" .. port
end

local function fill(peer, member, pool_name)
  local address = peers.address(member)
  peer.aside_until = known.until_time(pool_name, peers.name(address, member.port))
  peer.port, peer.length = member.port, #address
  ffi.copy(peer.address, address, #address)
  return address
end

-- Gives the peers, and their addresses as a text or a list of texts: while those are held on to, reading one makes no
-- new text.
function peers.compile(pool_name, members, weights)
  local order = turns.order(weights)
  local it, addresses = new(#order), {}
  it.size = #order
  for turn, place in ipairs(order) do
    addresses[turn] = fill(it.turns[turn - 1], members[place], pool_name)
  end
  -- Workers and pools begin at different members.
  it.at = math.random(0, math.max(0, #order - 1))
  return it, #order == 1 and addresses[1] or addresses
end

local function address_of(peer)
  return ffi.string(peer.address, peer.length)
end

function peers.has(it, name)
  for turn = 0, it.size - 1 do
    local peer = it.turns[turn]
    if peers.name(address_of(peer), peer.port) == name then
      return true
    end
  end
  return false
end

-- What is known of a peer has changed; without a name, of any.
function peers.refresh(it, pool_name, name)
  for turn = 0, it.size - 1 do
    local peer = it.turns[turn]
    local own = peers.name(address_of(peer), peer.port)
    if not name or own == name then
      peer.aside_until = known.until_time(pool_name, own)
    end
  end
end

local function told(address, port)
  return { address = address, port = port }
end

-- The next peer in turn that is neither set aside nor was tried, then one set aside; nil when all were tried.
function peers.next(it, now, tried)
  local second_best
  for _ = 1, it.size do
    it.at = (it.at + 1) % it.size
    local peer = it.turns[it.at]
    local address, port = address_of(peer), peer.port
    if not (tried and tried[peers.name(address, port)]) then
      if peer.aside_until <= now then
        peer.aside_until = 0
        return told(address, port)
      end
      second_best = second_best or told(address, port)
    end
  end
  return second_best
end

return peers
