-- What surrounds changes on the way from Entrance. A field that is not known here is an error: it could mean something.
local json = require "state.json"
local key = require "model.key"

local envelope = {}

-- cjson writes 14 digits; 10^14 revisions are enough.
envelope.MAX_INTEGER = 99999999999999

local function is_integer(value)
  return type(value) == "number" and value % 1 == 0 and value >= 0 and value <= envelope.MAX_INTEGER
end

local function is_hash(value)
  return type(value) == "string" and #value == 40 and not value:find("[^%da-f]")
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

-- members: raw texts by name. Decodes those that are expected; keep names one that stays a text.
local function decode(members, required, optional, keep)
  local result = {}
  for name in pairs(members) do
    if not required[name] and not optional[name] and name ~= keep then
      return nil, ("unknown field %s: take it out"):format(json.encode(name:sub(1, 64)))
    end
  end
  for _, names in ipairs { required, optional } do
    for name in pairs(names) do
      local raw = members[name]
      if raw then
        result[name] = json.decode(raw)
      end
      local check = CHECKS[name]
      if (raw or names == required) and not check[1](result[name]) then
        return nil, ("%s must be %s"):format(name, check[2])
      end
    end
  end
  if keep then
    result[keep] = members[keep]
  end
  return result
end

local CHANGES = { format = true, store = true, epoch = true, revision = true, base = true, digest = true }
local SNAPSHOT = { format = true, store = true, epoch = true, revision = true, digest = true, count = true }
local SNAPSHOT_OPTIONAL = { base = true, replaces = true }
local CHANGE = { key = true, revision = true, hash = true }
local REMOVAL = { key = true, revision = true }
local NONE = {}

function envelope.changes(text)
  local members = json.members(text)
  if not members then
    return nil, "the body must be one JSON object"
  end
  local it, problem = decode(members, CHANGES, NONE, "changes")
  if not it then
    return nil, problem
  end
  it.items = it.changes and json.items(it.changes)
  if not it.items then
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
  return decode(members, SNAPSHOT, SNAPSHOT_OPTIONAL)
end

-- One change: {key, revision, hash, value: text on one line, or nil for a removal}. A removal's hash means nothing.
function envelope.change(text)
  local members = json.members(text)
  if not members then
    return nil, "not a JSON object"
  end
  if not members.value then
    return nil, "value is missing: null removes"
  end
  local removes = members.value == "null"
  if removes then
    members.hash = nil
  end
  local change, problem = decode(members, removes and REMOVAL or CHANGE, NONE, "value")
  if not change then
    return nil, problem
  end
  if removes then
    change.value = nil
  elseif json.decode(members.value) == nil then
    return nil, "value is not JSON"
  else
    change.value = json.on_one_line(change.value)
  end
  return change
end

return envelope
