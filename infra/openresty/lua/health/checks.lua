-- Which members are to be asked whether they can serve, and how: of pools with health.active.
local board = require "state.board"
local duration = require "model.duration"
local field = require "model.field"
local health = require "model.health"
local members = require "route.members"
local peers = require "route.peers"

local checks = {}

local HTTP2 = { h2c = true, grpc = true }

local function tls_of(settings)
  local tls = field.default(settings.tls, nil)
  if not tls and settings.protocol ~= "https" then
    return nil
  end
  return { name = tls and field.default(tls.name, nil) }
end

-- How a pool's members are asked, or nil: not at all.
local function compile(settings)
  local active = settings and field.default(field.default(settings.health, {}).active, nil)
  if not active then
    return nil
  end
  local tls = tls_of(settings)
  return {
    kind = active.type,
    is_http2 = HTTP2[settings.protocol] or active.type == "grpc",
    tls = tls,
    path = field.default(active.path, "/"),
    host = field.default(active.host, nil),
    interval = duration.seconds(field.default(active.interval, "5s")),
    timeout = duration.seconds(field.default(active.timeout, "2s")),
    healthy = field.default(active.healthy, 2),
    unhealthy = field.default(active.unhealthy, 3),
    statuses = health.statuses(field.default(active.statuses, "200-399")),
    ramp = duration.seconds(field.default(settings.slowStart, nil)) or 0,
  }
end

-- How, and the members by name: {address, port, name}, as published now. Disabled ones are left alone.
function checks.of(pool)
  local version, _, settings, lists
  repeat
    version = board.version
    _, _, settings, lists = members.of(pool, version)
  until board.version == version
  local how, found = compile(settings), {}
  for _, list in ipairs(how and lists or {}) do
    for _, member in ipairs(list) do
      if field.default(member.state, "active") ~= "disabled" then
        local address = peers.address(member)
        local name = peers.name(address, member.port)
        found[name] = { address = address, port = member.port, name = name }
      end
    end
  end
  return how, found
end

return checks
