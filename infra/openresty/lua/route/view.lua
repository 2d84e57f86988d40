-- What this worker has compiled, and of which version. Compared with the board at every request, so nothing of it is
-- ever older than what was acknowledged; made when first needed, so a change costs what depends on it.
local board = require "state.board"
local chosen = require "tls.chosen"
local head = require "state.head"
local health = require "health.page"
local known = require "health.known"
local own = require "generated.own"
local pool = require "route.pool"
local ring = require "state.ring"
local site = require "route.site"

-- Of each listener: only, for a Host whose requests all go to one pool, what the balancer looks at first, and kept, its
-- peers; sites, by host; and aliases: hosts served by a wildcard's site, or by that of *, and Hosts with a port or in
-- other letters than the host's.
local function nothing()
  return { only = {}, kept = {}, sites = {}, aliases = {}, alias_count = 0 }
end

local view = { version = 0, health = 0, listeners = { http = nothing(), https = nothing() } }

local MAX_ALIASES = 20000
local MAX_ATTEMPTS = 100

local pools = {}

local function forget_aliases(it)
  for host in pairs(it.aliases) do
    it.sites[host], it.only[host], it.kept[host] = nil, nil, nil
  end
  it.aliases, it.alias_count = {}, 0
end

local function forget(kind, name)
  if kind == "host" then
    for _, it in pairs(view.listeners) do
      it.sites[name], it.only[name], it.kept[name] = nil, nil, nil
      forget_aliases(it)
    end
  elseif kind == "certificate" then
    chosen.forget(name)
  elseif kind == "domain" then
    chosen.forget(nil)
  elseif pools[name] then
    pool.forget(pools[name]) -- view.only holds on to it
    pools[name] = nil
  end
end

local function forget_everything()
  for name in pairs(pools) do
    forget("pool", name)
  end
  for _, it in pairs(view.listeners) do
    it.only, it.kept, it.sites = {}, {}, {}
    it.aliases, it.alias_count = {}, 0
  end
  chosen.forget_everything()
end

local function refresh(name, member)
  if pools[name] then
    pool.refresh(pools[name], member)
  end
end

-- What became known of members' health.
local function look_after_members()
  local version = health.version
  if not known.each(view.health, version, refresh) then
    for name in pairs(pools) do
      refresh(name, nil)
    end
  end
  view.health = version
end

function view.catch_up()
  if health.version ~= view.health then
    look_after_members()
  end
  local version = board.version
  if view.version == version then
    return
  end
  if not ring.each(view.version, version, forget) then
    forget_everything()
  end
  view.version = version
end

-- For /v2/state: shows where this worker is, also while no requests come.
function view.report()
  view.catch_up()
  if not own.is_newest() then
    return -- its place is another's by now
  end
  local mine = board.workers[ngx.worker.id()]
  mine.pid, mine.version, mine.revision = ngx.worker.pid(), view.version, head.current().revision
  mine.beat = ngx.time()
end

-- A name whose entries go with the next change of any host.
function view.add_alias(listener, name)
  local it = view.listeners[listener]
  if it.aliases[name] then
    return
  end
  if it.alias_count >= MAX_ALIASES then
    forget_aliases(it)
  end
  it.aliases[name], it.alias_count = true, it.alias_count + 1
end

local function wildcard_of(host)
  local rest = host:match("^[^.]+(%..+)$")
  return rest and "*" .. rest
end

local function own_site(host, listener)
  local sites = view.listeners[listener].sites
  local found = sites[host]
  if not found then
    found = site.compile(host, view.version, listener)
    sites[host] = found
  end
  return found
end

-- The most specific host that has any rule decides: the name itself, its wildcard, *.
function view.site(host, listener)
  local found = own_site(host, listener)
  if found then
    return found
  end
  local wildcard = wildcard_of(host)
  found = wildcard and own_site(wildcard, listener) or own_site("*", listener)
  if found then
    view.add_alias(listener, host)
    view.listeners[listener].sites[host] = found
  end
  return found
end

function view.pool(name)
  local found = pools[name]
  if not found then
    found = pool.compile(name, view.version)
    pools[name] = found
  end
  return found
end

-- Runs look_up, which compiles what it needs, until all of that is of one version.
function view.consistently(look_up)
  local first, second, third
  for _ = 1, MAX_ATTEMPTS do
    view.catch_up()
    first, second, third = look_up()
    if board.version == view.version then
      break
    end
  end
  return first, second, third
end

return view
