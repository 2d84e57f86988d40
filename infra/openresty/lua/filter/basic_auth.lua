-- BasicAuth {realm, users [{name, hash}]}: name and password, checked against hashes as crypt(3) makes them: bcrypt
-- ($2y$), SHA-256 and SHA-512 ($5$, $6$). A check is slow by design and stops a worker meanwhile; so a hash may cost
-- only so much, what was checked is remembered, and a worker spends only so much of its time on checks.
local ffi = require "ffi"
local field = require "model.field"

ffi.cdef "char *crypt(const char *password, const char *setting);"

local basic_auth = {}

local MAX_USERS = 100
local MAX_PASSWORD = 256
local MAX_BCRYPT_COST = 10 -- about 60 ms
local MAX_ROUNDS = 20000 -- about 20 ms
local SHARE = 0.2 -- of a worker's time: as much as it may spend in a second, however dear a hash is
local REMEMBERED_SECONDS = 60

local has_crypt = pcall(function()
  return ffi.C.crypt
end)
local libcrypt = has_crypt and ffi.C or ffi.load("crypt")
local remembered = ngx.shared.entrance_limits
local spent, at = 0, 0 -- seconds that checks have stopped this worker, less what it has earned since; as of when

-- Made before the fork and told to nobody, so that what is remembered, by all workers together, gives no password away.
local function new_secret()
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(32)
  file:close()
  return bytes
end

local secret = new_secret()

local function check_hash(hash)
  local cost = hash:match("^%$2[aby]%$(%d%d)%$[./%w]+$")
  if cost then
    return #hash == 60 and tonumber(cost) >= 4 and tonumber(cost) <= MAX_BCRYPT_COST
  end
  local kind, rest = hash:match("^%$([56])%$(.+)$")
  local rounds = rest and rest:match("^rounds=(%d+)%$")
  rest = rest and rest:gsub("^rounds=%d+%$", "", 1)
  local salt, digest = (rest or ""):match("^([./%w]+)%$([./%w]+)$")
  return salt ~= nil and #salt <= 16 and #digest == (kind == "5" and 43 or 86)
    and (not rounds or #rounds < 7 and tonumber(rounds) <= MAX_ROUNDS)
end

local function check_user(user)
  local reason = field.object("a user", user) or field.text("name", user.name, 128)
  if reason then
    return reason
  elseif user.name == "" or user.name:find(":", 1, true) then
    return "name must not be empty and have no colon"
  elseif type(user.hash) ~= "string" or #user.hash > 128 or not check_hash(user.hash) then
    return ("hash must be one of crypt(3): $2y$ with a cost of at most %d, $5$ or $6$ with at most %d rounds")
      :format(MAX_BCRYPT_COST, MAX_ROUNDS)
  end
  return nil
end

function basic_auth.check(it)
  local realm = field.default(it.realm, "")
  local reason = field.text("realm", realm, 128) or field.list("users", it.users, MAX_USERS, check_user)
  if not reason and realm:find('["\\]') then
    return "realm must have no quotes"
  end
  return reason or (#it.users == 0 and "users must name somebody" or nil)
end

local function is_equal(a, b)
  local difference = #a == #b and 0 or 1
  for place = 1, math.min(#a, #b) do
    difference = difference + (a:byte(place) == b:byte(place) and 0 or 1)
  end
  return difference == 0
end

-- Seconds until another one may be checked, or nil: now.
local function seconds_to_wait()
  ngx.update_time()
  local now = ngx.now()
  spent, at = math.max(0, spent - math.max(0, now - at) * SHARE), now
  return spent >= SHARE and (spent - SHARE) / SHARE or nil
end

local function check(password, hash)
  ngx.update_time()
  local began = ngx.now()
  local made = libcrypt.crypt(password, hash)
  ngx.update_time()
  spent = spent + math.max(0, ngx.now() - began)
  return made ~= nil and is_equal(ffi.string(made), hash)
end

-- true or false; or nil, where too many were checked just now, and for how many seconds nobody is.
local function is_right(password, hash)
  local name = ngx.sha1_bin(secret .. hash .. "\0" .. password)
  local known = remembered:get(name)
  if known ~= nil then
    return known
  end
  local wait = seconds_to_wait()
  if wait then
    return nil, wait
  end
  known = check(password, hash)
  remembered:set(name, known, REMEMBERED_SECONDS)
  return known
end

local function credentials()
  local encoded = (ngx.var.http_authorization or ""):match("^[Bb][Aa][Ss][Ii][Cc] +([%w+/=]+)$")
  local text = encoded and #encoded < 1024 and ngx.decode_base64(encoded)
  local name, password = (text or ""):match("^([^:]*):(.*)$")
  if name and #password <= MAX_PASSWORD and not text:find("%z") then
    return name, password
  end
  return nil
end

function basic_auth.compile(it)
  local hashes = {}
  for _, user in ipairs(it.users) do
    hashes[user.name] = user.hash
  end
  local challenge = ('Basic realm="%s", charset="UTF-8"'):format(field.default(it.realm, "Restricted"))
  return {
    on_request = function()
      local name, password = credentials()
      -- Somebody unknown costs the same time as a wrong password.
      local right, wait
      if name then
        right, wait = is_right(password, hashes[name] or it.users[1].hash)
      end
      if wait then
        ngx.header["Retry-After"] = math.max(1, math.ceil(wait))
        return 429
      elseif not right or not hashes[name] then
        ngx.header["WWW-Authenticate"] = challenge
        return 401
      end
      return nil
    end,
  }
end

return basic_auth
