-- Answers of the admin listener: JSON with a status.
local body = require "route.body"
local json = require "state.json"

local answer = {}

function answer.send(status, text)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Cache-Control"] = "no-store"
  ngx.header["Content-Length"] = #text + 1
  ngx.print(text, "\n")
end

function answer.refuse(status, message)
  body.drop()
  return answer.send(status, json.encode { message = message })
end

function answer.refuse_stranger()
  ngx.header["WWW-Authenticate"] = "Bearer"
  return answer.refuse(401, "send Authorization: Bearer KEY with one of the node's keys")
end

function answer.wrong_method(allowed)
  ngx.header["Allow"] = allowed
  return answer.refuse(405, "use " .. allowed .. " here")
end

return answer
