-- What was decided at start: conf/settings.json and conf/keys, written by prepare.ts, read once before the fork.
local json = require "state.json"

local function read(path)
  local file = assert(io.open(path, "r"))
  local text = file:read("*a")
  file:close()
  return text
end

local prefix = ngx.config.prefix()
local settings = assert(json.decode(read(prefix .. "conf/settings.json")))
settings.state_folder = prefix .. "state"
settings.keys = {}
for key in read(prefix .. "conf/keys"):gmatch("[^\n]+") do
  settings.keys[#settings.keys + 1] = key
end

return settings
