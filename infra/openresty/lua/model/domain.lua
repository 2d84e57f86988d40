-- Domain/NAME: a host name, the tenant who holds it, its certificates.
local field = require "model.field"

local domain = {}

local find, sub = string.find, string.sub

local MAX_LENGTH = 253
local MAX_LABEL = 63
local MAX_CERTIFICATES = 100

local function has_short_labels(name)
  for label in name:gmatch("[^.]+") do
    if #label > MAX_LABEL then
      return false
    end
  end
  return true
end

-- A DNS name in lower case (underscores occur in practice), *.name, or * alone.
function domain.is_name(text)
  if text == "*" then
    return true
  end
  if type(text) ~= "string" or #text > MAX_LENGTH then
    return false
  end
  local name = find(text, "*.", 1, true) == 1 and sub(text, 3) or text
  if name == "" or find(name, "[^%l%d%-_%.]") or find(name, "..", 1, true) or find(name, "^[%.%-]")
    or find(name, "[%.%-]$") or find(name, ".-", 1, true) or find(name, "-.", 1, true) then
    return false
  end
  return #name <= MAX_LABEL or has_short_labels(name)
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
