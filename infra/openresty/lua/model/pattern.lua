-- Regular expressions of users (PCRE). They are data: bounded in length here, in steps by lua_regex_match_limit in
-- nginx.conf, compiled once for each worker; one that does not compile is refused with its reason.
local re = require "ngx.re"
local match = ngx.re.match

local pattern = {}

local MAX_LENGTH = 512
local OPTIONS = "jos" -- just in time, once; a dot is any character

re.opt("jit_stack_size", 128 * 1024)

function pattern.check(name, text)
  if type(text) ~= "string" or text == "" or #text > MAX_LENGTH or text:find("%c") then
    return ("%s must be a regular expression of at most %d characters"):format(name, MAX_LENGTH)
  end
  -- Alone, and as it is used: a)|(b would break out of its group.
  for _, each in ipairs { text, "^(?:" .. text .. ")\\z" } do
    local ok, found, problem = pcall(match, "", each, "js")
    if not ok or not found and problem then
      return ("%s is no regular expression: %s"):format(name, tostring(ok and problem or found))
    end
  end
  return nil
end

-- What needs more steps than allowed matches nothing.
local function matcher(expression)
  return function(text)
    return (match(text, expression, OPTIONS))
  end
end

-- Of a path, the beginning must match; of a header's or parameter's value, all.
function pattern.of_path(text)
  return matcher("^(?:" .. text .. ")")
end

function pattern.of_value(text)
  return matcher("^(?:" .. text .. ")\\z")
end

return pattern
