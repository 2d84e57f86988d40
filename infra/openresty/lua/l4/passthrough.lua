-- Which names' TLS connections are passed through as they are, and to which pool. The most specific name decides, as
-- with certificates: the name itself, its wildcard (of one label), *.
local domain = require "model.domain"
local field = require "model.field"
local index = require "state.index"
local json = require "state.json"
local key = require "model.key"
local memory = require "state.memory"
local record = require "state.record"
local sets = require "state.sets"

local passthrough = {}

local MAX_NAMES = 20000 -- in one map

-- These alone become configuration, or are compared.
local function is_plain(name)
  return domain.is_name(name) and not name:find("[^%l%d%-_%.%*]")
end

local function read(name)
  local it = record.decode(memory.current(index.record(name)))
  local text = it and record.serving(it)
  return text and json.decode(text)
end

local function wildcard_of(name)
  local rest = name:match("^[^.]+(%..+)$")
  return rest and "*" .. rest
end

-- What is ended here though a wildcard passes its neighbours through: these names alone make exceptions.
local function add_exceptions(found, by_name)
  for bucket = 0, index.BUCKETS - 1 do
    for name in sets.current("keys/" .. bucket) do
      local host = name:sub(1, 7) == "Domain/" and key.segments(name)[1]
      local wider = host and not by_name[host] and is_plain(host) and (by_name[wildcard_of(host) or ""] or by_name["*"])
      if wider then
        found[#found + 1] = { key = name, name = host }
        if #found > MAX_NAMES then
          return false
        end
      end
    end
  end
  return true
end

local function by_name(a, b)
  return a.name < b.name
end

local function of_domains()
  local found, known, has_wildcard = {}, {}, false
  for name in sets.current(index.PASSTHROUGHS) do
    local value, segments = read(name), key.segments(name)
    local pool = value and field.default(value.passthrough, nil)
    if pool and segments and is_plain(segments[1]) and #found < MAX_NAMES then
      found[#found + 1] = { key = name, name = segments[1], pool = pool }
      known[segments[1]] = true
      has_wildcard = has_wildcard or segments[1]:sub(1, 1) == "*"
    end
  end
  return found, known, has_wildcard
end

-- {key, name, pool} of each, in one order; those without a pool are ended here. Empty where none passes through.
function passthrough.all()
  local found, known, has_wildcard = of_domains()
  if has_wildcard and not add_exceptions(found, known) then
    for _, it in ipairs(found) do
      it.reason = ("a wildcard passes through beside more than %d names: name what passes through"):format(MAX_NAMES)
    end
  end
  table.sort(found, by_name)
  return found
end

return passthrough
