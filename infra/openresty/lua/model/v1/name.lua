-- Names of v1: which protocols keep their items apart, and how one is known with and without Rainbond's suffix.
local settings = require "settings"

local name = {}

-- Servers of one name exist once per protocol: Rainbond's http and https halves of a domain share theirs. An upstream
-- for http serves https, too.
local PROTOCOLS = { servers = { "http", "https", "tcp", "udp" }, upstreams = { "http", "tcp", "udp" } }

local KNOWN = { http = true, https = true, tcp = true, udp = true }

function name.is_usable(text)
  return #text <= 253 and text:find("^[-_%w.@]+$") ~= nil
end

-- Calls visit(kind, protocol) for each list of names.
function name.each_list(visit)
  for kind, protocols in pairs(PROTOCOLS) do
    for _, protocol in ipairs(protocols) do
      visit(kind, protocol)
    end
  end
end

-- An item as it stands in a journal or a snapshot file; with no value its removal.
function name.line(kind, protocol, item, value)
  return ('{"kind":"%s","protocol":"%s","name":"%s","value":%s}'):format(kind, protocol, item, value or "null")
end

-- The protocol that items of this kind are kept under, or nil when there is none such.
function name.protocol(kind, protocol)
  if not KNOWN[protocol] then
    return nil
  end
  return kind == "upstreams" and protocol == "https" and "http" or protocol
end

-- An upstream is known under its name and under its name with the suffix; kept without.
function name.without_suffix(text)
  local tail = "." .. settings.suffix
  if settings.suffix ~= "" and #text > #tail and text:sub(-#tail) == tail then
    return text:sub(1, -#tail - 1)
  end
  return text
end

-- The host that leads to an upstream without any server.
function name.with_suffix(text)
  return (settings.suffix == "" and text or text .. "." .. settings.suffix):lower()
end

return name
