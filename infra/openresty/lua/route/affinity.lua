-- affinity: a cookie of the node's names the member, and whoever brings it back gets the same one. Its value is a keyed
-- hash, the same on all nodes that have one key: it says nothing of the member, and nobody else can make one. Members
-- that are draining, or have weight 0, keep those who have such a cookie and get nobody new.
local cookie = require "route.cookie"
local duration = require "model.duration"
local field = require "model.field"
local settings = require "settings"

local affinity = {}

local BYTES = 15 -- of the hash: 20 characters
-- A key that somebody has thought up should not be found by trying: 10 ms, once in each worker.
local ROUNDS = 10000

local secrets

local function secret_of(key)
  local text = "affinity"
  for _ = 1, ROUNDS do
    text = ngx.hmac_sha1(key, text)
  end
  return text
end

-- The first makes cookies, each is understood.
local function all_secrets()
  if not secrets then
    secrets = {}
    for place, key in ipairs(settings.keys) do
      secrets[place] = secret_of(key)
    end
  end
  return secrets
end

local function value_of(secret, pool_name, member)
  local hash = ngx.hmac_sha1(secret, pool_name .. "\n" .. member.name):sub(1, BYTES)
  return (ngx.encode_base64(hash):gsub("+", "-"):gsub("/", "_"))
end

local function learn(it, member)
  for place, secret in ipairs(all_secrets()) do
    local value = value_of(secret, it.name, member)
    it.affinity.by_value[value] = member
    member.cookie = place == 1 and value or member.cookie
  end
end

-- Whether a member that gets nobody new keeps those it has.
local function is_kept(member)
  local state = field.default(member.state, "active")
  return state == "draining" or state == "active" and member.ready ~= false and field.default(member.weight, 1) == 0
end

function affinity.compile(it, sticks, lists, new_member)
  local seconds = duration.seconds(field.default(sticks.maxAge, nil))
  local age = seconds and ("; Max-Age=%d"):format(seconds) or ""
  it.affinity = { name = sticks.cookie, attributes = "; Path=/" .. age .. "; HttpOnly; SameSite=Lax", by_value = {} }
  for _, member in ipairs(it.members) do
    learn(it, member)
  end
  for _, list in ipairs(lists) do
    for _, member in ipairs(list) do
      local kept = is_kept(member) and new_member(it.name, member, 0)
      if kept and not it.by_name[kept.name] then
        it.by_name[kept.name], it.affinity.has_kept = kept, true
        learn(it, kept)
      end
    end
  end
end

local function named(it)
  local value = cookie.value(it.affinity.name)
  return value and it.affinity.by_value[value]
end

-- The member that the request's cookie names, if it may have it.
function affinity.next(it, is_usable)
  local member = named(it)
  return member and is_usable(member) and member or nil
end

-- What to tell a client that this member answered, or nil when it knows.
function affinity.cookie_for(it, member)
  if cookie.value(it.affinity.name) == member.cookie then
    return nil
  end
  local secure = ngx.var.scheme == "https" and "; Secure" or ""
  return it.affinity.name .. "=" .. member.cookie .. it.affinity.attributes .. secure
end

return affinity
