-- One pool: its members, and whose turn it is.
local diagnose = require "health.diagnosis"
local members = require "route.members"
local note = require "metrics.note"
local passive = require "health.passive"
local peers = require "route.peers"
local special = require "route.special"

local pool = {}

-- A pool as of a version. special: of those that ask for more than plain members in turn.
function pool.compile(name, version)
  local chosen, weights, settings, lists = members.of(name, version)
  local it = { name = name, limits = passive.compile(settings) }
  if special.is_needed(settings) then
    it.special = special.compile(name, settings, chosen, weights, lists)
  else
    it.peers, it.addresses = peers.compile(name, chosen, weights)
  end
  return it
end

function pool.is_empty(it)
  if it.special then
    return special.is_empty(it.special)
  end
  return it.peers.size < 1
end

-- Whoever holds on to it must look it up anew.
function pool.forget(it)
  if it.peers then
    it.peers.size = -1
  end
end

-- A try of this peer failed.
function pool.failed(it, peer, reason, now)
  local is_member
  if it.special then
    is_member = it.special.by_name[peer] ~= nil
  else
    is_member = peers.has(it.peers, peer)
  end
  if is_member then
    note.failed(it.name, peer)
    local is_new = passive.failed(it.limits, it.name, peer, reason, now)
    local tls = is_new and it.special and it.special.backend.tls
    if tls then
      diagnose(tls, it.name, it.special.by_name[peer], it.limits.ramp)
    end
  end
end

-- What is known of a peer's health has changed; without a name, of any.
function pool.refresh(it, peer)
  if it.special then
    special.refresh(it.special, peer)
  elseif it.peers.size > 0 then
    peers.refresh(it.peers, it.name, peer)
  end
end

-- The next peer in turn, {address, port}, of those that were not tried; nil when all were.
function pool.next_peer(it, now, tried)
  if it.special then
    return special.next(it.special, now, tried)
  end
  return peers.next(it.peers, now, tried)
end

return pool
