-- JSON as it travels: cuts a text into the raw text of its members, so that a value is kept exactly as it came in
-- (cjson cannot tell {} from []), and puts lists together.
local ffi = require "ffi"
local breath = require "state.breath"
local cjson = require("cjson.safe").new()
local scan = require "state.scan"

cjson.decode_max_depth(32)
cjson.decode_invalid_numbers(false)

local json = { decode = cjson.decode, null = require("cjson").null }

local QUOTE = scan.QUOTE
local find, sub, byte = string.find, string.sub, string.byte

-- cjson writes / as \/, which is right and hard to read.
function json.encode(value)
  return (cjson.encode(value):gsub("\\/", "/"))
end

-- The bytes of a text, for scan. They live as long as the text is held on to.
function json.bytes(text)
  return ffi.cast("const uint8_t *", text)
end

-- What the string between these offsets says. (Most have no escapes: cutting it out takes a tenth of decoding.)
function json.string_at(text, start, finish)
  local plain = sub(text, start + 2, finish - 1)
  if not find(plain, "\\", 1, true) then
    return plain
  end
  return (cjson.decode(sub(text, start + 1, finish)))
end

-- The same where there may be another value; nil when it is no string.
function json.text_at(text, start, finish)
  return byte(text, start + 1) == QUOTE and json.string_at(text, start, finish) or nil
end

function json.unquote(raw)
  return json.text_at(raw, 0, #raw)
end

-- {name: raw text}, or nil when text is no object or names something twice.
function json.members(text)
  local bytes, length = json.bytes(text), #text
  local members = {}
  local at, more = scan.enter(bytes, 0, length, scan.OPEN_OBJECT)
  while more do
    local after_name, start = scan.name(bytes, at, length)
    local finish = after_name and scan.value(bytes, start, length)
    local name = finish and json.string_at(text, at, after_name)
    if not name or members[name] then
      return nil
    end
    members[name] = sub(text, start + 1, finish)
    at, more = scan.go_on(bytes, finish, length, scan.OPEN_OBJECT)
  end
  return at and scan.is_end(bytes, at, length) and members or nil
end

-- Where the items of the list that starts at an offset begin, and the offset after it; nil when there is no list.
function json.starts_at(bytes, at, length)
  local starts, count = {}, 0
  local more
  at, more = scan.enter(bytes, at, length, scan.OPEN_LIST)
  while more do
    count = count + 1
    starts[count] = at
    local finish = scan.value(bytes, at, length)
    if not finish then
      return nil
    end
    at, more = scan.go_on(bytes, finish, length, scan.OPEN_LIST)
    breath.take()
  end
  return at and starts, at
end

-- One line: a valid text has line breaks only between its parts.
function json.on_one_line(text)
  if not find(text, "\n", 1, true) and not find(text, "\r", 1, true) then
    return text
  end
  return (text:gsub("[\r\n]", " "))
end

-- A list of texts that are JSON already.
function json.list(texts)
  return "[" .. table.concat(texts, ",") .. "]"
end

return json
