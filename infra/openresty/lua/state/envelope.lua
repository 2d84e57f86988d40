-- What surrounds changes on the way from Entrance. A field that is not known here is an error: it could mean something.
local carried = require "state.carried"
local json = require "state.json"
local scan = require "state.scan"

local envelope = {}

local CHECKS = {
  format = { function(value) return value == 1 end, "1" },
  store = { carried.is_store, "1 to 128 letters, digits, dots, dashes or underscores" },
  epoch = { carried.is_integer, "a whole number" },
  revision = { carried.is_integer, "a whole number" },
  base = { carried.is_integer, "a whole number" },
  count = { carried.is_integer, "a whole number" },
  digest = { carried.is_hash, "40 hex digits in lower case" },
  replaces = { carried.is_store, "the id of a store" },
}

-- These are cut out; the others are decoded.
local IS_TEXT = { store = true, digest = true, replaces = true }

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
local function members_of_changes(text)
  local members = {}
  local at, more = scan.enter(text, 1, scan.OPEN_OBJECT)
  while more do
    local after_name, start = scan.name(text, at)
    local name = after_name and json.string_at(text, at, after_name)
    local value, stop
    if name == "changes" then
      value, stop = json.starts_at(text, start)
      value, stop = value or false, stop or scan.value(text, start)
    else
      stop = name and scan.value(text, start)
      value = stop and text:sub(start, stop - 1)
    end
    if not stop or members[name] ~= nil then
      return nil
    end
    members[name] = value
    at, more = scan.go_on(text, stop, scan.OPEN_OBJECT)
  end
  return at and scan.is_end(text, at) and members
end

-- A body: the envelope's fields; changes says where each begins.
function envelope.changes(text)
  local members = members_of_changes(text)
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

return envelope
