-- Which member of a pool gets a request: balance, hash {by, name} and affinity {cookie, maxAge}.
local duration = require "model.duration"
local field = require "model.field"

local balance = {}

local BALANCES = { "round-robin", "least-connections", "hash" }
local SUBJECTS = { "header", "cookie", "source" }
local MAX_SECONDS, MIN_SECONDS = 31536000, 1

-- RFC 9110, 5.6.2: names of headers and of cookies (RFC 6265, 4.1.1) are tokens.
local function check_token(what, name)
  if type(name) ~= "string" or #name > 256 or not name:find("^[%w!#$%%&'*+%-.^_`|~]+$") then
    return what .. " must be a name of at most 256 letters, digits and hyphens"
  end
  return nil
end

local function check_hash(hash)
  local reason = field.object("hash", hash) or field.one_of("hash.by", hash.by, SUBJECTS)
  if reason then
    return reason
  elseif hash.by ~= "source" then
    return check_token("hash.name", hash.name)
  elseif not field.is_absent(hash.name) then
    return "hash.name must be absent where hash.by is source"
  end
  return nil
end

local function check_affinity(affinity)
  return field.object("affinity", affinity)
    or check_token("affinity.cookie", affinity.cookie)
    or duration.check("affinity.maxAge", field.default(affinity.maxAge, "1s"), MAX_SECONDS, MIN_SECONDS)
end

function balance.check(pool)
  local name = field.default(pool.balance, "round-robin")
  local hash, affinity = field.default(pool.hash, nil), field.default(pool.affinity, nil)
  local reason = field.one_of("balance", name, BALANCES)
  if reason then
    return reason
  elseif (name == "hash") ~= (hash ~= nil) then
    return "hash must say by what exactly where balance is hash"
  end
  return hash and check_hash(hash) or affinity and check_affinity(affinity) or nil
end

return balance
