-- RequestRedirect {scheme, hostname, port, path, statusCode}: the client is told to ask elsewhere. Without a scheme it
-- is the request's. Without a port the Location has none, or where the same host is found by https at another port than
-- its own, that one.
local domain = require "model.domain"
local field = require "model.field"
local listener = require "route.listener"
local location = require "filter.location"
local path_change = require "model.path_change"

local request_redirect = {}

local SCHEMES = { "http", "https" }
local STATUSES = { 301, 302, 303, 307, 308 }
local DEFAULT_STATUS = 302 -- Gateway API's

function request_redirect.check(it, rule)
  local hostname, path, port = field.default(it.hostname, nil), field.default(it.path, nil), field.default(it.port, nil)
  local scheme = field.default(it.scheme, nil)
  if hostname and (not domain.is_name(hostname) or hostname:find("*", 1, true)) then
    return "hostname must be a DNS name in lower case"
  elseif not hostname and not path and not port and not scheme then
    return "scheme, hostname, port or path must be there"
  end
  return field.one_of("statusCode", field.default(it.statusCode, DEFAULT_STATUS), STATUSES)
    or (scheme and field.one_of("scheme", scheme, SCHEMES) or nil)
    or (port and field.integer("port", port, 1, 65535) or nil)
    or (path and path_change.check(path, rule) or nil)
end

function request_redirect.compile(it, rule)
  local hostname, path, port = field.default(it.hostname, nil), field.default(it.path, nil), field.default(it.port, nil)
  local status = field.default(it.statusCode, DEFAULT_STATUS)
  local change = path and path_change.compile(path, rule)
  local scheme = field.default(it.scheme, nil)

  local function target()
    if not change then
      return ngx.var.request_uri
    end
    local args = ngx.var.args
    return path_change.escape(change(ngx.var.uri)) .. (args and "?" .. args or "")
  end

  return {
    on_request = function()
      local to, host = scheme or listener(), hostname or ngx.var.host
      if host == "" then
        return 404 -- HTTP/1.0 without any: there is no address to send to
      end
      local where = host .. location.port(to, port, not hostname)
      return location.send(status, to .. "://" .. where .. target())
    end,
  }
end

return request_redirect
