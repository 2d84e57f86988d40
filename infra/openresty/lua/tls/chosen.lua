-- Which certificates a handshake is answered with, as this worker knows them: parsed when first asked for, bounded, and
-- forgotten when they change (route/view.lua).
local index = require "state.index"
local json = require "state.json"
local memory = require "state.memory"
local model = require "model.domain"
local pair = require "tls.pair"
local recent = require "tls.recent"
local record = require "state.record"
local v1 = require "state.v1"

local chosen = {}

-- A pair takes 10 to 30 KB beside Lua's memory.
local MAX_PAIRS = 2000
local MAX_NAMES = 20000

local pairs_by_key = recent.new(MAX_PAIRS, pair.free)
local keys_by_name = recent.new(MAX_NAMES) -- a list of the pairs' keys, or false

local function value_of(name, version)
  local it = record.decode(memory.get(index.record(name), version))
  local text = it and record.serving(it)
  return text and json.decode(text)
end

local function compile(key, version)
  local value = key:find("^servers/") and v1.read(key, version) or value_of(key, version)
  if not value then
    return false
  end
  local it, problem = pair.parse(value.chain, value.key)
  if not it then
    ngx.log(ngx.WARN, "a certificate can't be used: ", key, ": ", problem)
  end
  return it or false
end

-- The parsed pair, or false.
function chosen.pair(key, version)
  local it = pairs_by_key:get(key)
  if it == nil then
    it = compile(key, version)
    pairs_by_key:put(key, it)
  end
  return it
end

-- Of those that are there the one that ends last, for each kind of key.
local function best(keys, version)
  local list, place_of_kind = {}, {}
  for _, key in ipairs(keys) do
    local it = chosen.pair(key, version)
    local place = it and (place_of_kind[it.kind] or #list + 1)
    local present = place and list[place] and chosen.pair(list[place], version)
    if it and not (present and present.not_after >= it.not_after) then
      list[place], place_of_kind[it.kind] = key, place
    end
  end
  return list
end

local function keys_of_v1(name, version)
  local keys = {}
  for _, it in ipairs(v1.of_host(name, version)) do
    if it.chain then
      keys[#keys + 1] = it.label
    end
  end
  return keys
end

-- What v2 says of a name counts before what v1 says of it.
local function of_domain(name, version)
  local domain = value_of("Domain/" .. name, version)
  local list = best(type(domain) == "table" and domain.certificates or {}, version)
  if #list == 0 then
    list = best(keys_of_v1(name, version), version)
  end
  return #list > 0 and list
end

-- The name's own, then its wildcard's, then the default.
local function look_up(name, version)
  local rest = name ~= "*" and name:match("^[^.]+(%..+)$")
  return name ~= "*" and of_domain(name, version) or rest and of_domain("*" .. rest, version)
    or of_domain("*", version)
end

-- name: as the client says it, or nil. The keys of the pairs to answer with, or false.
function chosen.of(name, version)
  name = name and name:lower() or "*"
  if not model.is_name(name) then
    name = "*"
  end
  local keys = keys_by_name:get(name)
  if keys == nil then
    keys = look_up(name, version)
    keys_by_name:put(name, keys)
  end
  return keys
end

-- A pair has changed, and with it perhaps which of several is best; or, without a key, what a name has.
function chosen.forget(key)
  if key then
    pairs_by_key:forget(key)
  end
  keys_by_name:clear()
end

function chosen.forget_everything()
  pairs_by_key:clear()
  keys_by_name:clear()
end

return chosen
