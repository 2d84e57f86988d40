-- What nginx says of a request's tries so far: "10.0.0.1:80, 10.0.0.2:80 : " and "-, 0.001 : ", where "-" never got
-- a connection.
local var = ngx.var

-- How often each peer was tried, the last one, and whether that one took the connection.
return function()
  local tries = { by_peer = {}, last = nil, connected = false }
  for peer in (var.upstream_addr or ""):gmatch("[^, ][^, ]+") do
    tries.by_peer[peer] = (tries.by_peer[peer] or 0) + 1
    tries.last = peer
  end
  for seconds in (var.upstream_connect_time or ""):gmatch("[-.%d]+") do
    tries.connected = seconds ~= "-"
  end
  return tries
end
