-- Who may use the admin listener.
local bit = require "bit"
local settings = require "settings"

local caller = {}

-- Takes the same time wherever the two differ.
local function equal(one, other)
  local difference = 0
  for place = 1, #one do
    difference = bit.bor(difference, bit.bxor(one:byte(place), other:byte(place)))
  end
  return difference == 0
end

-- Digests are of one length, whatever is sent.
local valid = {}
for place, key in ipairs(settings.keys) do
  valid[place] = ngx.sha1_bin(key)
end

function caller.has_key()
  local sent = (ngx.var.http_authorization or ""):match("^[Bb]earer (.+)$")
  local digest = ngx.sha1_bin(sent or "")
  local known = false
  for _, expected in ipairs(valid) do
    known = equal(digest, expected) or known
  end
  return known and sent ~= nil
end

-- A web page in somebody's browser can reach loopback, too. It sends an Origin; programs don't.
function caller.is_browser()
  return ngx.var.http_origin ~= nil
end

return caller
