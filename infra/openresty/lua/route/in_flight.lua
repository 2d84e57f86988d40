-- How many requests are under way at a member, in all workers; counted only where a pool balances by it.
local board = require "health.page"
local ffi = require "ffi"
local master = require "generated.master"

local in_flight = {}

local PLACES = 16384
local WORKERS = 256
local MOST = 65535

-- Counted once each time that the configuration is loaded, in the master.
board.generation = board.generation + 1
local half = board.generation % 2 * WORKERS
local own

function in_flight.place(name)
  return ngx.crc32_long(name) % PLACES
end

-- A worker that takes the place of one that died takes its row, too.
function in_flight.start()
  own = board.rows[half + ngx.worker.id()]
  ffi.fill(own, ffi.sizeof(own))
  own.pid = ngx.worker.pid()
end

-- What a worker of the configuration before had under way when it died nobody would take back.
function in_flight.tidy()
  local before = board.rows[WORKERS - half + ngx.worker.id()]
  if before.pid ~= 0 and not master.is_alive(before.pid) then
    ffi.fill(before, ffi.sizeof(before))
  end
end

function in_flight.enter(place)
  if own.active[place] < MOST then
    own.active[place] = own.active[place] + 1
  end
end

function in_flight.leave(place)
  if own.active[place] > 0 then
    own.active[place] = own.active[place] - 1
  end
end

-- In all workers, those that are still finishing after a reload among them.
function in_flight.at(place)
  local sum = 0
  for id = 0, ngx.worker.count() - 1 do
    sum = sum + board.rows[id].active[place] + board.rows[WORKERS + id].active[place]
  end
  return sum
end

return in_flight
