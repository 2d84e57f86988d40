-- The body of a request to the admin listener, in memory or, when large, in nginx's temporary file.
local body = {}

-- Before anything is read: whether what is announced is too much.
function body.is_too_large(limit)
  return (tonumber(ngx.var.http_content_length) or 0) > limit
end

local function read_file(path)
  local file = path and io.open(path, "r")
  if not file then
    return ""
  end
  local text = file:read("*a")
  file:close()
  return text
end

function body.read()
  ngx.req.read_body()
  return ngx.req.get_body_data() or read_file(ngx.req.get_body_file())
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
