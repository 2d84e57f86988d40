-- RequestRedirect {hostname, port, path, statusCode}: the client is told to ask elsewhere. The Location has no port
-- unless the filter has one.
local domain = require "model.domain"
local field = require "model.field"
local path_change = require "model.path_change"

local request_redirect = {}

local STATUSES = { 301, 302, 303, 307, 308 }
local DEFAULT_STATUS = 302 -- Gateway API's

function request_redirect.check(it, rule)
  local hostname, path, port = field.default(it.hostname, nil), field.default(it.path, nil), field.default(it.port, nil)
  if field.default(it.scheme, "http") ~= "http" then
    return "scheme " .. tostring(it.scheme) .. " is not understood until the next version of the node"
  elseif hostname and (not domain.is_name(hostname) or hostname:find("*", 1, true)) then
    return "hostname must be a DNS name in lower case"
  elseif not hostname and not path and not port then
    return "hostname, port or path must be there"
  end
  return field.one_of("statusCode", field.default(it.statusCode, DEFAULT_STATUS), STATUSES)
    or (port and field.integer("port", port, 1, 65535) or nil)
    or (path and path_change.check(path, rule) or nil)
end

function request_redirect.compile(it, rule)
  local hostname, path, port = field.default(it.hostname, nil), field.default(it.path, nil), field.default(it.port, nil)
  local status = field.default(it.statusCode, DEFAULT_STATUS)
  local change = path and path_change.compile(path, rule)
  local suffix = port and port ~= 80 and ":" .. port or ""

  local function target()
    if not change then
      return ngx.var.request_uri
    end
    local args = ngx.var.args
    return path_change.escape(change(ngx.var.uri)) .. (args and "?" .. args or "")
  end

  return {
    on_request = function()
      ngx.req.discard_body()
      ngx.header["Location"] = "http://" .. (hostname or ngx.var.host) .. suffix .. target()
      ngx.header["Content-Type"] = "text/plain; charset=utf-8"
      ngx.header["Content-Length"] = 0
      ngx.status = status
      ngx.send_headers()
      return ngx.exit(ngx.OK)
    end,
  }
end

return request_redirect
