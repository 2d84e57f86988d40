-- header_filter_by_lua of rules with filters: what they change of an answer, the node's own among them.
return function()
  local it = ngx.ctx.way
  if it then
    for _, change in ipairs(it.rich.on_header) do
      change(it)
    end
  end
end
