-- SourceRanges {allow, deny}: which client addresses may ask. deny goes before allow; with allow, others are refused.
local address = require "model.address"
local field = require "model.field"

local source_ranges = {}

local MAX_RANGES = 256

local function check_range(text)
  if not address.range(text) then
    return "must be an address or a range such as 10.0.0.0/8 or 2001:db8::/32"
  end
  return nil
end

function source_ranges.check(it)
  local allow, deny = field.default(it.allow, {}), field.default(it.deny, {})
  local reason = field.list("allow", allow, MAX_RANGES, check_range)
    or field.list("deny", deny, MAX_RANGES, check_range)
  if not reason and #allow + #deny == 0 then
    return "allow or deny must name a range"
  end
  return reason
end

local function parse(texts)
  local ranges = {}
  for place, text in ipairs(field.default(texts, {})) do
    ranges[place] = address.range(text)
  end
  return ranges
end

local function any(ranges, client)
  for _, range in ipairs(ranges) do
    if address.is_within(range, client) then
      return true
    end
  end
  return false
end

function source_ranges.compile(it)
  local allow, deny = parse(it.allow), parse(it.deny)
  return {
    on_request = function()
      local client = ngx.var.binary_remote_addr
      if any(deny, client) or #allow > 0 and not any(allow, client) then
        return 403
      end
      return nil
    end,
  }
end

return source_ranges
