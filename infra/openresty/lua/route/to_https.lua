-- What requests by http meet where a rule sends them to https: the same address there, whatever the method. Only
-- certificate authorities' challenges are answered where they ask.
local location = require "filter.location"
local page = require "phase.page"

local to_https = {}

local CHALLENGES = "/.well-known/acme-challenge/"

local function send()
  local host, target = ngx.var.host, ngx.var.request_uri
  if host == "" then
    return page.finish(404) -- HTTP/1.0 without any: there is no address to send to
  end
  target = target:sub(1, 1) == "/" and target or "/" .. target
  return location.send(308, "https://" .. host .. location.port("https", nil, true) .. target)
end

-- As a route; see route/rich.lua.
to_https.route = {
  type = "prefix", value = "/", pools = {},
  rich = { location = "@rich_0", on_request = { send }, on_header = {} },
}

-- path: as nginx has normalised it.
function to_https.is_asked(path)
  return path:sub(1, #CHALLENGES) ~= CHALLENGES
end

return to_https
