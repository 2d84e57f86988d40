-- Who answers on which port and name, as all stream workers see it: one text for each, and a version that moves when
-- any of them changes.
local dict = ngx.shared.entrance_connections

local content = {}

local VERSION, MADE = "\1version", "\1made" -- no line begins so
local FILE = "conf/generated/current/.connections"

function content.version()
  return dict:get(VERSION) or 0
end

function content.get(name)
  return dict:get(name)
end

-- Replaces everything by lines of NAME, tab, JSON, after a first one with a number that is larger the later they were
-- made. true, or nil and why not; what fits is kept then. What is older than what is here changes nothing: a reload
-- without a new generation reads that one's file once more, and members have been handed over since.
function content.replace(text)
  local made, lines = text:match("^(%d+)\n(.*)$")
  made = tonumber(made)
  if not made then
    return nil, "it does not say when it was made"
  elseif made < (dict:get(MADE) or 0) then
    return true
  end
  local known, problem = { [VERSION] = true, [MADE] = true }, nil
  dict:safe_set(MADE, made)
  for name, value in lines:gmatch("([^\t\n]+)\t([^\n]*)") do
    known[name] = true
    if dict:get(name) ~= value then
      local fine, why = dict:safe_set(name, value)
      problem = problem or not fine and why or nil
    end
  end
  for _, name in ipairs(dict:get_keys(0)) do
    if not known[name] then
      dict:delete(name)
    end
  end
  dict:incr(VERSION, 1, 0)
  return not problem or nil, problem
end

-- What a configuration begins with, in the master.
function content.load()
  local file = io.open(ngx.config.prefix() .. FILE, "r")
  if file then
    content.replace(file:read("*a"))
    file:close()
  end
end

return content
