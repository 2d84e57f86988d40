-- Asks a member over HTTP/2 without TLS (RFC 9113): for a status, or for gRPC's health service.
local bit = require "bit"
local hpack = require "health.hpack"

local http2 = {}

local char = string.char
local PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
local DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
local END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32
local OWN_STREAM = 1
local MOST_BYTES, MOST_FRAMES = 16384, 64
local NOT_SPOKEN = "it does not speak HTTP/2"

local function frame(kind, flags, stream, payload)
  local length = #payload
  return char(math.floor(length / 65536), math.floor(length / 256) % 256, length % 256, kind, flags, 0, 0, 0, stream)
    .. payload
end

local function read_frame(connection)
  local head, problem = connection:take(9)
  if not head then
    return nil, "it did not answer: " .. problem
  end
  local a, b, c, kind, flags, _, _, _, stream = head:byte(1, 9)
  local length = (a * 256 + b) * 256 + c
  if length > MOST_BYTES then
    return nil, NOT_SPOKEN
  end
  local payload
  payload, problem = connection:take(length)
  if not payload then
    return nil, "it did not answer: " .. problem
  end
  return { kind = kind, flags = flags, stream = stream, payload = payload }
end

local function has(it, flag)
  return bit.band(it.flags, flag) ~= 0
end

-- Without padding and priority.
local function content(it)
  local from, to = 1, #it.payload
  if has(it, PADDED) then
    to = to - (it.payload:byte(1) or 0)
    from = from + 1
  end
  if it.kind == HEADERS and has(it, PRIORITY) then
    from = from + 5
  end
  return it.payload:sub(from, to)
end

-- What is not about the request; the problem, if there is one.
local function keep_house(connection, it)
  if it.kind == SETTINGS and not has(it, ACK) then
    connection:send(frame(SETTINGS, ACK, 0, ""))
  elseif it.kind == PING and not has(it, ACK) then
    connection:send(frame(PING, ACK, 0, it.payload))
  elseif it.kind == GOAWAY then
    return "it ended the connection"
  elseif it.kind == RST_STREAM and it.stream == OWN_STREAM then
    return "it refused the request"
  end
  return nil
end

-- Calls visit(frame) for those of the request until it gives something, which is given.
local function follow(connection, visit)
  for _ = 1, MOST_FRAMES do
    local it, problem = read_frame(connection)
    problem = problem or keep_house(connection, it)
    if problem then
      return nil, problem
    end
    if it.stream == OWN_STREAM and (it.kind == HEADERS or it.kind == DATA) then
      local found
      found, problem = visit(it)
      if found ~= nil or problem then
        return found, problem
      end
    end
  end
  return nil, NOT_SPOKEN
end

local function begin(connection, headers, body)
  local flags = END_HEADERS + (body and 0 or END_STREAM)
  local text = PREFACE .. frame(SETTINGS, 0, 0, "") .. frame(HEADERS, flags, OWN_STREAM, hpack.encode(headers))
  return connection:send(body and text .. frame(DATA, END_STREAM, OWN_STREAM, body) or text)
end

-- The status, or nil and why there is none.
function http2.status(connection, host, path)
  begin(connection, {
    { ":method", "GET" }, { ":scheme", "http" }, { ":path", path }, { ":authority", host },
    { "user-agent", "entrance" },
  })
  return follow(connection, function(it)
    if it.kind == DATA then
      return nil, NOT_SPOKEN
    end
    local status = hpack.status(content(it))
    return status, not status and NOT_SPOKEN or nil
  end)
end

local EMPTY_MESSAGE = ("\0"):rep(5)
local SERVING = "\8\1" -- HealthCheckResponse {status: SERVING}

-- Whether the whole server says that it serves (grpc.health.v1); or nil and why that is not known.
function http2.serves(connection, host)
  begin(connection, {
    { ":method", "POST" }, { ":scheme", "http" }, { ":path", "/grpc.health.v1.Health/Check" }, { ":authority", host },
    { "content-type", "application/grpc" }, { "te", "trailers" }, { "user-agent", "entrance" },
  }, EMPTY_MESSAGE)
  local message = ""
  return follow(connection, function(it)
    if it.kind == DATA then
      message = message .. content(it)
      if #message >= #EMPTY_MESSAGE + #SERVING then
        return message:sub(#EMPTY_MESSAGE + 1, #EMPTY_MESSAGE + #SERVING) == SERVING
      end
    end
    return nil, has(it, END_STREAM) and "it has no service grpc.health.v1.Health" or nil
  end)
end

return http2
