-- One pool: its members, and whose turn it is.
local members = require "route.members"
local peers = require "route.peers"

local pool = {}

-- A pool as of a version.
function pool.compile(name, version)
  local it = { name = name }
  it.peers, it.addresses = peers.compile(members.of(name, version))
  return it
end

function pool.is_empty(it)
  return it.peers.size < 1
end

-- Whoever holds on to it must look it up anew.
function pool.forget(it)
  it.peers.size = -1
end

-- A peer failed: others are asked for a few seconds.
function pool.set_aside(it, name, now)
  peers.set_aside(it.peers, name, now)
end

-- The next peer in turn, {address, port}, of those that were not tried; nil when all were.
function pool.next_peer(it, now, tried)
  return peers.next(it.peers, now, tried)
end

return pool
