-- The name in a TLS client's first words, read without taking them: what follows gets them whole. (nginx's own
-- ssl_preread ends the phase before Lua is asked, unless OpenResty has patched it.)
local byte, sub = string.byte, string.sub

local hello = {}

local MAX_BYTES = 16384 -- preread_buffer_size
local MAX_RECORDS = 8
local MAX_NAME = 253 -- DNS's
local RECORD, CLIENT_HELLO, SERVER_NAME, HOST_NAME = 22, 1, 0, 0
local RECORD_HEAD, MESSAGE_HEAD = 5, 4
local VERSION_AND_RANDOM = 34

local function number(text, at, bytes)
  local value = 0
  for place = at, at + bytes - 1 do
    value = value * 256 + (byte(text, place) or 0)
  end
  return value
end

-- The first message, put together from as many records as it takes; nil when this is no handshake.
local function read_message(socket)
  local message, read, wanted = "", 0, MESSAGE_HEAD
  for _ = 1, MAX_RECORDS do
    local head = socket:peek(read + RECORD_HEAD)
    if not head or byte(head, read + 1) ~= RECORD then
      return nil
    end
    local length = number(head, read + 4, 2)
    local all = length > 0 and read + RECORD_HEAD + length <= MAX_BYTES and socket:peek(read + RECORD_HEAD + length)
    if not all then
      return nil
    end
    message = message .. sub(all, read + RECORD_HEAD + 1)
    read = read + RECORD_HEAD + length
    if #message >= MESSAGE_HEAD then
      if byte(message, 1) ~= CLIENT_HELLO then
        return nil
      end
      wanted = MESSAGE_HEAD + number(message, 2, 3)
    end
    if #message >= wanted then
      return message
    end
  end
  return nil
end

-- Behind a vector whose length stands in so many bytes.
local function behind(text, at, bytes)
  return at + bytes + number(text, at, bytes)
end

local function find_name(message)
  local at = behind(message, MESSAGE_HEAD + 1 + VERSION_AND_RANDOM, 1) -- the session's id
  at = behind(message, at, 2) -- ciphers
  at = behind(message, at, 1) -- compressions
  local stop = math.min(behind(message, at, 2), #message + 1)
  at = at + 2
  while at + 4 <= stop do
    if number(message, at, 2) == SERVER_NAME and byte(message, at + 6) == HOST_NAME then
      local length = number(message, at + 7, 2)
      return length <= MAX_NAME and sub(message, at + 9, at + 8 + length) or nil
    end
    at = behind(message, at + 2, 2)
  end
  return nil
end

-- In lower case; "" when there is none, or one that no host can have.
function hello.server_name()
  local socket = assert(ngx.req.socket())
  local message = read_message(socket)
  return (message and find_name(message) or ""):lower()
end

return hello
