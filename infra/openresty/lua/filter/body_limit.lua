-- BodyLimit {maxBytes}: a request's body may have no more. Bodies are handed on as they come, so a client that does not
-- tell the length beforehand is asked to (411).
local body = require "route.body"
local field = require "model.field"

local body_limit = {}

local MOST = 2 ^ 40

function body_limit.check(it)
  return field.integer("maxBytes", it.maxBytes, 0, MOST)
end

function body_limit.compile(it)
  local most = it.maxBytes
  return {
    on_request = function()
      local length = tonumber(ngx.var.content_length)
      if length then
        return length > most and 413 or nil
      end
      if body.is_endless() then
        return 411
      end
      body.drop_unannounced()
      return nil
    end,
  }
end

return body_limit
