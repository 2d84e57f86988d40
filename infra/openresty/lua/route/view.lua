-- What this worker has compiled, and of which version. Compared with the board at every request, so nothing of it is
-- ever older than what was acknowledged; made when first needed, so a change costs what depends on it.
local board = require "state.board"
local head = require "state.head"
local pool = require "route.pool"
local ring = require "state.ring"
local site = require "route.site"

-- only: the peers for a host whose requests all go to one pool; what the balancer looks at first.
local view = { version = 0, only = {} }

local MAX_ALIASES = 20000
local MAX_ATTEMPTS = 100

local sites, pools = {}, {}
local aliases, alias_count = {}, 0 -- hosts served by a wildcard's site, or by that of *

local function forget_aliases()
  for host in pairs(aliases) do
    sites[host], view.only[host] = nil, nil
  end
  aliases, alias_count = {}, 0
end

local function forget(kind, name)
  if kind == "host" then
    sites[name], view.only[name] = nil, nil
    forget_aliases()
  elseif pools[name] then
    pool.forget(pools[name]) -- view.only holds on to it
    pools[name] = nil
  end
end

local function forget_everything()
  for name in pairs(pools) do
    forget("pool", name)
  end
  sites, view.only = {}, {}
  aliases, alias_count = {}, 0
end

function view.catch_up()
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
  local mine = board.workers[ngx.worker.id()]
  mine.pid, mine.version, mine.revision = ngx.worker.pid(), view.version, head.current().revision
  mine.beat = ngx.time()
end

local function wildcard_of(host)
  local rest = host:match("^[^.]+(%..+)$")
  return rest and "*" .. rest
end

local function own_site(host)
  local found = sites[host]
  if not found then
    found = site.compile(host, view.version)
    sites[host] = found
  end
  return found
end

-- The most specific host that has any rule decides: the name itself, its wildcard, *.
function view.site(host)
  local found = sites[host] or own_site(host)
  if found then
    return found
  end
  local wildcard = wildcard_of(host)
  found = wildcard and own_site(wildcard) or own_site("*")
  if found then
    if alias_count >= MAX_ALIASES then
      forget_aliases()
    end
    sites[host], aliases[host] = found, true
    alias_count = alias_count + 1
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
