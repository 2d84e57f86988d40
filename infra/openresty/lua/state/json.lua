-- JSON as it travels: cuts a text into the raw text of its members, so that a value is kept exactly as it came in
-- (cjson cannot tell {} from []), and puts lists together.
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

-- What the string from `at` to before `stop` says. (Most have no escapes: cutting out takes a tenth of decoding.)
function json.string_at(text, at, stop)
  local plain = sub(text, at + 1, stop - 2)
  if not find(plain, "\\", 1, true) then
    return plain
  end
  return (cjson.decode(sub(text, at, stop - 1)))
end

-- The same where there may be another value; nil when it is no string.
function json.text_at(text, at, stop)
  return byte(text, at) == QUOTE and json.string_at(text, at, stop) or nil
end

function json.unquote(raw)
  return json.text_at(raw, 1, #raw + 1)
end

-- {name: raw text}, or nil when text is no object or names something twice.
function json.members(text)
  local members = {}
  local at, more = scan.enter(text, 1, scan.OPEN_OBJECT)
  while more do
    local after_name, start = scan.name(text, at)
    local stop = after_name and scan.value(text, start)
    local name = stop and json.string_at(text, at, after_name)
    if not name or members[name] then
      return nil
    end
    members[name] = sub(text, start, stop - 1)
    at, more = scan.go_on(text, stop, scan.OPEN_OBJECT)
  end
  return at and scan.is_end(text, at) and members or nil
end

-- Where the items of the list that starts here begin, and the place after it; nil when there is no list.
function json.starts_at(text, at)
  local starts, count = {}, 0
  local more
  at, more = scan.enter(text, at, scan.OPEN_LIST)
  while more do
    count = count + 1
    starts[count] = at
    local stop = scan.value(text, at)
    if not stop then
      return nil
    end
    at, more = scan.go_on(text, stop, scan.OPEN_LIST)
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
