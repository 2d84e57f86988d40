-- JSON as it travels: cuts a text into the raw text of its members, so that a value is kept exactly as it came in
-- (cjson cannot tell {} from []), and puts lists together.
local ffi = require "ffi"
local cjson = require("cjson.safe").new()

cjson.decode_max_depth(32)
cjson.decode_invalid_numbers(false)

local QUOTE, BACKSLASH, COMMA, COLON = 34, 92, 44, 58
local OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT = 91, 93, 123, 125

local json = { decode = cjson.decode, null = require("cjson").null }

-- cjson writes / as \/, which is right and hard to read.
function json.encode(value)
  return (cjson.encode(value):gsub("\\/", "/"))
end

local function is_space(byte)
  return byte == 32 or byte == 10 or byte == 13 or byte == 9
end

local function after_spaces(bytes, at, length)
  while at < length and is_space(bytes[at]) do
    at = at + 1
  end
  return at
end

-- The offset after the string that starts here; a raw control character in it is an error, as JSON says.
local function after_string(bytes, at, length)
  at = at + 1
  while at < length do
    local byte = bytes[at]
    if byte == QUOTE then
      return at + 1
    end
    if byte < 32 then
      return nil
    end
    at = at + (byte == BACKSLASH and 2 or 1)
  end
  return nil
end

-- The offset after the value that starts here. Only its extent is found: whether it is JSON, its decoding tells.
local function after_value(bytes, at, length)
  local depth = 0
  local start = at
  while at < length do
    local byte = bytes[at]
    if byte == QUOTE then
      at = after_string(bytes, at, length)
      if not at or depth == 0 then
        return at
      end
    elseif byte == OPEN_OBJECT or byte == OPEN_LIST then
      depth = depth + 1
      at = at + 1
    elseif byte == CLOSE_OBJECT or byte == CLOSE_LIST then
      if depth == 0 then
        return at > start and at or nil
      end
      depth = depth - 1
      at = at + 1
      if depth == 0 then
        return at
      end
    elseif depth == 0 and (byte == COMMA or is_space(byte)) then
      return at > start and at or nil
    else
      at = at + 1
    end
  end
  return depth == 0 and at > start and at or nil
end

-- Walks through the one object or list that text is; visit gets each part's raw text, and its name in an object.
local function walk(text, open, close, visit)
  local bytes, length = ffi.cast("const uint8_t *", text), #text
  local at = after_spaces(bytes, 0, length)
  if at >= length or bytes[at] ~= open then
    return nil
  end
  at = after_spaces(bytes, at + 1, length)
  local first = true
  while at < length do
    if first and bytes[at] == close then
      return after_spaces(bytes, at + 1, length) == length or nil
    end
    first = false
    local name
    if open == OPEN_OBJECT then
      local finish = bytes[at] == QUOTE and after_string(bytes, at, length)
      name = finish and cjson.decode(text:sub(at + 1, finish))
      if type(name) ~= "string" then
        return nil
      end
      at = after_spaces(bytes, finish, length)
      if at >= length or bytes[at] ~= COLON then
        return nil
      end
      at = after_spaces(bytes, at + 1, length)
    end
    local finish = after_value(bytes, at, length)
    if not finish or visit(text:sub(at + 1, finish), name) == false then
      return nil
    end
    at = after_spaces(bytes, finish, length)
    if at >= length then
      return nil
    end
    if bytes[at] == close then
      return after_spaces(bytes, at + 1, length) == length or nil
    end
    if bytes[at] ~= COMMA then
      return nil
    end
    at = after_spaces(bytes, at + 1, length)
  end
  return nil
end

-- {name: raw text}, or nil when text is no object or names something twice.
function json.members(text)
  local members = {}
  local whole = walk(text, OPEN_OBJECT, CLOSE_OBJECT, function(raw, name)
    if members[name] then
      return false
    end
    members[name] = raw
    return true
  end)
  return whole and members
end

-- The raw texts of a list's items, or nil when text is no list.
function json.items(text)
  local items = {}
  local whole = walk(text, OPEN_LIST, CLOSE_LIST, function(raw)
    items[#items + 1] = raw
  end)
  return whole and items
end

-- One line: a valid text has line breaks only between its parts.
function json.on_one_line(text)
  return (text:gsub("[\r\n]", " "))
end

-- A list of texts that are JSON already.
function json.list(texts)
  return "[" .. table.concat(texts, ",") .. "]"
end

return json
