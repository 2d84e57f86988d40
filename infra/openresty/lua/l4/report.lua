-- What /v2/state says of ports for connections: which are open, which are not and why.
local folder = require "generated.folder"
local json = require "state.json"
local problem_of = require "generated.problem"
local progress = require "generated.progress"

local report = {}

local FILE = "listeners.json"
local MAX_LISTED = 200 -- failed ones first

local function entry(it)
  return json.encode {
    key = it.key, port = it.port, protocol = it.protocol, state = it.reason and "failed" or "open", reason = it.reason,
  }
end

local function listed(services)
  local texts = {}
  for _, wants_failed in ipairs { true, false } do
    for _, it in ipairs(services) do
      if #texts < MAX_LISTED and (it.reason ~= nil) == wants_failed then
        texts[#texts + 1] = entry(it)
      end
    end
  end
  return texts
end

local function shadowed_texts(shadowed)
  local texts = {}
  for place = 1, math.min(#shadowed, MAX_LISTED) do
    texts[place] = json.encode { v1 = shadowed[place].key, heldBy = shadowed[place].held_by }
  end
  return texts
end

-- Kept in a file beside the configuration: any worker is asked.
function report.write(services, shadowed)
  local failed = 0
  for _, it in ipairs(services) do
    failed = failed + (it.reason and 1 or 0)
  end
  return folder.note(FILE, ('"listenerCount":%d,"listenersFailed":%d,"listeners":%s,"shadowedListeners":%s'):format(
    #services, failed, json.list(listed(services)), json.list(shadowed_texts(shadowed))))
end

-- Members of a JSON object.
function report.members()
  local problem = problem_of.text()
  return ('"l4Revision":%.0f,"l4Problem":%s,"reloads":%d,'):format(
    progress.revision, problem and json.encode(problem) or "null", progress.reloads)
    .. (folder.noted(FILE) or '"listenerCount":0,"listenersFailed":0,"listeners":[],"shadowedListeners":[]')
end

return report
