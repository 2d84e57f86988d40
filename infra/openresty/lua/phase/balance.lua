-- balancer_by_lua of the fast way: chooses who answers. The common way touches no dictionary and makes no table.
local balancer = require "ngx.balancer"
local board = require "state.board"
local current = require "request.current"
local ffi = require "ffi"
local find = require "route.find"
local health = require "health.page"
local note = require "metrics.note"
local pool = require "route.pool"
local refusal = require "route.refusal"
local view = require "route.view"

local get_request, host_of = current.get, current.host
local is_noted, plain = note.is_needed, note.plain
local set_current_peer = balancer.set_current_peer
local text = ffi.string

-- Without a peer, and for a rule that asks for more, phase/weigh.lua goes on. (DECLINED, where no second try may
-- follow, is a 502 without a line in the log; what ERROR gives, a 500, would end the client's connection.)
local function first_time()
  local found, status, route = find()
  local is_plain = found and not (route.rich or found.special)
  local peer = is_plain and pool.next_peer(found, ngx.now())
  if not peer then
    refusal.say(status, route, found)
    return ngx.exit(ngx.DECLINED)
  end
  note.choice(route.met, found.name, peer)
  return set_current_peer(peer.address, peer.port)
end

-- listener: the one that this balancer is of.
return function(listener)
  local it = view.listeners[listener]
  return function()
    if board.version == view.version and health.version == view.health then
      local request = get_request()
      local only = it.only[host_of(request)]
      local peers = only and only.peers
      if peers and peers.size > 0 then
        local at = peers.at + 1 < peers.size and peers.at + 1 or 0
        local peer = peers.turns[at]
        if peer.aside_until == 0 then
          peers.at = at
          if is_noted then
            plain(request, only, peer)
          end
          return set_current_peer(text(peer.address, peer.length), peer.port)
        end
      end
    end
    return first_time()
  end
end
