-- Where things are listed: which keys exist, which rules a host has, which slices a pool has, what is rejected.
local key = require "model.key"

local index = {}

-- Buckets keep each list short, so that adding one name never rewrites a list of all names.
index.BUCKETS = 1024
index.REJECTED_BUCKETS = 64

-- A resource's record has its key for a name: no other name begins with a capital letter.
function index.record(name)
  return name
end

local buckets = {}
for bucket = 0, index.BUCKETS - 1 do
  buckets[bucket] = "keys/" .. bucket
end

function index.bucket(name)
  return buckets[ngx.crc32_short(name) % index.BUCKETS]
end

function index.rejected(name)
  return "rejected/" .. ngx.crc32_short(name) % index.REJECTED_BUCKETS
end

function index.rules_of(host)
  return "rules/" .. host
end

-- Certificates by the day on which they end, in parts.
index.PARTS_OF_A_DAY = 16

function index.ending(day, name)
  return index.ending_part(day, ngx.crc32_short(name) % index.PARTS_OF_A_DAY)
end

function index.ending_part(day, part)
  return "ending/" .. day .. "/" .. part
end

function index.slices_of(pool)
  return "slices/" .. pool
end

-- What v1 made bears one label everywhere (a pool's name, too): kind is upstreams or servers.
function index.v1_label(kind, protocol, name)
  return kind .. "/" .. protocol .. "/" .. name
end

function index.v1_record(label)
  return "v1/" .. label
end

function index.v1_names(kind, protocol)
  return "v1-names/" .. kind .. "/" .. protocol
end

function index.v1_of(host)
  return "v1-host/" .. host
end

-- Every VirtualService.
index.LISTENERS = "listeners"

-- Domains whose value speaks of passthrough.
index.PASSTHROUGHS = "passthroughs"

-- Pools that say how they are checked, or whose signatures count: in parts, so that each stays short.
index.CHECKED, index.OWN_AUTHORITIES = "checked/", "authorities/"
index.MARKED_PARTS = 64

function index.part_of(list, name)
  return list .. ngx.crc32_short(name) % index.MARKED_PARTS
end

-- The list that a resource belongs to beside its bucket, and what must be looked up again when it changes: "host",
-- "pool", "certificate", "domain" or "listener", and its name. segments: the key's, if its kind is known.
function index.places(name, segments)
  local kind = segments and key.kind(name)
  if kind == "Rule" then
    return index.rules_of(segments[1]), "host", segments[1]
  elseif kind == "Node" then
    local pool = key.pool_of_node(name)
    return index.slices_of(pool), "pool", pool
  elseif kind == "Pool" then
    return nil, "pool", name
  elseif kind == "Certificate" then
    return nil, "certificate", name
  elseif kind == "Domain" then
    return nil, "domain", segments[1]
  elseif kind == "VirtualService" then
    return index.LISTENERS, "listener", name
  end
  return nil, nil, nil
end

return index
