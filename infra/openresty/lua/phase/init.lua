-- All phases by name, loaded once before the fork; the configuration calls them with one line each.
require "resty.core"

local system = require "state.system"
local load = require "state.load"

system.survive_file_size_limit()
load.once()

local balance = require "phase.balance"
local count = require "phase.count"
local metrics = require "admin.metrics"
local page = require "phase.page"
local release = require "phase.release"
local settings = require "settings"
local v1 = require "admin.v1"

-- Where a location has its own way of ending.
local function release_and_count()
  release()
  return count()
end

return {
  worker = require "phase.worker",
  balance = balance("http"),
  balance_https = balance("https"),
  certificate = require "phase.certificate",
  weigh = require "phase.weigh",
  try = require "phase.try",
  decide = require "phase.decide",
  unreachable = require "phase.unreachable",
  filter_request = require "phase.filter_request",
  filter_header = require "phase.filter_header",
  filter_body = require "phase.filter_body",
  release = settings.counts and release_and_count or release,
  count = count,
  v1 = function()
    return v1(settings.v1_without_key)
  end,
  v1_for_networks = function()
    return v1(true)
  end,
  v2 = require "admin.v2",
  health = require "admin.health",
  metrics = metrics,
  metrics_of_health = function()
    return metrics(settings.health_needs_key)
  end,
  waiting = function()
    return page.send(503)
  end,
}
