-- The body of a request to the admin listener, in memory or, when large, in nginx's temporary file.
local body = {}

-- Before anything is read: whether what is announced is too much.
function body.is_too_large(limit)
  return (tonumber(ngx.var.http_content_length) or 0) > limit
end

local function read_file(path, limit)
  local file = assert(io.open(path, "r"))
  local text = file:seek("end") <= limit and file:seek("set", 0) and file:read("*a")
  file:close()
  return text or nil
end

-- The whole body, or nil when it is too large.
function body.read(limit)
  if body.is_too_large(limit) then
    return nil
  end
  ngx.req.read_body()
  local path = ngx.req.get_body_file()
  local text = path and read_file(path, limit)
  if not path then
    text = ngx.req.get_body_data() or ""
  end
  return text and #text <= limit and text or nil
end

-- An iterator over lines; a large body is never whole in memory.
function body.lines()
  ngx.req.read_body()
  local text = ngx.req.get_body_data()
  if text then
    return text:gmatch("[^\n]+")
  end
  local path = ngx.req.get_body_file()
  return path and io.lines(path) or function() return nil end
end

return body
