-- What is known of a request's body before it is read. By HTTP/1.1 a body that tells no length tells at least that it
-- comes in chunks; by HTTP/2 it tells nothing, and nginx doesn't say whether the stream ended with the headers.
local var = ngx.var

local body = {}

-- By HTTP/2, methods whose requests mostly have none.
local MAY_LACK = { GET = true, HEAD = true, DELETE = true, OPTIONS = true }

local function tells_nothing()
  return var.server_protocol == "HTTP/2.0" and var.content_length == nil
end

-- Whether one of unknown length may come. What a GET, HEAD, DELETE or OPTIONS may bring has no meaning: see drop.
function body.is_endless()
  return var.http_transfer_encoding ~= nil or tells_nothing() and not MAY_LACK[var.request_method]
end

-- Whether there may be any, of whatever length.
function body.may_come()
  local length = var.content_length
  return length ~= nil and length ~= "0" or var.http_transfer_encoding ~= nil
    or tells_nothing() and var.request_method ~= "GET" and var.request_method ~= "HEAD"
end

-- Throws away what was not read, or its bytes would count as the next request. Where they are no body at all (chunks
-- that are none), nobody can tell where the next request begins: 400, and the connection ends.
function body.drop()
  if not pcall(ngx.req.discard_body) then
    ngx.exit(ngx.HTTP_BAD_REQUEST)
  end
end

-- Where a body must not pass without its length: one that was not announced at all goes no further.
function body.drop_unannounced()
  if tells_nothing() then
    body.drop()
  end
end

-- A GET that the fast way has begun to read, and that can't be sent again. (What nginx knew then, nginx.conf keeps.)
function body.is_lost()
  return var.request_method == "GET" and (var.http_transfer_encoding ~= nil or var.body_was_begun == "chunked")
end

return body
