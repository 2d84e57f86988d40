-- Ports for connections, as a source of generated configuration (generated/sources.lua).
local breath = require "state.breath"
local health = require "health.page"
local index = require "state.index"
local memory = require "state.memory"
local known = require "health.known"
local members = require "l4.members"
local openings = require "l4.openings"
local passthrough = require "l4.passthrough"
local progress = require "generated.progress"
local report = require "l4.report"
local scripted = require "l4.scripted"
local services_of = require "l4.services"
local settings = require "settings"
local stock = require "l4.stock"

local source = {}

local form = settings.l4.has_lua and scripted or stock

local NO_V2 = "proxyProtocol v2 can't be sent by this nginx: use v1"
local NO_CLIENT = "this nginx lacks ngx_stream_realip_module, which the PROXY protocol on https needs here"
local NO_ROOM = "the node's folder has too long a path for a socket: choose a shorter one"

-- The pools that ports use, as of the last evaluation; made anew when another worker has made a newer one.
local used, used_at = {}, -1

local function note_used(services, names)
  used, used_at = {}, progress.evaluations
  for _, it in ipairs(services) do
    used[it.pool] = true
  end
  for _, it in ipairs(names) do
    if it.pool then
      used[it.pool] = true
    end
  end
end

function source.concerns(kind, name)
  if kind == "listener" then
    return true
  elseif kind == "domain" then
    return progress.passing == 1 or memory.current(index.PASSTHROUGHS) ~= nil
  elseif kind ~= "pool" then
    return false
  end
  if used_at ~= progress.evaluations then
    note_used((services_of.all()), passthrough.all())
  end
  return used[name] == true
end

-- Members that checks found unwell are left out, and come back.
function source.is_outdated()
  local now, found = health.version, false
  if progress.health == now then
    return false
  end
  local is_known = known.each(progress.health, now, function(pool)
    found = found or source.concerns("pool", pool)
  end)
  if is_known and not found then
    progress.health = now
  end
  return found or not is_known
end

-- Sets `to`, and a reason where nothing can lead there.
local function add_members(list, by_pool)
  for _, it in ipairs(list) do
    if it.pool then
      by_pool[it.pool] = by_pool[it.pool] or members(it.pool)
      it.to = by_pool[it.pool]
      if it.to.proxy_protocol == "v2" and it.protocol ~= "udp" then
        it.reason = NO_V2
      end
    end
    breath.take()
  end
end

local function open_ones(list)
  local open = {}
  for _, it in ipairs(list) do
    if not it.reason then
      open[#open + 1] = it
    end
  end
  return open
end

-- Names that pass through, without those that can't; none at all where none can.
local function passing(names)
  local open, any = {}, false
  for _, it in ipairs(names) do
    if it.pool and not settings.l4.folder then
      it.reason = NO_ROOM
    elseif it.pool and not settings.l4.knows_the_client then
      it.reason = NO_CLIENT
    end
    if not it.reason then
      open[#open + 1] = it
      any = any or it.pool ~= nil
    end
  end
  return any and open or {}
end

local function of_domains(names)
  local listed = {}
  for _, it in ipairs(names) do
    if it.pool then
      it.port, it.protocol = settings.l4.https_port, "tls"
      listed[#listed + 1] = it
    end
  end
  return listed
end

local function files(open, names, sockets, had_front)
  local made, has_front = {}, #names > 0
  if #open > 0 or has_front then
    sockets[#sockets + 1] = settings.l4.has_lua and "unix l4" or nil
    made["l4.main.conf"] = form.stream(open, names)
    made[scripted.DATA] = settings.l4.has_lua and scripted.data(open, names) or nil
  end
  if has_front or had_front then
    made["https.conf"] = stock.https(has_front)
    sockets[#sockets + 1] = "unix https"
    sockets[#sockets + 1] = has_front and openings.FRONT or nil
  end
  if next(made) then
    made[openings.LIST] = table.concat(sockets, "\n") .. "\n"
  end
  return made
end

function source.make(context)
  progress.health = health.version
  local services, shadowed = services_of.all()
  local names = passthrough.all()
  local by_pool = {}
  add_members(services, by_pool)
  add_members(names, by_pool)
  local sockets, try_again = openings.decide(services, context)
  local passed = passing(names)
  progress.passing = #passed > 0 and 1 or 0
  openings.clear_away(context)
  local had_front = openings.has_front(context)
  local made = files(open_ones(services), passed, sockets, had_front)
  for _, it in ipairs(of_domains(names)) do
    services[#services + 1] = it
  end
  assert(report.write(services, shadowed))
  note_used(services, names)
  used_at = progress.evaluations + 1 -- as this one will be counted
  if had_front and #passed == 0 then
    return made, ngx.now() -- its socket stays until nobody's front leads there
  end
  return made, try_again and ngx.now() + try_again or nil
end

source.served = report.served

-- Where members are data, new ones are handed over.
function source.serve(made)
  if made[scripted.DATA] then
    return scripted.hand_over(made[scripted.DATA])
  end
  return true
end

return source
