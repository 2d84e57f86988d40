-- balancer_by_lua of requests that were weighed: chooses a member for each try, within the rule's timeouts.
local balancer = require "ngx.balancer"
local in_flight = require "route.in_flight"
local note = require "metrics.note"
local pool = require "route.pool"
local read_tries = require "route.tries"
local refusal = require "route.refusal"
local special = require "route.special"
local view = require "route.view"
local way = require "route.way"

local CONNECT_SECONDS = 2 -- as in nginx.conf
local MAX_SECONDS = 10 -- unless the rule says how often, a try that took longer is the last

-- Without a peer the error page of 500 decides what to say, in phase/decide.lua.
local function refuse(status)
  refusal.say(status)
  return ngx.exit(ngx.ERROR)
end

-- An answer that is tried again says nothing of the member's health; nor does a timeout that the rule has made short.
local function has_failed(it, tries)
  if it.rich and it.rich.is_timed then
    return not tries.connected
  end
  return not tries.answered
end

-- The pool as it is now, unless it has come to be spoken to in another way since this request chose its location.
local function pool_of(it)
  local found = view.pool(it.pool_name)
  if it.special and not special.is_alike(found.special, it.special) then
    return { name = it.pool_name, special = it.special }
  end
  return found
end

local function next_peer(it, tries, now)
  local found = pool_of(it)
  local peer = pool.next_peer(found, now, tries.by_peer)
  if peer then
    return peer
  end
  -- A kept connection may have been closed by its peer just now, which says little: once more, then. And whoever asks
  -- for more tries than there are members means the same members.
  local once_more = tries.connected and tries.by_peer[tries.last] == 1
  if once_more or it.rich and it.rich.retry then
    return pool.next_peer(found, now)
  end
  return nil
end

-- The shorter of the rule's time for one try and what is left of its time for all; nil where it has neither.
local function seconds_for(it, now)
  local left = it.deadline and it.deadline - now
  local each = it.rich and it.rich.backend_seconds
  return left and each and math.min(left, each) or left or each
end

-- Of pools that balance by it: the request is under way at this member, and at the one before no more.
local function count(it, member)
  if it.active then
    in_flight.leave(it.active)
  end
  in_flight.enter(member.place)
  it.active, ngx.var.entrance_active = member.place, member.place
end

local function send_to(it, peer, now)
  local seconds = seconds_for(it, now)
  if seconds then
    if seconds < 0.001 then
      return refuse(504)
    end
    balancer.set_timeouts(math.min(CONNECT_SECONDS, seconds), seconds, seconds)
  end
  if it.special then
    it.member = peer
    if it.special.counts then
      count(it, peer)
    end
  end
  note.member(it.pool_name, peer)
  return balancer.set_current_peer(peer.address, peer.port)
end

local function first_time(it)
  local now = ngx.now()
  if it.tries > 1 then
    balancer.set_more_tries(it.tries - 1)
  end
  it.tries = it.tries - 1
  local tries = it.tried > 0 and read_tries() or {}
  local peer
  if tries.last then
    peer = next_peer(it, tries, now)
  else
    peer = pool.next_peer(pool_of(it), now)
  end
  if not peer then
    return refuse(tries.last and 502 or 503)
  end
  return send_to(it, peer, now)
end

-- Seconds until the request comes to its location again, or nil: nginx tries another member by itself. What it had
-- written for a kept HTTP/2 connection (the number of its stream) it would write to a new one, too.
local function pause_of(it, tries)
  local retry = it.rich and it.rich.retry
  if retry and retry.backoff and not it.has_body then
    return retry.backoff
  end
  return it.special and it.special.backend.is_http2 and tries.connected and 0 or nil
end

local function again(it, failure)
  local tries, now = read_tries(), ngx.now()
  it.tried = it.tried + 1
  if has_failed(it, tries) then
    pool.failed(view.pool(it.pool_name), tries.last, tries.reason, now)
  end
  local retry = it.rich and it.rich.retry
  local was_too_slow = tries.connected and not tries.answered and failure == 504
  local has_taken_long = tonumber(ngx.var.request_time) > MAX_SECONDS
  if not retry and (has_taken_long or it.rich and it.rich.is_timed and was_too_slow) then
    return refuse(failure)
  end
  it.resumes_after = pause_of(it, tries)
  if it.resumes_after then
    way.hand_over(it)
    return ngx.exit(ngx.ERROR)
  end
  it.tries = it.tries - 1
  local peer = next_peer(it, tries, now)
  if not peer then
    return refuse(nil)
  end
  return send_to(it, peer, now)
end

return function()
  view.catch_up()
  local it = ngx.ctx.way
  local failed, status = balancer.get_last_failure()
  if failed then
    return again(it, status)
  end
  return first_time(it)
end
