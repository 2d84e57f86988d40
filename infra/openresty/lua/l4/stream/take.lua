-- content_by_lua of the socket on which the side of requests hands over who answers where: a length, and so many bytes.
local content = require "l4.stream.content"

local MAX_BYTES = 32 * 1024 * 1024

return function()
  local socket = assert(ngx.req.socket())
  local length = tonumber(socket:receive("*l") or "")
  local text = length and length <= MAX_BYTES and socket:receive(length)
  if not text then
    return ngx.say("too much, or less than announced")
  end
  local fine, problem = content.replace(text)
  return ngx.say(fine and "ok" or problem)
end
