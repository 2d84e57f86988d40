-- header_filter_by_lua of rules with filters: what they change of an answer, the node's own among them.
local backend = require "route.backend"

return function()
  local it = ngx.ctx.way
  if it then
    for _, change in ipairs(it.rich.on_header) do
      change(it)
    end
    if it.special then
      backend.on_header(it)
    end
  end
end
