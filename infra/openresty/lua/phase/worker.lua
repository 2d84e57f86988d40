-- init_worker_by_lua: shows now and then where this worker is, and looks whether something must be generated.
local authorities = require "authorities.loaded"
local checker = require "health.checker"
local counters = require "metrics.page"
local in_flight = require "route.in_flight"
local reload = require "generated.reload"
local slots = require "metrics.slots"
local view = require "route.view"

local EVERY_SECONDS = 1
-- How far memory may grow before it is collected, in % of what was left the last time; 200 unless told. With 40,000
-- routes a worker takes 132 MiB instead of 150, and a large batch takes no longer.
local MOST_GROWTH = 140

local function report(premature)
  if premature then
    return reload.ended()
  end
  view.report()
  in_flight.tidy()
  if ngx.worker.id() == 0 then
    slots.tidy(ngx.now())
  end
  checker.step()
  return reload.step()
end

return function()
  collectgarbage("setpause", MOST_GROWTH)
  math.randomseed(ngx.worker.pid() + ngx.time())
  in_flight.start()
  counters.shared.starts = counters.shared.starts + 1
  authorities.began()
  reload.began()
  view.report()
  assert(ngx.timer.every(EVERY_SECONDS, report))
end
