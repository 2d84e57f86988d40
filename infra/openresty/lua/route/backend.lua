-- How the members of a special pool are spoken to: which location takes a request there (prepare/backend-locations.ts
-- writes them), and what nginx has to know for it.
local affinity = require "route.affinity"
local field = require "model.field"
local header = require "model.header"
local identity = require "authorities.identity"
local loaded = require "authorities.loaded"
local tls_slots = require "route.tls_slots"

local backend = {}

local SPOKEN = { h2c = "h2c", grpc = "h2c", https = "https" }
local RETRIES = { special = true, h2c = true, https = true } -- one location for each set of statuses

function backend.is_needed(settings)
  return SPOKEN[settings.protocol] ~= nil
end

-- "system", or the hash of the pool's own.
local function authorities_of(tls)
  local ca = field.default(tls.ca, nil)
  return ca and (identity(ca)) or loaded.SYSTEM
end

-- verify, name, and by: whose signatures count; nil where no TLS is spoken. Unless it is said otherwise, a member is
-- verified.
local function tls_of(settings)
  local tls = field.default(settings.tls, nil)
  if not tls and settings.protocol ~= "https" then
    return nil
  end
  tls = tls or { verify = true }
  return { verify = tls.verify, name = field.default(tls.name, nil), by = authorities_of(tls) }
end

function backend.compile(settings)
  local it = { kind = SPOKEN[settings.protocol] or "special", tls = tls_of(settings) }
  if it.tls and it.kind == "h2c" then
    it.kind = "grpcs"
  end
  it.is_http2 = it.kind == "h2c" or it.kind == "grpcs"
  return it
end

-- Whether both mean the same members, spoken to in one way.
function backend.is_alike(it, other)
  local tls, others = it.tls or {}, other.tls or {}
  return it.kind == other.kind and tls.verify == others.verify and tls.name == others.name and tls.by == others.by
end

-- Where a request goes, or nil and why it can't: rich is what its rule asks for, or nil.
function backend.location(it, rich)
  if not it.tls or not it.tls.verify then
    return ("@%s_%d"):format(it.kind, RETRIES[it.kind] and rich and rich.retried or 0)
  elseif not loaded.has(it.tls.by) then
    return nil, "who signs for its members is not known to nginx yet"
  end
  return ("@%s_%s"):format(it.kind, it.tls.by)
end

-- Before a request is handed on.
function backend.prepare(way)
  local tls = way.special.backend.tls
  if not tls then
    return
  end
  local name = tls.name or way.backend_host or ngx.var.host
  if not way.upstream then
    local who = table.concat({ way.special.backend.kind, tls.verify and tls.by or "", name }, " ")
    way.upstream = tls_slots.take(who, ngx.now())
  end
  ngx.var.entrance_tls_name, ngx.var.entrance_upstream = name, way.upstream
end

-- Of an answer: who sticks to its member is told so; what the rule wants compressed says that it may be.
function backend.on_header(way)
  local sticks, member = way.special.affinity, way.member
  local cookie = sticks and member and affinity.cookie_for(way.special, member)
  if cookie then
    ngx.header["Set-Cookie"] = header.with(ngx.header["Set-Cookie"], cookie)
  end
  if way.rich.has_gzip then
    ngx.header["Vary"] = header.with(ngx.header["Vary"], "Accept-Encoding")
  else
    ngx.req.clear_header("Accept-Encoding") -- nginx then compresses nothing; the member has been asked long ago
  end
end

return backend
