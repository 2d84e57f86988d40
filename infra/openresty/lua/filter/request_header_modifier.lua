-- RequestHeaderModifier {set, add, remove}: what a backend hears.
local field = require "model.field"
local header = require "model.header"

local request_header_modifier = {}

local MAX_HEADERS = 200

function request_header_modifier.check(it)
  return header.check_changes(it, true)
end

function request_header_modifier.compile(it)
  local set, add, remove = field.default(it.set, {}), field.default(it.add, {}), field.default(it.remove, {})
  return {
    on_request = function()
      for _, name in ipairs(remove) do
        ngx.req.clear_header(name)
      end
      for _, pair in ipairs(set) do
        ngx.req.set_header(pair.name, pair.value)
      end
      for _, pair in ipairs(add) do
        ngx.req.set_header(pair.name, header.with(ngx.req.get_headers(MAX_HEADERS)[pair.name], pair.value))
      end
    end,
  }
end

return request_header_modifier
