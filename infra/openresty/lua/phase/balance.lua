-- balancer_by_lua: chooses who answers. The common way touches no dictionary and makes no table.
local balancer = require "ngx.balancer"
local board = require "state.board"
local find = require "route.find"
local pool = require "route.pool"
local read_tries = require "route.tries"
local refusal = require "route.refusal"
local set_aside = require "route.set_aside"
local view = require "route.view"

local get_last_failure = balancer.get_last_failure
local set_current_peer = balancer.set_current_peer
local var = ngx.var

-- Without a peer the error page of 500 decides what to say, in phase/decide.lua.
local function send_to(peer, status)
  if not peer then
    refusal.say(status)
    return ngx.exit(ngx.ERROR)
  end
  return set_current_peer(peer.address, peer.port)
end

local function again()
  local tries = read_tries()
  local found, status, route = find()
  local now = ngx.now()
  set_aside(route, tries.last, now)
  local peer = found and pool.next_peer(found, now, tries.by_peer)
  -- A kept connection may have been closed by its peer just now, which says little: once more, then.
  if found and not peer and tries.connected and tries.by_peer[tries.last] == 1 then
    peer = pool.next_peer(found, now)
  end
  return send_to(peer, status)
end

local function first_time()
  local found, status = find()
  return send_to(found and pool.next_peer(found, ngx.now()), status)
end

return function()
  if get_last_failure() then
    return again()
  end
  if board.version == view.version then
    local site = view.sites[var.host]
    local only = site and site.only_pool
    if only and only.size > 0 then
      local at = only.at < only.size and only.at + 1 or 1
      local peer = only.order[at]
      if peer.aside_until == 0 then
        only.at = at
        return set_current_peer(peer.address, peer.port)
      end
    end
  end
  return first_time()
end
