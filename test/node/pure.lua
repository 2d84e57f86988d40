-- The node's pure modules behind a request each, so that tests can compare them with their TypeScript siblings.
local address = require "model.address"
local board = require "state.board"
local certificate = require "phase.certificate"
local check_pool = require "model.pool"
local check_rule = require "model.rule"
local checks = require "health.checks"
local chosen = require "tls.chosen"
local connections = require "l4.stream.content"
local digest = require "state.digest"
local hello = require "l4.stream.hello"
local hsts = require "filter.hsts"
local health = require "health.page"
local json = require "state.json"
local key = require "model.key"
local known = require "health.known"
local members = require "route.members"
local note = require "metrics.note"
local precedence = require "model.precedence"
local recent = require "tls.recent"
local scan = require "state.scan"
local service = require "l4.stream.service"
local site = require "route.site"
local ssl = require "ngx.ssl"

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

-- [most, [what, name]…] -> how many values were made, still held, dropped, dropped twice, and dropped while in use: of
-- the name before the last.
function answers.recent(steps)
  local most = table.remove(steps, 1)
  local made, dropped, twice, early, used = 0, {}, 0, 0, {}
  local cache = recent.new(most, function(value)
    twice = twice + (dropped[value] and 1 or 0)
    early = early + ((used[1] == value or used[2] == value) and 1 or 0)
    dropped[value] = true
  end)
  for _, step in ipairs(steps) do
    local what, name = step[1], step[2]
    local value = cache:get(name)
    if what == "get" then
      if not value then
        made = made + 1
        value = made
        cache:put(name, value)
      end
      used = { value, used[1] }
    else
      used = {}
      cache[what](cache, name)
    end
  end
  local held, gone = 0, 0
  for _, values in ipairs { cache.young, cache.old } do
    for _ in pairs(values) do
      held = held + 1
    end
  end
  for _ in pairs(dropped) do
    gone = gone + 1
  end
  return { made, held, gone, twice, early }
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

-- [[what, text]…] -> who answers at tcp/1 after each: what a reload reads, and what was handed over
function answers.connections(steps)
  local found = {}
  for place, step in ipairs(steps) do
    if step[1] == "reload" then
      local file = assert(io.open(ngx.config.prefix() .. "conf/generated/current/.connections", "w"))
      file:write(step[2])
      file:close()
      connections.load()
    else
      assert(connections.replace(step[2]))
    end
    found[place] = connections.get("tcp/1") or false
  end
  return found
end

-- [] -> the version after two workers have told at once: one had its number, and the other was quicker to store its own
function answers.told_at_once()
  local shared = ngx.shared.entrance_health
  rawset(shared, "set", function(...)
    rawset(shared, "set", nil)
    local stored = shared.set(...)
    known.forget(known.ACTIVE, "pool", "other")
    return stored
  end)
  local before = health.version
  known.forget(known.ACTIVE, "pool", "one")
  local found = {}
  known.each(before, health.version, function(_, member)
    found[#found + 1] = member
  end)
  return found
end

-- [how many, of which length] -> the KiB that names which nobody knows leave behind
function answers.unknown_names(steps)
  service.of("tls/")
  collectgarbage()
  local before = collectgarbage("count")
  for number = 1, steps[1] do
    assert(not service.of(("%0" .. steps[2] .. "d"):format(number)))
  end
  collectgarbage()
  collectgarbage()
  return { collectgarbage("count") - before }
end

-- [how many] -> the KiB that rules which sent requests to https leave behind
function answers.redirects(steps)
  collectgarbage()
  local before = collectgarbage("count")
  for number = 1, steps[1] do
    local route = { place = 1, name = "rule " .. number, redirects = true, pools = {} }
    local found, rule = site.find({ exact = { ["/"] = { route } }, prefix = {}, start = {}, lengths = {} }, "/")
    assert(note.met_of(found, rule, nil).rule == route.name)
  end
  collectgarbage()
  collectgarbage()
  return { collectgarbage("count") - before }
end

-- Calls work while some functions of a module are others.
local function with(module, others, work)
  local own = {}
  for name, other in pairs(others) do
    own[name], module[name] = module[name], other
  end
  local fine, problem = pcall(work)
  for name in pairs(others) do
    module[name] = own[name]
  end
  assert(fine, problem)
end

-- What is read the first time is gone, since something was published meanwhile.
local function published_meanwhile(nothing, something)
  local is_first = true
  return function()
    if is_first then
      is_first = false
      board.version = board.version + 1
      return unpack(nothing)
    end
    return unpack(something)
  end
end

-- [] -> what a handshake is answered with whose pair is replaced under it
function answers.replaced_pair()
  local set = {}
  local function note_it(it)
    set[#set + 1] = it
    return true
  end
  local stubs = { server_name = function() end, clear_certs = function() end, set_cert = note_it, set_priv_key = note_it }
  local keys = function()
    return { "Certificate/shop/a" }
  end
  local pair = published_meanwhile({ false }, { { chain = "chain", key = "key" } })
  with(ssl, stubs, function()
    with(chosen, { of = keys, pair = pair }, certificate)
  end)
  return set
end

-- [] -> who is asked how he is, of a pool that is published while it is read
function answers.checked()
  local settings = { protocol = "http", health = { active = { type = "http" } } }
  local lists = { { { address = "10.0.0.1", port = 80 } } }
  local names = {}
  with(members, { of = published_meanwhile({ {}, {} }, { {}, {}, settings, lists }) }, function()
    local _, found = checks.of("Pool/shop/web/80")
    for name in pairs(found) do
      names[#names + 1] = name
    end
  end)
  return names
end

-- [a client's first words, as hex] -> the names in them
function answers.server_name(texts)
  local found, socket = {}, ngx.req.socket
  for place, text in ipairs(texts) do
    local bytes = text:gsub("..", function(digits)
      return string.char(tonumber(digits, 16))
    end)
    rawset(ngx.req, "socket", function()
      return {
        peek = function(_, length)
          return length <= #bytes and bytes:sub(1, length) or nil
        end,
      }
    end)
    found[place] = hello.server_name()
  end
  rawset(ngx.req, "socket", socket)
  return found
end

return function()
  ngx.req.read_body()
  local text = ngx.req.get_body_data() or ""
  ngx.print(json.encode(answers[ngx.var.uri:sub(2)](json.decode(text))))
end
