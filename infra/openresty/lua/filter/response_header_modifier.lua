-- ResponseHeaderModifier {set, add, remove}: what a client hears of a backend's answer; not of the node's own.
local field = require "model.field"
local header = require "model.header"

local response_header_modifier = {}

function response_header_modifier.check(it)
  return header.check_changes(it, false)
end

function response_header_modifier.compile(it)
  local set, add, remove = field.default(it.set, {}), field.default(it.add, {}), field.default(it.remove, {})
  return {
    on_header = function(way)
      if not way.sent_on then
        return
      end
      for _, name in ipairs(remove) do
        ngx.header[name] = nil
      end
      for _, pair in ipairs(set) do
        ngx.header[pair.name] = pair.value
      end
      for _, pair in ipairs(add) do
        ngx.header[pair.name] = header.with(ngx.header[pair.name], pair.value)
      end
    end,
  }
end

return response_header_modifier
