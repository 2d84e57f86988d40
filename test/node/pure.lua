-- The node's pure modules behind a request each, so that tests can compare them with their TypeScript siblings.
local address = require "model.address"
local check_pool = require "model.pool"
local check_rule = require "model.rule"
local digest = require "state.digest"
local hsts = require "filter.hsts"
local json = require "state.json"
local key = require "model.key"
local precedence = require "model.precedence"
local scan = require "state.scan"

local answers = {}

-- [{matches, owner, number}] -> their places in the order in which they are asked
function answers.precedence(rules)
  local ranked = {}
  for place, rule in ipairs(rules) do
    ranked[place] = { place = place - 1, rank = precedence.rank(rule) }
  end
  table.sort(ranked, function(a, b)
    return precedence.before(a.rank, b.rank)
  end)
  local places = {}
  for place, it in ipairs(ranked) do
    places[place] = it.place
  end
  return places
end

-- [[sign, key, hash]] -> the digest
function answers.digest(steps)
  local sum = digest.parse(digest.EMPTY)
  for _, step in ipairs(steps) do
    local change = step[1] == 1 and digest.add or digest.remove
    change(sum, step[2], step[3])
  end
  return { digest.format(sum) }
end

-- [key] -> [its segments, or false]
function answers.key(keys)
  local found = {}
  for place, text in ipairs(keys) do
    found[place] = key.is_well_formed(text) and key.segments(text) or false
  end
  return found
end

local function items(text)
  local starts, after = json.starts_at(text, 1)
  local found = {}
  for place, at in ipairs(starts or {}) do
    found[place] = text:sub(at, scan.value(text, at) - 1)
  end
  return starts and scan.is_end(text, after) and found
end

-- [JSON text] -> [the texts of its members by name, or of its items; or false]
function answers.cut(texts)
  local found = {}
  for place, text in ipairs(texts) do
    found[place] = json.members(text) or items(text)
  end
  return found
end

-- [[range, address]] -> [whether the address lies in it]
function answers.within(pairs_of)
  local found = {}
  for place, it in ipairs(pairs_of) do
    found[place] = address.is_within(address.range(it[1]), address.range(it[2]).bytes)
  end
  return found
end

-- [{maxAge, includeSubDomains, preload}] -> [the header]
function answers.hsts(settings)
  local texts = {}
  for place, it in ipairs(settings) do
    texts[place] = hsts.text(it)
  end
  return texts
end

-- [rule] -> [why it can't be used, or false]
function answers.rule(rules)
  local reasons = {}
  for place, it in ipairs(rules) do
    reasons[place] = check_rule(it, { "a.example", "Ingress", "shop", "web", "0" }) or false
  end
  return reasons
end

-- [pool] -> [why it can't be used, or false]
function answers.pool(pools)
  local reasons = {}
  for place, it in ipairs(pools) do
    reasons[place] = check_pool(it) or false
  end
  return reasons
end

return function()
  ngx.req.read_body()
  local text = ngx.req.get_body_data() or ""
  ngx.print(json.encode(answers[ngx.var.uri:sub(2)](json.decode(text))))
end
