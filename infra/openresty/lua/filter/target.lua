-- Filters of one of a rule's weighted pools: changes of headers, when the request goes to that pool.
local field = require "model.field"
local list = require "filter.list"

local target = {}

local ALLOWED = { RequestHeaderModifier = true, ResponseHeaderModifier = true }

function target.check(filters, rule)
  return list.check("filters", filters, rule, ALLOWED)
end

local function run(by_pool, phase)
  return function(it)
    local own = by_pool[it.pool_name]
    for _, change in ipairs(own and own[phase] or {}) do
      change(it)
    end
  end
end

function target.compile(it, rule)
  local by_pool = {}
  for _, each in ipairs(rule.pools) do
    local filters = field.default(each.filters, {})
    if #filters > 0 then
      local own = { name = it.name, on_request = {}, on_header = {} }
      list.compile(own, filters, rule)
      by_pool[each.pool] = own
    end
  end
  if next(by_pool) then
    it.on_request[#it.on_request + 1] = run(by_pool, "on_request")
    it.on_header[#it.on_header + 1] = run(by_pool, "on_header")
  end
end

return target
