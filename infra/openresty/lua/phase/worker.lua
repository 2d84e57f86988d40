-- init_worker_by_lua: shows now and then where this worker is.
local view = require "route.view"

local EVERY_SECONDS = 1

local function report(premature)
  if not premature then
    view.report()
  end
end

return function()
  math.randomseed(ngx.worker.pid() + ngx.time())
  view.report()
  assert(ngx.timer.every(EVERY_SECONDS, report))
end
