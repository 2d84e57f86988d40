-- Asks a member over HTTP/1.1; gives the status, or nil and why there is none.
return function(connection, host, path)
  local fine, problem = connection:send("GET " .. path .. " HTTP/1.1\r\nHost: " .. host
    .. "\r\nUser-Agent: entrance\r\nAccept: */*\r\nConnection: close\r\n\r\n")
  local line
  if fine then
    line, problem = connection:line()
  end
  if not line then
    return nil, "it did not answer: " .. problem
  end
  local status = tonumber(line:match("^HTTP/1%.%d (%d%d%d)"))
  return status, not status and "it does not speak HTTP/1.1" or nil
end
