-- Keys name resources: Kind/segment/…, each segment percent-encoded.
local key = {}

local byte, find, sub = string.byte, string.find, string.sub

local SLASH, DOT = 47, 46

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

local IS_ALLOWED = {}
for code = 0, 255 do
  IS_ALLOWED[code] = find(string.char(code), "[%w%-%._~!%*'%(%)@:]") ~= nil
end

-- Without escapes, which is nearly always: one loop, as each pattern takes as long as all of it.
local function has_good_segments(text)
  local start, dots = 1, 0
  for at = 1, #text + 1 do
    local code = byte(text, at) or SLASH
    if code == SLASH then
      if at - start == dots and dots <= 2 then
        return false -- nothing, . or ..
      end
      start, dots = at + 1, 0
    elseif not IS_ALLOWED[code] then
      return false
    elseif code == DOT then
      dots = dots + 1
    end
  end
  return true
end

local function has_good_escaped_segments(text)
  local plain = text:gsub("%%%x%x", "x")
  if find(plain, "%", 1, true) or not has_good_segments(plain) then
    return false
  end
  for segment in text:gmatch("[^/]+") do
    local decoded = decode(segment)
    if decoded == "." or decoded == ".." or find(decoded, "[%c/]") then
      return false
    end
  end
  return true
end

-- Whether text may be a key at all. (What a node can't store or list is an error of the envelope.)
function key.is_well_formed(text)
  if type(text) ~= "string" or #text > key.MAX_LENGTH or not find(text, "^%u%a*/") then
    return false
  end
  if find(text, "%", 1, true) then
    return has_good_escaped_segments(text)
  end
  return has_good_segments(text)
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
