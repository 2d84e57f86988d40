-- What the node has, in one record: store, epoch, revision, digest, and counts.
local digest = require "state.digest"
local json = require "state.json"
local memory = require "state.memory"

local NAME = "head"
local head = {}

function head.empty()
  return { store = "", epoch = 0, revision = 0, digest = digest.EMPTY, counts = {}, rejected = 0, v1 = 0, problem = "" }
end

-- get reads a name: of one version, or of what is published.
function head.of(get)
  local text = get(NAME)
  return text and json.decode(text) or head.empty()
end

function head.current()
  return head.of(memory.current)
end

function head.stage(batch, value)
  batch:set(NAME, json.encode(value))
end

-- Ready once a complete state serves, whoever sent it; not while what is on disk is known to be incomplete.
function head.is_ready(value)
  return value.problem == "" and (value.store ~= "" or value.v1 > 0)
end

return head
