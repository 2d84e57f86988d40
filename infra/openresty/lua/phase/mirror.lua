-- Sends a copy of the request to another pool, whose answer nobody waits for. A timer sends it, so it can't delay or
-- fail the request; what is too much is left out.
local pool = require "route.pool"
local settings = require "settings"
local view = require "route.view"

local MAX_AT_ONCE = 64 -- of one worker
local MAX_BODY = 1024 * 1024 -- client_body_buffer_size: larger bodies are not mirrored
local MAX_HEADERS = 100
local CONNECT_MS, SEND_MS, READ_MS = 2000, 5000, 10000
local NOT_COPIED = {
  ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["forwarded"] = true, ["host"] = true,
  ["keep-alive"] = true, ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true,
  ["upgrade"] = true, ["x-forwarded-for"] = true, ["x-forwarded-host"] = true, ["x-forwarded-port"] = true,
  ["x-forwarded-proto"] = true, ["x-real-ip"] = true, ["x-request-id"] = true,
}

-- As forwarded.conf tells it: where proxies are trusted, what they say counts.
local FORWARDED = { ["for"] = "remote_addr", proto = "scheme", host = "http_host", port = "listener_port" }
if settings.trusts_proxies then
  FORWARDED = { ["for"] = "forwarded_for", proto = "forwarded_proto", host = "forwarded_host", port = "forwarded_port" }
end

local running = 0

local function head(way, body)
  local var = ngx.var
  local path = way.path and way.path .. (var.args and "?" .. var.args or "") or var.request_uri
  local lines = {
    ngx.req.get_method() .. " " .. path .. " HTTP/1.1",
    "Host: " .. (way.backend_host or var.http_host or ""), -- HTTP/1.0 may say none
    "Connection: close",
    "X-Real-IP: " .. var.remote_addr,
    "X-Request-Id: " .. var.entrance_id,
    "X-Forwarded-For: " .. var[FORWARDED["for"]],
    "X-Forwarded-Proto: " .. var[FORWARDED.proto],
    "X-Forwarded-Host: " .. (var[FORWARDED.host] or ""),
    "X-Forwarded-Port: " .. var[FORWARDED.port],
  }
  if body then
    lines[#lines + 1] = "Content-Length: " .. #body
  end
  for name, value in pairs(ngx.req.get_headers(MAX_HEADERS, true)) do
    if not NOT_COPIED[name:lower()] then
      for _, each in ipairs(type(value) == "table" and value or { value }) do
        lines[#lines + 1] = name .. ": " .. tostring(each)
      end
    end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- The body, or nil where there is none; and whether it can be copied.
local function copied_body(way)
  if not way.has_body then
    return nil, true
  end
  local length = tonumber(ngx.var.content_length)
  if not length or length > MAX_BODY then
    return nil, false
  end
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  return body, body ~= nil
end

local function send(premature, peer, text)
  local socket = not premature and ngx.socket.tcp()
  if socket then
    socket:settimeouts(CONNECT_MS, SEND_MS, READ_MS)
    if socket:connect(peer.address, peer.port) and socket:send(text) then
      socket:receive("*l")
    end
    socket:close()
  end
  running = running - 1
end

return function(way)
  local mirror = way.mirror
  if running >= MAX_AT_ONCE or mirror.percent < 100 and math.random(100) > mirror.percent then
    return
  end
  local body, is_copied = copied_body(way)
  local to = is_copied and view.pool(mirror.pool)
  local is_plain = to and not (to.special and to.special.backend.kind ~= "special") -- no TLS, no HTTP/2
  local peer = is_plain and pool.next_peer(to, ngx.now())
  local target = peer and { address = peer.address, port = peer.port }
  if target and ngx.timer.at(0, send, target, head(way, body) .. (body or "")) then
    running = running + 1
  end
end
