-- Keys name resources: Kind/segment/…, each segment percent-encoded.
local key = {}

local find, sub = string.find, string.sub

key.MAX_LENGTH = 1024 -- two names of 253 characters and one of 63 fit

local SEGMENTS = { Pool = 3, Node = 4, Domain = 1, VirtualService = 2, Rule = 5, Certificate = 2 }
key.KINDS = { "Pool", "Node", "Domain", "VirtualService", "Rule", "Certificate" }

local function character(digits)
  return string.char(tonumber(digits, 16))
end

-- (A function made in here, even on the rare way, would keep LuaJIT from compiling whoever calls this.)
local function decode(segment)
  if not find(segment, "%", 1, true) then
    return segment
  end
  return (segment:gsub("%%(%x%x)", character))
end

-- Whether text may be a key at all. (What a node can't store or list is an error of the envelope.)
function key.is_well_formed(text)
  if type(text) ~= "string" or #text > key.MAX_LENGTH or not find(text, "^%u%a*/") then
    return false
  end
  local has_escapes = find(text, "%", 1, true)
  local plain = has_escapes and text:gsub("%%%x%x", "x") or text
  if find(plain, "[^%w%-%._~!%*'%(%)@:/]") or find(plain, "//", 1, true) or sub(plain, -1) == "/" then
    return false
  end
  if not has_escapes then
    return not find(text, "/.", 1, true) or not (find(text, "/%.%.?/") or find(text, "/%.%.?$"))
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
  return sub(text, 1, find(text, "/", 1, true) - 1)
end

-- The decoded segments after the kind, or nil and why this is no key of a known kind.
function key.segments(text)
  local kind = key.kind(text)
  local expected = SEGMENTS[kind]
  if not expected then
    return nil, "this node knows no resources of kind " .. kind
  end
  local segments, count = {}, 0
  local at = #kind + 2
  while at <= #text do
    local slash = find(text, "/", at, true) or #text + 1
    count = count + 1
    segments[count] = decode(sub(text, at, slash - 1))
    at = slash + 1
  end
  if count ~= expected then
    return nil, ("a key of kind %s has %d segments after the kind, not %d"):format(kind, expected, count)
  end
  return segments
end

-- Node/NAMESPACE/SERVICE/PORT/SLICE belongs to Pool/NAMESPACE/SERVICE/PORT.
function key.pool_of_node(text)
  local last = find(text, "/[^/]*$")
  return "Pool/" .. sub(text, #"Node/" + 1, last - 1)
end

return key
