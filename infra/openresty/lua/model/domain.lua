-- Domain/NAME: a host name, the tenant who holds it, its certificates.
local field = require "model.field"
local key = require "model.key"

local domain = {}

local find, sub = string.find, string.sub

local MAX_LENGTH = 253
local MAX_LABEL = 63
local MAX_CERTIFICATES = 16

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

local function check_key(kind, text)
  if not key.is_well_formed(text) or key.kind(text) ~= kind or not key.segments(text) then
    return "must be the key of a " .. kind
  end
  return nil
end

local function check_certificate(text)
  return check_key("Certificate", text)
end

function domain.check(value, segments)
  if not domain.is_name(segments[1]) then
    return "a domain is a DNS name in lower case, *.NAME or *"
  end
  local reason = field.text("tenant", value.tenant, 253)
    or field.list("certificates", field.default(value.certificates, {}), MAX_CERTIFICATES, check_certificate)
  if reason or field.is_absent(value.passthrough) then
    return reason
  end
  reason = check_key("Pool", value.passthrough)
  return reason and "passthrough " .. reason
end

return domain
