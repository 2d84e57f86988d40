-- How a node speaks TLS to the members of a pool: tls {verify, name, ca}.
local domain = require "model.domain"
local field = require "model.field"
local ssl = require "ngx.ssl"

local backend_tls = {}

local MAX_CA = 65536 -- about thirty authorities
local MESSAGE = ("tls.ca must be PEM certificates of at most %d characters"):format(MAX_CA)
local BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
local LINE = 64
local BLOCK = "%-%-%-%-%-BEGIN CERTIFICATE%-%-%-%-%-\r?\n([%w+/=%s]+)%-%-%-%-%-END CERTIFICATE%-%-%-%-%-"

local function encode(der)
  local lines, text = {}, ngx.encode_base64(der)
  for at = 1, #text, LINE do
    lines[#lines + 1] = text:sub(at, at + LINE - 1)
  end
  return BEGIN .. "\n" .. table.concat(lines, "\n") .. "\n" .. END .. "\n"
end

-- The certificates alone, each encoded anew: what becomes a file holds nothing else that was sent. nil: there are none,
-- or one that is none.
function backend_tls.certificates(text)
  local found, seen = {}, {}
  local rest = text:gsub(BLOCK, function(body)
    local der = ngx.decode_base64((body:gsub("%s", "")))
    local pem = der and encode(der)
    local parsed = pem and ssl.parse_pem_cert(pem)
    if parsed and not seen[pem] then
      found[#found + 1], seen[pem] = pem, true
    end
    return parsed and "" or nil
  end)
  if #found == 0 or rest:find(BEGIN, 1, true) then
    return nil
  end
  return table.concat(found)
end

local function check_ca(ca)
  if type(ca) ~= "string" or #ca > MAX_CA or not ca:find("^" .. BLOCK) then
    return MESSAGE
  end
  return not backend_tls.certificates(ca) and "tls.ca has what is no certificate" or nil
end

local function check_name(name)
  if not domain.is_name(name) or name:find("*", 1, true) then
    return "tls.name must be a host name in lower case"
  end
  return nil
end

function backend_tls.check(it)
  local reason = field.object("tls", it) or field.boolean("tls.verify", it.verify)
  if reason then
    return reason
  end
  local name, ca = field.default(it.name, nil), field.default(it.ca, nil)
  return name and check_name(name) or ca and check_ca(ca) or nil
end

return backend_tls
