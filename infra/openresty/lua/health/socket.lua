-- A connection to a member for one check, which must be over by a deadline however slowly bytes come.
local socket = {}

local MOST_BYTES = 65536 -- of an answer

local methods = {}
methods.__index = methods

-- Milliseconds left; nil when the time is over.
function methods:left()
  ngx.update_time()
  local left = math.floor((self.deadline - ngx.now()) * 1000)
  return left >= 1 and left or nil
end

local function within(self, operation, ...)
  local left = self:left()
  if not left then
    return nil, "timeout"
  end
  self.tcp:settimeout(left)
  return self.tcp[operation](self.tcp, ...)
end

-- tls: {name} or nil. Whether a member is who it says is asked by those who send it something.
function socket.open(address, port, seconds, tls)
  local self = setmetatable({ tcp = ngx.socket.tcp(), deadline = ngx.now() + seconds, buffer = "" }, methods)
  local fine, problem = within(self, "connect", address, port)
  if not fine then
    return nil, "it took no connection: " .. problem
  end
  if tls then
    fine, problem = within(self, "sslhandshake", false, tls.name, false)
  end
  if not fine then
    self:close()
    return nil, "it did not take part in a TLS handshake: " .. problem
  end
  return self
end

function methods:send(text)
  return within(self, "send", text)
end

local function receive_more(self)
  if #self.buffer > MOST_BYTES then
    return nil, "too long an answer"
  end
  local bytes, problem = within(self, "receiveany", 4096)
  if not bytes then
    return nil, problem
  end
  self.buffer = self.buffer .. bytes
  return true
end

-- The next so many bytes.
function methods:take(count)
  while #self.buffer < count do
    local fine, problem = receive_more(self)
    if not fine then
      return nil, problem
    end
  end
  local bytes = self.buffer:sub(1, count)
  self.buffer = self.buffer:sub(count + 1)
  return bytes
end

-- Up to the end of a line.
function methods:line()
  while not self.buffer:find("\n", 1, true) do
    local fine, problem = receive_more(self)
    if not fine then
      return nil, problem
    end
  end
  return self.buffer:match("^([^\r\n]*)")
end

function methods:close()
  self.tcp:close()
end

return socket
