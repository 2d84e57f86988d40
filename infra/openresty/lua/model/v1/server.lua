-- The body of a v1 server: of a host for http and https, of a port for tcp and udp. What the other sort would need may
-- be filled in all the same, and says nothing (lb-openresty's callers send one form for all).
local domain = require "model.domain"
local field = require "model.field"
local json = require "state.json"
local name = require "model.v1.name"
local verdict = require "tls.verdict"

local MAX_PEM = 65536

local function is_filled(value)
  return not field.is_absent(value) and value ~= ""
end

-- Rainbond sends booleans as texts, too.
local function is_truth(value)
  return field.is_absent(value) or type(value) == "boolean" or value == "true" or value == "false"
end

local function port_problem(body, default)
  return field.integer("port", tonumber(field.default(body.port, default)), 1, 65535)
end

local function upstream_problem(body)
  local problem = field.text("upstream", body.upstream, 253)
  if not problem and not name.is_usable(body.upstream) then
    problem = "upstream must be the name of an upstream"
  end
  return problem
end

local function pem_problem(body)
  for _, part in ipairs { "cert", "key" } do
    if type(body[part]) ~= "string" or body[part] == "" or #body[part] > MAX_PEM then
      return ("%s must be a PEM text of at most %d bytes: a server of protocol https needs both"):format(part, MAX_PEM)
    end
  end
  local problem = verdict(body.cert, body.key)
  return problem and (problem:gsub("^chain ", "cert "))
end

-- A server for http whose toHTTPS is true only redirects; what answers on https is another server, of its own.
local function scheme_of(protocol, body)
  local redirects = body.toHTTPS == true or body.toHTTPS == "true"
  return protocol == "http" and redirects and "httptohttps" or protocol
end

local function of_host(protocol, body)
  local host = type(body.domain) == "string" and body.domain:lower() or ""
  if not domain.is_name(host) then
    return nil, "domain must be a DNS name, *.NAME or *"
  end
  if not is_truth(body.toHTTPS) then
    return nil, "toHTTPS must be true or false"
  end
  local path = is_filled(body.path) and body.path or "/"
  local problem = field.text("path", path, 1024) or port_problem(body, 80) or upstream_problem(body)
  if not problem and path:sub(1, 1) ~= "/" then
    problem = "path must begin with /"
  end
  problem = problem or protocol == "https" and pem_problem(body)
  if problem then
    return nil, problem
  end
  local it = { domain = host, path = path, upstream = name.without_suffix(body.upstream) }
  it.scheme = scheme_of(protocol, body)
  if protocol == "https" then
    it.chain, it.key = body.cert, body.key
  end
  return it
end

local function of_port(protocol, body)
  local problem = port_problem(body, nil) or upstream_problem(body)
  if problem then
    return nil, problem
  end
  return { port = tonumber(body.port), protocol = protocol, upstream = name.without_suffix(body.upstream) }
end

-- The text to keep, or nil and what to change.
return function(protocol, body)
  local is_of_port = protocol == "tcp" or protocol == "udp"
  local it, problem = (is_of_port and of_port or of_host)(protocol, body)
  return it and json.encode(it), problem
end
