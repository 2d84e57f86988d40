-- init_worker_by_lua: shows now and then where this worker is, and looks whether something must be generated.
local authorities = require "authorities.loaded"
local checker = require "health.checker"
local in_flight = require "route.in_flight"
local reload = require "generated.reload"
local view = require "route.view"

local EVERY_SECONDS = 1

local function report(premature)
  if premature then
    return reload.ended()
  end
  view.report()
  in_flight.tidy()
  checker.step()
  return reload.step()
end

return function()
  math.randomseed(ngx.worker.pid() + ngx.time())
  in_flight.start()
  authorities.began()
  view.report()
  reload.began()
  assert(ngx.timer.every(EVERY_SECONDS, report))
end
