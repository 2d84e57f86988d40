-- RequestMirror {pool, percent}: a copy of the request to another pool (phase/mirror.lua sends it).
local field = require "model.field"
local key = require "model.key"

local request_mirror = {}

function request_mirror.check(it)
  if not key.is_well_formed(it.pool) or key.kind(it.pool) ~= "Pool" or not key.segments(it.pool) then
    return "pool must be the key of a Pool"
  end
  return field.integer("percent", field.default(it.percent, 100), 0, 100)
end

function request_mirror.compile(it)
  local mirror = { pool = it.pool, percent = field.default(it.percent, 100) }
  return {
    on_request = function(way)
      way.mirror = mirror
    end,
  }
end

return request_mirror
