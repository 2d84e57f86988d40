-- Whether a request meets a route's method, headers and query.
local matches = {}

local MAX_HEADERS = 100
local MAX_ARGUMENTS = 100

-- Of a header or parameter that is there several times, the first counts.
local function first(value)
  if type(value) == "table" then
    value = value[1]
  end
  return value
end

local function all_equal(expected, present)
  for name, value in pairs(expected) do
    local found = first(present[name])
    if found == true then
      found = "" -- ?name without a value
    end
    if type(value) == "function" then
      if found == nil or not value(found) then
        return false
      end
    elseif found ~= value then
      return false
    end
  end
  return true
end

function matches.request(route)
  if route.method and route.method ~= ngx.req.get_method() then
    return false
  end
  if route.headers and not all_equal(route.headers, ngx.req.get_headers(MAX_HEADERS)) then
    return false
  end
  return not route.query or all_equal(route.query, (ngx.req.get_uri_args(MAX_ARGUMENTS)))
end

return matches
