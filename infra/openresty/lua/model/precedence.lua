-- Which of several rules of one host goes first: Gateway API's order. Pure; runs without nginx, and equals the
-- TypeScript one. A rule here is its value with `number`, the last segment of its key, beside it.
local precedence = {}

-- Exact paths, then regular expressions (Gateway API leaves their place open; behind prefixes, / would hide them all),
-- then prefixes of both sorts, each by length.
local CLASS = { exact = 0, regex = 1, prefix = 2, start = 2 }
local WITHIN = { exact = 0, regex = 1, prefix = 2, start = 3 }

local function size(list)
  return type(list) == "table" and #list or 0
end

-- What the order is made of, most important first; smaller goes first.
function precedence.rank(rule)
  local matches = type(rule.matches) == "table" and rule.matches or {}
  local path = type(matches.path) == "table" and matches.path or { type = "prefix", value = "/" }
  local has_method = type(matches.method) == "string" and matches.method ~= ""
  return {
    CLASS[path.type],
    -#path.value,
    WITHIN[path.type],
    has_method and 0 or 1,
    -size(matches.headers),
    -size(matches.query),
    rule.owner.created, -- RFC 3339 in UTC compares as text
    rule.owner.namespace .. "/" .. rule.owner.name,
    rule.owner.kind,
    rule.number,
  }
end

-- Whether the rule of rank a goes before that of rank b.
function precedence.before(a, b)
  for index = 1, #a do
    if a[index] ~= b[index] then
      return a[index] < b[index]
    end
  end
  return false
end

return precedence
