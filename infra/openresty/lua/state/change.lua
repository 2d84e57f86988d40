-- One change on its way in: {key, revision, hash, value: text on one line, decoded: what it says}, without a value for
-- a removal, whose hash means nothing. 20,000 come at once: one scan, and nothing is cut out that is not kept.
local carried = require "state.carried"
local json = require "state.json"
local key = require "model.key"
local scan = require "state.scan"

local change = {}

local sub = string.sub

local function is_usable(it)
  if not key.is_well_formed(it.key) then
    return "key must be Kind/segment/…, percent-encoded per segment, at most 1024 bytes"
  elseif not carried.is_integer(it.revision) then
    return "revision must be a whole number"
  elseif it.value and not carried.is_hash(it.hash) then
    return "hash must be 40 hex digits in lower case"
  end
  return nil
end

-- A member of a change, by its name; true when it is none or came before.
local function take(it, name, text, start, stop)
  if it[name] ~= false then
    return true
  elseif name == "value" then
    it.value = sub(text, start, stop - 1)
  elseif name == "revision" then
    it.revision = scan.integer(text, start, stop) or json.decode(sub(text, start, stop - 1))
  else
    it[name] = json.text_at(text, start, stop)
  end
  return false
end

local function finish(it)
  if not it.value then
    return nil, "value is missing: null removes"
  end
  if it.value == "null" then
    it.value = nil
  end
  local problem = is_usable(it)
  if problem then
    return nil, problem
  end
  if it.value then
    it.decoded = json.decode(it.value)
    if it.decoded == nil then
      return nil, "value is not JSON"
    end
    it.value = json.on_one_line(it.value)
  end
  return it
end

-- The change that begins here, and the place after it; or nil and why not.
function change.at(text, at)
  local it = { key = false, revision = false, hash = false, value = false }
  local more
  at, more = scan.enter(text, at, scan.OPEN_OBJECT)
  while more do
    local after_name, start = scan.name(text, at)
    local stop = after_name and scan.value(text, start)
    local name = stop and json.string_at(text, at, after_name)
    if not name then
      return nil, "not a JSON object"
    end
    if take(it, name, text, start, stop) then
      return nil, ("unknown field %s, or there twice: take it out"):format(json.encode(name:sub(1, 64)))
    end
    at, more = scan.go_on(text, stop, scan.OPEN_OBJECT)
  end
  if not at then
    return nil, "not a JSON object"
  end
  local found, problem = finish(it)
  return found, problem or at
end

-- A snapshot's line.
function change.of(text)
  local it, at = change.at(text, 1)
  if it and not scan.is_end(text, at) then
    return nil, "not a JSON object"
  end
  return it, at
end

return change
