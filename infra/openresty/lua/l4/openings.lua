-- Which services can have their ports: what can't is left out of the configuration, with a reason, before nginx would
-- refuse the whole because of it.
local bindable = require "l4.bindable"
local breath = require "state.breath"
local folder = require "generated.folder"
local problem = require "generated.problem"
local settings = require "settings"
local system = require "state.system"

local openings = {}

openings.LIST = "sockets" -- the file of a generation that names its sockets

openings.UNIX = { "https", "passthrough", "l4" }
openings.FRONT = "unix passthrough" -- is there where connections by TLS are looked at before anybody ends them

local REFUSED = "nginx could not open it; the error log says why"
local IS_MOVING = "its port is still open with other addresses, which are closed first: it opens in a moment"
local TRY_AGAIN_SECONDS, MOVED_SECONDS = 5, 1

local is_own = {}
for _, port in ipairs(settings.l4.own_ports) do
  is_own[port] = true
end

-- The names of a generation's sockets.
local function opened_by(generation)
  local names = {}
  for name in (generation and folder.read(generation, openings.LIST) or ""):gmatch("[^\n]+") do
    names[name] = true
  end
  return names
end

-- Whether it is the node itself that has the port: nginx opens what is new before it closes what is old.
local function is_moving(socket, opened)
  local from, to = "^" .. socket.protocol .. " ", ":" .. socket.port .. "$"
  for name in pairs(opened) do
    if name:find(from) and name:find(to) then
      return true
    end
  end
  return false
end

local function reason_against_opening(socket, opened, refused)
  if not problem.may_reload() then
    return problem.MAY_NOT
  elseif refused[socket.name] then
    return REFUSED
  end
  local reason = bindable(socket)
  return reason and is_moving(socket, opened) and IS_MOVING or reason
end

local function reason_against(it, opened, refused)
  if it.protocol == "tcp" and is_own[it.port] then
    return ("port %d is the node's own: use another"):format(it.port)
  end
  for _, socket in ipairs(it.sockets) do
    local reason = not opened[socket.name] and reason_against_opening(socket, opened, refused)
    if reason then
      return reason
    end
  end
  return nil
end

-- Each UDP socket is there once for each worker.
local function places_of(it)
  return #it.sockets * (it.protocol == "udp" and ngx.worker.count() or 1)
end

-- Sets `reason` of each service that can't have its port now. Gives the names of all sockets that shall be open, and
-- after how many seconds others are worth another try, or nil.
function openings.decide(services, context)
  local opened, refused = opened_by(context.running), opened_by(context.refused)
  local names, left, try_again = {}, settings.l4.sockets, nil
  for _, it in ipairs(services) do
    left = left - places_of(it)
    it.reason = it.reason or reason_against(it, opened, refused)
    if not it.reason and left < 0 then
      it.reason = ("the node has room for %d sockets, as many as its connections allow: raise the limit of open files")
        :format(settings.l4.sockets)
    end
    if it.reason then
      left = left + places_of(it)
      local seconds = it.reason == IS_MOVING and MOVED_SECONDS or TRY_AGAIN_SECONDS
      try_again = math.min(try_again or seconds, seconds)
    else
      for _, socket in ipairs(it.sockets) do
        names[#names + 1] = socket.name
      end
    end
    breath.take()
  end
  table.sort(names)
  return names, try_again
end

function openings.has_front(context)
  return opened_by(context.running)[openings.FRONT] == true
end

-- A kill -9 leaves sockets that nobody listens on, and nobody else could.
function openings.clear_away(context)
  local opened = opened_by(context.running)
  for _, name in ipairs(settings.l4.folder and openings.UNIX or {}) do
    if not opened["unix " .. name] then
      system.unlink(("%s/%s.sock"):format(settings.l4.folder, name))
    end
  end
end

return openings
