-- What /v2/state says of ports for connections: which are open, which are about to be, which are not and why.
local folder = require "generated.folder"
local json = require "state.json"
local problem_of = require "generated.problem"
local progress = require "generated.progress"

local report = {}

local FILE = "listeners" -- those that were listed last, in lines: key, JSON of what it is, names of its sockets
local COUNTS = "listeners.json" -- how many in all, and who came too late
local SERVED = "listeners.served" -- the same lines, as of what all workers run
local MAX_LISTED = 200 -- failed ones first

local function line(it)
  local sockets = {}
  for place, socket in ipairs(it.sockets or {}) do
    sockets[place] = socket.name
  end
  local reason = it.reason and ',"reason":' .. json.encode(it.reason) or ""
  local text = ('{"key":%s,"port":%d,"protocol":"%s"%s}'):format(json.encode(it.key), it.port, it.protocol, reason)
  return table.concat({ it.reason and "failed" or "open", text, table.concat(sockets, ",") }, "\t")
end

local function listed(services)
  local lines = {}
  for _, wants_failed in ipairs { true, false } do
    for _, it in ipairs(services) do
      if #lines < MAX_LISTED and (it.reason ~= nil) == wants_failed then
        lines[#lines + 1] = line(it)
      end
    end
  end
  return table.concat(lines, "\n")
end

local function shadowed_texts(shadowed)
  local texts = {}
  for place = 1, math.min(#shadowed, MAX_LISTED) do
    texts[place] = json.encode { v1 = shadowed[place].key, heldBy = shadowed[place].held_by }
  end
  return texts
end

-- Kept in files of the node's own: any worker is asked. What an earlier start has left says nothing of this one.
function report.write(services, shadowed)
  local failed = 0
  for _, it in ipairs(services) do
    failed = failed + (it.reason and 1 or 0)
  end
  local counts = ('"listenerCount":%d,"listenersFailed":%d,"shadowedListeners":%s'):format(
    #services, failed, json.list(shadowed_texts(shadowed)))
  local fine, problem = progress.evaluations > 0 or folder.note(SERVED, "")
  if fine then
    fine, problem = folder.note(FILE, listed(services))
  end
  if fine then
    fine, problem = folder.note(COUNTS, counts)
  end
  return fine, problem
end

-- What was written last is what all workers run.
function report.served()
  return folder.note(SERVED, folder.noted(FILE) or "")
end

local function lines_of(name)
  return (folder.noted(name) or ""):gmatch("[^\n]+")
end

local function states()
  local served, texts = {}, {}
  for text in lines_of(SERVED) do
    served[text] = true
  end
  for text in lines_of(FILE) do
    local state, members = text:match("^(%l+)\t{(.*)}\t")
    state = state == "open" and not served[text] and "opening" or state
    texts[#texts + 1] = ('{"state":"%s",%s}'):format(state, members)
  end
  return json.list(texts)
end

-- Members of a JSON object.
function report.members()
  local problem = problem_of.text()
  local is_known = progress.evaluations > 0
  return ('"l4Revision":%.0f,"l4Problem":%s,"reloads":%d,'):format(
    progress.revision, problem and json.encode(problem) or "null", progress.reloads)
    .. (is_known and folder.noted(COUNTS) or '"listenerCount":0,"listenersFailed":0,"shadowedListeners":[]')
    .. ',"listeners":' .. (is_known and states() or "[]")
end

return report
