-- Cookies of a request, whose names are case-sensitive (RFC 6265), and the one that a node sets.
local cookie = {}

-- Of several with this name the first. nil: there is none.
function cookie.value(name)
  local text = ngx.var.http_cookie
  local from = 1
  while text and from <= #text do
    local start = text:find("[^ ;]", from)
    if not start then
      return nil
    end
    local stop = text:find(";", start, true) or #text + 1
    if text:sub(start, start + #name) == name .. "=" then
      return (text:sub(start + #name + 1, stop - 1):gsub("%s+$", ""))
    end
    from = stop + 1
  end
  return nil
end

return cookie
