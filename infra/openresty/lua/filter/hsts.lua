-- Hsts {maxAge, includeSubDomains, preload}: tells browsers to come by https only. Over http it must not be said
-- (RFC 6797, 7.2).
local field = require "model.field"
local listener = require "route.listener"

local hsts = {}

local MAX_AGE = 31536000 * 10

function hsts.check(it)
  return field.integer("maxAge", it.maxAge, 0, MAX_AGE)
    or field.boolean("includeSubDomains", field.default(it.includeSubDomains, false))
    or field.boolean("preload", field.default(it.preload, false))
end

function hsts.text(it)
  return "max-age=" .. ("%.0f"):format(it.maxAge)
    .. (field.default(it.includeSubDomains, false) and "; includeSubDomains" or "")
    .. (field.default(it.preload, false) and "; preload" or "")
end

function hsts.compile(it)
  local text = hsts.text(it)
  return {
    on_header = function()
      if listener() == "https" then
        ngx.header["Strict-Transport-Security"] = text
      end
    end,
  }
end

return hsts
