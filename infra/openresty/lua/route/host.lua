-- Which host a request is for. By an absolute request line (GET http://one/ with Host: another) nginx would choose by
-- the one, and members hear the other: a way around whatever guards the other's rules. So the two must be one; where
-- the balancer does not ask for both, it goes by the Host alone.
local host = {}

-- said: the Host as it came, nil in HTTP/1.0 without any. chosen: nginx's $host.
function host.agrees(said, chosen)
  if said == chosen or said == nil then
    return true
  end
  local name = said:lower()
  name = name:match("^%[[^%]]*%]") or name:match("^[^:]*")
  return name:gsub("%.$", "") == chosen
end

return host
