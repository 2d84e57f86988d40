-- What surrounds changes on the way from Entrance. A field that is not known here is an error: it could mean something.
local json = require "state.json"
local key = require "model.key"
local scan = require "state.scan"

local envelope = {}

local find, sub = string.find, string.sub

-- cjson writes 14 digits; 10^14 revisions are enough.
envelope.MAX_INTEGER = 99999999999999

local function is_integer(value)
  return type(value) == "number" and value % 1 == 0 and value >= 0 and value <= envelope.MAX_INTEGER
end

local function is_hash(value)
  return type(value) == "string" and #value == 40 and not find(value, "[^%da-f]")
end

local function is_store(value)
  return type(value) == "string" and #value >= 1 and #value <= 128 and not value:find("[^%w%._%-]")
end

local CHECKS = {
  format = { function(value) return value == 1 end, "1" },
  store = { is_store, "1 to 128 letters, digits, dots, dashes or underscores" },
  epoch = { is_integer, "a whole number" },
  revision = { is_integer, "a whole number" },
  base = { is_integer, "a whole number" },
  count = { is_integer, "a whole number" },
  digest = { is_hash, "40 hex digits in lower case" },
  replaces = { is_store, "the id of a store" },
  hash = { is_hash, "40 hex digits in lower case" },
  key = { key.is_well_formed, "Kind/segment/…, percent-encoded per segment, at most 1024 bytes" },
}

-- These are cut out; the others are decoded.
local IS_TEXT = { store = true, digest = true, replaces = true, hash = true, key = true }

-- Replaces the raw text of one member by what it says; gives the sentence for a 400 when that is nothing expected.
local function decode(members, name)
  local raw, check = members[name], CHECKS[name]
  local value
  if raw then
    value = (IS_TEXT[name] and json.unquote or json.decode)(raw)
  end
  if not check[1](value) then
    return ("%s must be %s"):format(name, check[2])
  end
  members[name] = value
  return nil
end

local function unknown(members, known)
  for name in pairs(members) do
    if not known[name] then
      return ("unknown field %s: take it out"):format(json.encode(name:sub(1, 64)))
    end
  end
  return nil
end

local CHANGES = { "format", "store", "epoch", "revision", "base", "digest" }
local SNAPSHOT = { "format", "store", "epoch", "revision", "digest", "count" }
local SNAPSHOT_OPTIONAL = { "base", "replaces" }

local function set_of(...)
  local set = {}
  for _, names in ipairs { ... } do
    for _, name in ipairs(names) do
      set[name] = true
    end
  end
  return set
end

local KNOWN_IN_CHANGES = set_of(CHANGES, { "changes" })
local KNOWN_IN_SNAPSHOT = set_of(SNAPSHOT, SNAPSHOT_OPTIONAL)

local function decode_all(members, known, required, optional)
  local problem = unknown(members, known)
  for _, name in ipairs(required) do
    problem = problem or decode(members, name)
  end
  for _, name in ipairs(optional) do
    problem = problem or members[name] and decode(members, name)
  end
  if problem then
    return nil, problem
  end
  return members
end

-- The envelope's raw members, and instead of the changes where each begins: 6 MB of them are not copied.
local function members_of_changes(text, bytes, length)
  local members = {}
  local at, more = scan.enter(bytes, 0, length, scan.OPEN_OBJECT)
  while more do
    local after_name, start = scan.name(bytes, at, length)
    local name = after_name and json.string_at(text, at, after_name)
    local value, finish
    if name == "changes" then
      value, finish = json.starts_at(bytes, start, length)
      value, finish = value or false, finish or scan.value(bytes, start, length)
    else
      finish = name and scan.value(bytes, start, length)
      value = finish and text:sub(start + 1, finish)
    end
    if not finish or members[name] ~= nil then
      return nil
    end
    members[name] = value
    at, more = scan.go_on(bytes, finish, length, scan.OPEN_OBJECT)
  end
  return at and scan.is_end(bytes, at, length) and members
end

-- A body: the envelope's fields; changes says where each begins.
function envelope.changes(text)
  local members = members_of_changes(text, json.bytes(text), #text)
  if not members then
    return nil, "the body must be one JSON object"
  end
  local it, problem = decode_all(members, KNOWN_IN_CHANGES, CHANGES, {})
  if not it then
    return nil, problem
  end
  if not it.changes then
    return nil, "changes must be a list"
  end
  if it.base > it.revision then
    return nil, "base must not be greater than revision"
  end
  return it
end

function envelope.snapshot(text)
  local members = json.members(text)
  if not members then
    return nil, "the first line must be one JSON object"
  end
  return decode_all(members, KNOWN_IN_SNAPSHOT, SNAPSHOT, SNAPSHOT_OPTIONAL)
end

local function is_usable(it)
  if not key.is_well_formed(it.key) then
    return "key must be " .. CHECKS.key[2]
  elseif not is_integer(it.revision) then
    return "revision must be a whole number"
  elseif it.value and not is_hash(it.hash) then
    return "hash must be 40 hex digits in lower case"
  end
  return nil
end

-- A member of a change, by its name; true when it is none or came before.
local function take(it, name, text, start, finish)
  if it[name] ~= false then
    return true
  elseif name == "value" then
    it.value = sub(text, start + 1, finish)
  elseif name == "revision" then
    it.revision = json.decode(sub(text, start + 1, finish))
  else
    it[name] = json.text_at(text, start, finish)
  end
  return false
end

local function finish_change(it)
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

-- The change that begins at an offset: {key, revision, hash, value: text on one line, decoded: what it says}, without a
-- value for a removal, whose hash means nothing; and the offset after it. (20,000 come at once: nothing is cut out that
-- is not kept.)
function envelope.change_at(text, at)
  local bytes, length = json.bytes(text), #text
  local it = { key = false, revision = false, hash = false, value = false }
  local more
  at, more = scan.enter(bytes, at, length, scan.OPEN_OBJECT)
  while more do
    local after_name, start = scan.name(bytes, at, length)
    local finish = after_name and scan.value(bytes, start, length)
    if not finish then
      return nil, "not a JSON object"
    end
    local name = json.string_at(text, at, after_name)
    if take(it, name, text, start, finish) then
      return nil, ("unknown field %s, or there twice: take it out"):format(json.encode(name:sub(1, 64)))
    end
    at, more = scan.go_on(bytes, finish, length, scan.OPEN_OBJECT)
  end
  if not at then
    return nil, "not a JSON object"
  end
  local change, problem = finish_change(it)
  return change, problem or at
end

-- A snapshot's line.
function envelope.change(text)
  local it, at = envelope.change_at(text, 0)
  if it and not scan.is_end(json.bytes(text), at, #text) then
    return nil, "not a JSON object"
  end
  return it, at
end

return envelope
