-- Keys name resources: Kind/segment/…, each segment percent-encoded.
local key = {}

key.MAX_LENGTH = 1024 -- two names of 253 characters and one of 63 fit

local SEGMENTS = { Pool = 3, Node = 4, Domain = 1, VirtualService = 2, Rule = 5, Certificate = 2 }
key.KINDS = { "Pool", "Node", "Domain", "VirtualService", "Rule", "Certificate" }

local function decode(segment)
  return (segment:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- Whether text may be a key at all. (What a node can't store or list is an error of the envelope.)
function key.is_well_formed(text)
  if type(text) ~= "string" or #text > key.MAX_LENGTH or not text:find("^%u%a*/") then
    return false
  end
  local plain = text:gsub("%%%x%x", "x")
  if plain:find("[^%w%-%._~!%*'%(%)@:/]") or plain:find("//", 1, true) or plain:sub(-1) == "/" then
    return false
  end
  for segment in text:gmatch("[^/]+") do
    local decoded = decode(segment)
    if decoded == "." or decoded == ".." or decoded:find("[%c/]") then
      return false
    end
  end
  return true
end

function key.kind(text)
  return text:match("^(%a+)/")
end

-- The decoded segments after the kind, or nil and why this is no key of a known kind.
function key.segments(text)
  local kind, rest = text:match("^(%a+)/(.+)$")
  local expected = SEGMENTS[kind]
  if not expected then
    return nil, "this node knows no resources of kind " .. kind
  end
  local segments = {}
  for segment in rest:gmatch("[^/]+") do
    segments[#segments + 1] = decode(segment)
  end
  if #segments ~= expected then
    return nil, ("a key of kind %s has %d segments after the kind, not %d"):format(kind, expected, #segments)
  end
  return segments
end

-- Node/NAMESPACE/SERVICE/PORT/SLICE belongs to Pool/NAMESPACE/SERVICE/PORT.
function key.pool_of_node(text)
  return "Pool/" .. text:match("^Node/([^/]+/[^/]+/[^/]+)/")
end

return key
