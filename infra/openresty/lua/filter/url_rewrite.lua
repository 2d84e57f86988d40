-- URLRewrite {hostname, path}: the Host and the path that a backend hears. The path is changed decoded and normalised,
-- and nginx encodes it again, so nothing in it can end the request line; the query stays as it came.
local domain = require "model.domain"
local field = require "model.field"
local path_change = require "model.path_change"

local url_rewrite = {}

function url_rewrite.check(it, rule)
  local hostname, path = field.default(it.hostname, nil), field.default(it.path, nil)
  if not hostname and not path then
    return "hostname or path must be there"
  elseif hostname and (not domain.is_name(hostname) or hostname:find("*", 1, true)) then
    return "hostname must be a DNS name in lower case"
  end
  return path and path_change.check(path, rule)
end

function url_rewrite.compile(it, rule)
  local hostname, path = field.default(it.hostname, nil), field.default(it.path, nil)
  local change = path and path_change.compile(path, rule)
  return {
    on_request = function(way)
      way.backend_host = hostname
      if change then
        local new = change(ngx.var.uri)
        local is_binary = true -- nginx encodes what needs it
        ngx.req.set_uri(new, false, is_binary)
        way.path = path_change.escape(new)
      end
    end,
  }
end

return url_rewrite
