-- Whether a chain and a key can be used, each distinct pair looked at once: that takes about a millisecond.
local pair = require "tls.pair"
local recent = require "tls.recent"

local MAX_REMEMBERED = 20000

local known = recent.new(MAX_REMEMBERED) -- by digest: {objection} or {not_after}

local function judge(chain, key)
  local it, problem = pair.parse(chain, key)
  if not it then
    return { objection = problem }
  end
  local found = { objection = pair.objection(it), not_after = it.not_after }
  pair.free(it)
  return found
end

local function now()
  return os.date("!%Y-%m-%dT%H:%M:%SZ", ngx.time())
end

-- nil when they can be used, else what to change.
return function(chain, key)
  local digest = type(chain) == "string" and type(key) == "string" and ngx.sha1_bin(#chain .. ":" .. chain .. key)
  local found = digest and known:get(digest)
  if not found then
    found = judge(chain, key)
    if digest then
      known:put(digest, found)
    end
  end
  if found.objection then
    return found.objection
  elseif found.not_after < now() then
    return ("the certificate expired on %s: send a renewed one"):format(found.not_after)
  end
  return nil
end
