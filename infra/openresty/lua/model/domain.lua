-- Domain/NAME: a host name, the tenant who holds it, its certificates.
local field = require "model.field"

local domain = {}

local MAX_LENGTH = 253
local MAX_CERTIFICATES = 100

-- A DNS name in lower case (underscores occur in practice), *.name, or * alone.
function domain.is_name(text)
  if text == "*" then
    return true
  end
  if type(text) ~= "string" or #text > MAX_LENGTH then
    return false
  end
  local name = text:gsub("^%*%.", "", 1)
  if name == "" or name:find("[^%l%d%-_%.]") or name:find("..", 1, true) or name:find("^%.") or name:find("%.$") then
    return false
  end
  for label in name:gmatch("[^.]+") do
    if #label > 63 or label:find("^%-") or label:find("%-$") then
      return false
    end
  end
  return true
end

function domain.check(value, segments)
  if not domain.is_name(segments[1]) then
    return "a domain is a DNS name in lower case, *.NAME or *"
  end
  local certificates = field.default(value.certificates, {})
  local reason = field.text("tenant", value.tenant, 253)
    or field.list("certificates", certificates, MAX_CERTIFICATES)
  if not reason and #certificates > 0 then
    return "certificates are not served until the next version of the node: the domain is served on http"
  end
  return reason
end

return domain
