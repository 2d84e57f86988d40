-- A pool's peers in the order of their turns, each as often as its weight says, in one piece of memory: with 10,000
-- hosts asked for at random, a request waits for what it has to fetch, and as tables this was four times as much.
-- Passive health: what is known of a peer's failures is this worker's own, and outlives a change of the pool.
local ffi = require "ffi"
local turns = require "route.turns"

ffi.cdef [[
typedef struct {
  double aside_until;       /* 0: healthy */
  uint16_t port;
  uint8_t length;
  char address[45];         /* IPv6 in its brackets */
} entrance_peer;
typedef struct {
  int32_t size;             /* of turns; -1: what holds on to this must look it up anew */
  int32_t at;
  entrance_peer turns[?];
} entrance_peers;
]]

local peers = {}

local SET_ASIDE_SECONDS = 5
local MAX_FAILURES = 10000

local failures, failure_count = {}, 0 -- by peer: set aside until
local new = ffi.typeof("entrance_peers")

local function name_of(address, port)
  return address .. ":" .. port
end

local function fill(peer, member)
  local address = member.address
  if address:find(":", 1, true) then
    address = "[" .. address .. "]"
  end
  peer.aside_until = failures[name_of(address, member.port)] or 0
  peer.port, peer.length = member.port, #address
  ffi.copy(peer.address, address, #address)
  return address
end

-- Gives the peers, and their addresses as a text or a list of texts: while those are held on to, reading one makes no
-- new text.
function peers.compile(members, weights)
  local order = turns.order(weights)
  local it, addresses = new(#order), {}
  it.size = #order
  for turn, place in ipairs(order) do
    addresses[turn] = fill(it.turns[turn - 1], members[place])
  end
  -- Workers and pools begin at different members.
  it.at = math.random(0, math.max(0, #order - 1))
  return it, #order == 1 and addresses[1] or addresses
end

local function address_of(peer)
  return ffi.string(peer.address, peer.length)
end

local function remember(name, until_time)
  if not failures[name] then
    failure_count = failure_count + 1
  end
  if failure_count > MAX_FAILURES then
    failures, failure_count = {}, 1
  end
  failures[name] = until_time
end

-- A peer failed: others are asked for a few seconds.
function peers.set_aside(it, name, now)
  local until_time = now + SET_ASIDE_SECONDS
  remember(name, until_time)
  for turn = 0, it.size - 1 do
    local peer = it.turns[turn]
    if name_of(address_of(peer), peer.port) == name then
      peer.aside_until = until_time
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
    if not (tried and tried[name_of(address, port)]) then
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
