-- All filters, in the order in which they are asked: who may not pass is turned away before anything is worked out for
-- them, and what is handed on is changed last. A filter is {check, compile}; compile gives {on_request, on_header}.
local field = require "model.field"

local list = {}

local ORDER = {
  "SourceRanges",
  "RateLimit",
  "CORS",
  "BasicAuth",
  "BodyLimit",
  "RequestRedirect",
  "URLRewrite",
  "RequestHeaderModifier",
  "RequestMirror",
  "ResponseHeaderModifier",
  "Hsts",
  "Gzip",
}

local FILTERS = {
  BasicAuth = require "filter.basic_auth",
  BodyLimit = require "filter.body_limit",
  CORS = require "filter.cors",
  Gzip = require "filter.gzip",
  Hsts = require "filter.hsts",
  RateLimit = require "filter.rate_limit",
  RequestHeaderModifier = require "filter.request_header_modifier",
  RequestMirror = require "filter.request_mirror",
  RequestRedirect = require "filter.request_redirect",
  ResponseHeaderModifier = require "filter.response_header_modifier",
  SourceRanges = require "filter.source_ranges",
  URLRewrite = require "filter.url_rewrite",
}

local MAX_FILTERS = 16 -- Gateway API's

-- Gateway API names the member after the type: requestRedirect, urlRewrite, cors.
local MEMBERS = { CORS = "cors", URLRewrite = "urlRewrite" }

local function member_of(kind)
  return MEMBERS[kind] or kind:sub(1, 1):lower() .. kind:sub(2)
end

local function check_one(filter, rule)
  local kind = type(filter) == "table" and filter.type
  if type(kind) ~= "string" or not FILTERS[kind] then
    return "filter " .. (type(kind) == "string" and kind or "of no type") .. " is not known to this node"
  end
  local member = member_of(kind)
  local settings = field.default(filter[member], {})
  local reason = field.object(member, settings) or FILTERS[kind].check(settings, rule)
  return reason and kind .. ": " .. reason
end

-- allowed: a set of types, or nil for all.
function list.check(name, filters, rule, allowed)
  local seen = {}
  return field.list(name, filters, MAX_FILTERS, function(filter)
    local reason = check_one(filter, rule)
    if reason then
      return reason
    elseif seen[filter.type] then
      return filter.type .. " is there twice: put both into one"
    elseif allowed and not allowed[filter.type] then
      return filter.type .. " is no filter of a single pool: give it to the rule"
    end
    seen[filter.type] = true
    if seen.RequestRedirect and seen.URLRewrite then
      return "RequestRedirect and URLRewrite exclude each other: keep one"
    end
    return nil
  end)
end

-- Adds to it.on_request and it.on_header. Whether answers are to be compressed.
function list.compile(it, filters, rule)
  local by_kind = {}
  for _, filter in ipairs(filters) do
    by_kind[filter.type] = field.default(filter[member_of(filter.type)], {})
  end
  for _, kind in ipairs(ORDER) do
    local settings = by_kind[kind]
    if settings then
      local compiled = FILTERS[kind].compile(settings, rule, it.name)
      it.on_request[#it.on_request + 1] = compiled.on_request
      it.on_header[#it.on_header + 1] = compiled.on_header
    end
  end
  return by_kind.Gzip ~= nil
end

return list
