-- What nginx says of a request's tries so far: "10.0.0.1:80, 10.0.0.2:80 : " and "-, 0.001 : ", where "-" never got
-- a connection (or no answer's header).
local var = ngx.var

local function last_is_known(times)
  local known = false
  for seconds in (times or ""):gmatch("[-.%d]+") do
    known = seconds ~= "-"
  end
  return known
end

-- What became of the last try, in words.
local function reason_of(tries)
  if not tries.connected then
    return "it took no connection"
  end
  return tries.answered and "its answer broke off" or "it took a connection and did not answer"
end

-- How often each peer was tried, the last one, whether that one took the connection, and whether it answered.
return function()
  local tries = { by_peer = {}, last = nil }
  for peer in (var.upstream_addr or ""):gmatch("[^, ][^, ]+") do
    tries.by_peer[peer] = (tries.by_peer[peer] or 0) + 1
    tries.last = peer
  end
  tries.connected = last_is_known(var.upstream_connect_time)
  tries.answered = last_is_known(var.upstream_header_time)
  tries.reason = reason_of(tries)
  return tries
end
