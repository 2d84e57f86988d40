-- body_filter_by_lua of rules with filters: an answer that is still coming when the rule's time is over is cut off.
return function()
  local it = ngx.ctx.way
  if it and it.deadline and not ngx.arg[2] then
    ngx.update_time()
    if ngx.now() > it.deadline then
      return ngx.ERROR
    end
  end
  return nil
end
