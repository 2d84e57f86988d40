-- Pools whose members are signed for by their own authorities, as a source of generated configuration
-- (generated/sources.lua): nginx takes these certificates from no variable, only from a file that it reads when it
-- takes its configuration. What is written are the certificates, each encoded anew, and names that are hashes.
local breath = require "state.breath"
local ca_of = require "authorities.pool"
local folder = require "generated.folder"
local identity = require "authorities.identity"
local index = require "state.index"
local loaded = require "authorities.loaded"
local marked_pools = require "state.marked_pools"
local sets = require "state.sets"

local source = {}

-- As prepare/backend-locations.ts writes those of the system's.
local LOCATION = [[
location @%s_%s {
  %s_pass %s://$entrance_upstream;
  %s_next_upstream error timeout;
  include backend-%s.conf;
  include backend-%s.conf;
  %s_ssl_verify on;
  %s_ssl_trusted_certificate generated/current/%s.pem;
  error_page 500 = @%s_%s;
  include backend.conf;
}
]]

local function location(kind, module, version, hash)
  return LOCATION:format(kind, hash, module, kind, module, version, kind, module, module, hash, kind, hash)
end

function source.concerns(kind, name)
  if kind ~= "pool" then
    return false
  end
  for known in sets.current(index.part_of(index.OWN_AUTHORITIES, name)) do
    if known == name then
      return true
    end
  end
  return false
end

-- Certificates by their hash, and the hashes in the order of the pools' names: of too many the first ones count.
local function collect()
  local names, texts, order = {}, {}, {}
  marked_pools.each(index.OWN_AUTHORITIES, function(name)
    names[#names + 1] = name
  end)
  table.sort(names)
  for _, name in ipairs(names) do
    local ca = ca_of(name)
    if ca then
      local hash, text = identity(ca)
      if not texts[hash] then
        texts[hash] = text
        order[#order + 1] = hash
      end
    end
    breath.take()
  end
  return texts, order
end

function source.make(context)
  local texts, order = collect()
  local before = context.refused and folder.read(context.running, loaded.LIST) or nil
  local files, locations, hashes = {}, {}, {}
  for _, hash in ipairs(order) do
    local is_allowed = not context.refused or (before or ""):find(hash, 1, true)
    if #hashes < loaded.MOST and is_allowed then
      hashes[#hashes + 1] = hash
      files[hash .. ".pem"] = texts[hash]
      locations[#locations + 1] = location("https", "proxy", "http", hash) .. location("grpcs", "grpc", "http2", hash)
    end
  end
  if #hashes > 0 then
    table.sort(hashes)
    table.sort(locations)
    files["authorities.routes.conf"] = table.concat(locations)
    files[loaded.LIST] = table.concat(hashes, "\n") .. "\n"
  end
  return files
end

return source
