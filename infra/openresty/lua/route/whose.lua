-- Names the request that is being worked on, in this worker. What one phase leaves for the next, outside ngx.ctx, bears
-- this name: a client that goes away in between must not leave its own for somebody else to find.
local var = ngx.var

return function()
  return var.connection .. " " .. var.connection_requests
end
