-- balancer_by_lua: chooses who answers. The common way touches no dictionary and makes no table.
local balancer = require "ngx.balancer"
local board = require "state.board"
local find = require "route.find"
local pool = require "route.pool"
local read_tries = require "route.tries"
local set_aside = require "route.set_aside"
local view = require "route.view"

local get_last_failure = balancer.get_last_failure
local set_current_peer = balancer.set_current_peer
local next_choice = pool.next_choice
local var = ngx.var

-- No member is left: the error page of 500 decides what to say, in phase/decide.lua.
local function give_up()
  return ngx.exit(ngx.ERROR)
end

local function again()
  local tries = read_tries()
  local found, _, route = find()
  local now = ngx.now()
  set_aside(route, tries.last, now)
  if not found then
    return give_up()
  end
  local place = next_choice(found, now, tries.by_peer)
  -- A kept connection may have been closed by its peer just now, which says little: once more, then.
  if not place and tries.connected and tries.by_peer[tries.last] == 1 then
    place = next_choice(found, now)
  end
  if not place then
    return give_up()
  end
  return set_current_peer(found.addresses[place], found.ports[place])
end

local function first_time()
  local found = find()
  if not found then
    return give_up()
  end
  local place = next_choice(found, ngx.now())
  return set_current_peer(found.addresses[place], found.ports[place])
end

return function()
  if get_last_failure() then
    return again()
  end
  if board.version == view.version then
    local site = view.sites[var.host]
    local route = site and site.only
    local chosen = route and route.pool
    if chosen and chosen.size > 0 then
      local at = chosen.at + 1
      if at > chosen.size then
        at = 1
      end
      local place = chosen.order[at]
      if chosen.aside_until[place] == 0 then
        chosen.at = at
        return set_current_peer(chosen.addresses[place], chosen.ports[place])
      end
    end
  end
  return first_time()
end
