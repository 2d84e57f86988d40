-- Finds where the parts of a JSON text begin and end, and builds nothing. Only extents are found: whether a part is
-- JSON, its decoding tells. Loops over string.byte, as LuaJIT compiles them, and what it happens not to compile is not
-- slow either (FFI's bytes were: a batch took 0.35 s or 0.6 s, by chance).
local scan = {}

scan.QUOTE = 34
scan.OPEN_LIST, scan.OPEN_OBJECT = 91, 123

local byte = string.byte

local QUOTE, BACKSLASH, COMMA, COLON = scan.QUOTE, 92, 44, 58
local OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT = 91, 93, 123, 125
local ZERO, MAX_DIGITS = 48, 14

-- Places count from 1. The one after the spaces that may stand here.
local function after_spaces(text, at)
  while true do
    local found = byte(text, at)
    if found ~= 32 and found ~= 10 and found ~= 13 and found ~= 9 then
      return at
    end
    at = at + 1
  end
end

-- The place after the string that starts here; a raw control character in it is an error, as JSON says.
local function after_string(text, at)
  at = at + 1
  while true do
    local found = byte(text, at)
    if found == QUOTE then
      return at + 1
    end
    if not found or found < 32 then
      return nil
    end
    at = at + (found == BACKSLASH and 2 or 1)
  end
end

-- The place after the number or word that starts here.
local function after_word(text, at)
  local start = at
  while true do
    local found = byte(text, at)
    if not found or found == COMMA or found == CLOSE_OBJECT or found == CLOSE_LIST or found <= 32 then
      return at > start and at or nil
    end
    at = at + 1
  end
end

-- The place after the object or list that starts here.
local function after_brackets(text, at)
  local depth = 0
  while true do
    local found = byte(text, at)
    if not found then
      return nil
    end
    if found == QUOTE then
      at = after_string(text, at)
      if not at then
        return nil
      end
    else
      at = at + 1
      if found == OPEN_OBJECT or found == OPEN_LIST then
        depth = depth + 1
      elseif found == CLOSE_OBJECT or found == CLOSE_LIST then
        depth = depth - 1
        if depth == 0 then
          return at
        end
      end
    end
  end
end

-- The place after the value that starts here, or nil.
function scan.value(text, at)
  local found = byte(text, at)
  if found == QUOTE then
    return after_string(text, at)
  elseif found == OPEN_OBJECT or found == OPEN_LIST then
    return after_brackets(text, at)
  end
  return after_word(text, at)
end

-- Goes into the object or list that should start here: the place of its first part and true; or, when it is empty, the
-- place after it and false; or nil.
function scan.enter(text, at, open)
  at = after_spaces(text, at)
  if byte(text, at) ~= open then
    return nil
  end
  at = after_spaces(text, at + 1)
  if byte(text, at) == open + 2 then
    return at + 1, false
  end
  return at, true
end

-- A member's name starts here: the place after it, and that of its value; or nil.
function scan.name(text, at)
  local stop = byte(text, at) == QUOTE and after_string(text, at)
  if not stop then
    return nil
  end
  at = after_spaces(text, stop)
  if byte(text, at) ~= COLON then
    return nil
  end
  return stop, after_spaces(text, at + 1)
end

-- A part has ended here: the place of the next one and true; the place after the bracket and false; or nil.
function scan.go_on(text, at, open)
  at = after_spaces(text, at)
  local found = byte(text, at)
  if found == open + 2 then
    return at + 1, false
  end
  if found ~= COMMA then
    return nil
  end
  return after_spaces(text, at + 1), true
end

-- The whole number, of at most 14 digits, from here to before stop; nil when something else is written there.
function scan.integer(text, at, stop)
  if stop - at > MAX_DIGITS or byte(text, at) == ZERO and stop - at > 1 then
    return nil
  end
  local value = 0
  for place = at, stop - 1 do
    local digit = byte(text, place) - ZERO
    if digit < 0 or digit > 9 then
      return nil
    end
    value = value * 10 + digit
  end
  return value
end

-- Whether nothing but spaces stands from here on.
function scan.is_end(text, at)
  return after_spaces(text, at) > #text
end

return scan
