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

local RICH = { location = "@rich_0", on_request = { send }, on_header = {} } -- see route/rich.lua

-- As a route of its own, kept by the one that redirects: what is noted with it (metrics/note.lua) goes with that one.
function to_https.route(redirecting)
  redirecting.to_https = redirecting.to_https or { type = "prefix", value = "/", pools = {}, rich = RICH }
  return redirecting.to_https
end

-- path: as nginx has normalised it.
function to_https.is_asked(path)
  return path:sub(1, #CHALLENGES) ~= CHALLENGES
end

return to_https
