-- The authorities of its own that a pool serves by, as of now, or nil.
local field = require "model.field"
local index = require "state.index"
local json = require "state.json"
local memory = require "state.memory"
local record = require "state.record"

return function(name)
  local it = record.decode(memory.current(index.record(name)))
  local text = it and record.serving(it)
  local tls = text and field.default(json.decode(text).tls, nil)
  return tls and tls.verify and field.default(tls.ca, nil) or nil
end
