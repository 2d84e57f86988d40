-- CORS {allowOrigins, allowMethods, allowHeaders, exposeHeaders, allowCredentials, maxAge}: what pages of other origins
-- may ask. The node answers preflights itself, and what it says counts, not what a backend says beside it.
local body = require "route.body"
local field = require "model.field"
local header = require "model.header"

local cors = {}

local MAX_ORIGINS, MAX_NAMES = 64, 64
local DEFAULT_MAX_AGE, MOST_MAX_AGE = 5, 86400

-- scheme://host[:port], the host's first label perhaps *; or * for all.
local function check_origin(text)
  local is_origin = type(text) == "string" and #text <= 253
    and (text == "*" or text:find("^%l[%l%d+.-]*://%*?[%w%-%._]+$") or text:find("^%l[%l%d+.-]*://%*?[%w%-%._]+:%d+$")
    or text:find("^%l[%l%d+.-]*://%[[%x:]+%]:?%d*$"))
  return not is_origin and "must be an origin such as https://shop.example, https://*.shop.example or *" or nil
end

local function check_method(text)
  if type(text) ~= "string" or text ~= "*" and not (text:find("^%u+$") and #text <= 32) then
    return "must be a method such as PUT, or *"
  end
  return nil
end

local function check_header(name)
  return name ~= "*" and header.check_name("a header", name) or nil
end

function cors.check(it)
  local origins = field.default(it.allowOrigins, {})
  local reason = field.list("allowOrigins", origins, MAX_ORIGINS, check_origin)
    or field.list("allowMethods", field.default(it.allowMethods, {}), MAX_NAMES, check_method)
    or field.list("allowHeaders", field.default(it.allowHeaders, {}), MAX_NAMES, check_header)
    or field.list("exposeHeaders", field.default(it.exposeHeaders, {}), MAX_NAMES, check_header)
    or field.boolean("allowCredentials", field.default(it.allowCredentials, false))
    or field.integer("maxAge", field.default(it.maxAge, DEFAULT_MAX_AGE), 0, MOST_MAX_AGE)
  if not reason and #origins == 0 then
    return "allowOrigins must name an origin"
  end
  return reason
end

local function compile_origins(origins)
  local exact, wildcards = {}, {}
  for _, origin in ipairs(origins) do
    local scheme, rest = origin:lower():match("^(.-://)%*(.+)$")
    if scheme then
      wildcards[#wildcards + 1] = { scheme = scheme, rest = rest }
    else
      exact[origin:lower()] = true
    end
  end
  return function(origin)
    origin = origin:lower()
    if exact["*"] or exact[origin] then
      return true
    end
    for _, it in ipairs(wildcards) do
      if #origin > #it.scheme + #it.rest and origin:sub(1, #it.scheme) == it.scheme
        and origin:sub(-#it.rest) == it.rest then
        return true
      end
    end
    return false
  end
end

local function joined(names)
  return #field.default(names, {}) > 0 and table.concat(names, ", ") or nil
end

local function has_star(names)
  for _, name in ipairs(field.default(names, {})) do
    if name == "*" then
      return true
    end
  end
  return false
end

-- "*" does not count with credentials (Fetch, 3.3.5): what was asked for is named instead.
local function allowed(names, credentials, asked)
  if not has_star(names) then
    return joined(names)
  elseif not credentials then
    return "*"
  end
  return asked and asked:find("^[%w%-_, ]+$") and asked or nil
end

function cors.compile(it)
  local is_allowed = compile_origins(it.allowOrigins)
  local credentials = field.default(it.allowCredentials, false)
  local any = has_star(it.allowOrigins) and not credentials
  local expose = joined(it.exposeHeaders)
  local max_age = ("%d"):format(field.default(it.maxAge, DEFAULT_MAX_AGE))

  local function preflight(method)
    local out = ngx.header
    out["Access-Control-Allow-Methods"] = allowed(it.allowMethods, credentials, method)
    out["Access-Control-Allow-Headers"] =
      allowed(it.allowHeaders, credentials, ngx.var.http_access_control_request_headers)
    out["Access-Control-Max-Age"] = max_age
  end

  return {
    on_request = function(way)
      local origin = ngx.var.http_origin
      way.origin = origin and is_allowed(origin) and origin or nil
      local method = ngx.var.http_access_control_request_method
      if ngx.req.get_method() ~= "OPTIONS" or not origin or not method then
        return nil
      end
      if way.origin then
        preflight(method)
      end
      body.drop()
      ngx.status = 204
      ngx.send_headers()
      return ngx.exit(ngx.OK)
    end,
    on_header = function(way)
      local out = ngx.header
      if not any then
        local vary = out["Vary"]
        vary = type(vary) == "table" and table.concat(vary, ", ") or vary
        out["Vary"] = vary and vary .. ", Origin" or "Origin"
      end
      local origin = way.origin
      out["Access-Control-Allow-Origin"] = origin and (any and "*" or origin) or nil
      out["Access-Control-Allow-Credentials"] = origin and credentials and "true" or nil
      out["Access-Control-Expose-Headers"] = origin and expose or nil
    end,
  }
end

return cors
