-- Gateway API's HTTPPathModifier, and ReplaceRegexMatch beside it: a new path, or a new beginning, or one put together
-- from what a regular expression found.
local field = require "model.field"
local pattern = require "model.pattern"

local path_change = {}

local TYPES = { "ReplaceFullPath", "ReplacePrefixMatch", "ReplaceRegexMatch" }
local MEMBERS = {
  ReplaceFullPath = "replaceFullPath",
  ReplacePrefixMatch = "replacePrefixMatch",
  ReplaceRegexMatch = "replaceRegexMatch",
}
local MAX_PATH = 1024

local function check_text(name, text)
  local reason = field.text(name, text, MAX_PATH)
  if not reason and (text:sub(1, 1) ~= "/" or text:find("[?#]")) then
    return name .. " must begin with / and have no ? or #"
  end
  return reason
end

function path_change.check(it, rule)
  local reason = field.object("path", it) or field.one_of("path.type", it.type, TYPES)
  if reason then
    return reason
  end
  local member = MEMBERS[it.type]
  reason = check_text("path." .. member, it[member])
  if reason or it.type == "ReplaceFullPath" then
    return reason
  end
  local match = field.default(field.default(rule.matches, {}).path, { type = "prefix" })
  if (it.type == "ReplaceRegexMatch") ~= (match.type == "regex") then
    return it.type .. " does not go with a path match of type " .. tostring(match.type)
  end
  return nil
end

local function without_slashes(path)
  return (path:gsub("/+$", ""))
end

local function replaced_prefix(prefix, instead)
  prefix, instead = without_slashes(prefix), without_slashes(instead)
  return function(path)
    local new = instead .. path:sub(#prefix + 1)
    return new:sub(1, 1) == "/" and new or "/" .. new
  end
end

local function replaced_match(expression, template)
  local find = pattern.of_path(expression)
  return function(path)
    local found = find(path) or {}
    local new = template:gsub("%$(%d)", function(place)
      return found[tonumber(place)] or ""
    end)
    -- Captures may begin with the slash that the template has, too.
    return (new:gsub("//+", "/"))
  end
end

-- A function from path to path, both decoded.
function path_change.compile(it, rule)
  local match = field.default(field.default(rule.matches, {}).path, { type = "prefix", value = "/" })
  if it.type == "ReplacePrefixMatch" then
    return replaced_prefix(match.value, it.replacePrefixMatch)
  elseif it.type == "ReplaceRegexMatch" then
    return replaced_match(match.value, it.replaceRegexMatch)
  end
  return function()
    return it.replaceFullPath
  end
end

-- A decoded path as it is written in a request line or a Location.
function path_change.escape(path)
  return (path:gsub("[^%w%-%._~!$&'()*+,;=:@/]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

return path_change
