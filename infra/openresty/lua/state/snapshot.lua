-- v2's snapshot: everything that the node shall hold, line by line, swapped in whole or not at all.
local apply = require "state.apply"
local change_of = require("state.change").of
local digest = require "state.digest"
local envelope = require "state.envelope"
local index = require "state.index"
local order = require "state.order"
local sets = require "state.sets"
local snapshot_file = require "state.snapshot_file"

local snapshot = {}

snapshot.MAX_BYTES = 256 * 1024 * 1024
snapshot.MAX_REJECTED = 10000 -- listed in one answer

local function bad(message)
  return { status = 400, message = message }
end

-- Stages every line; gives the rejected ones, or nil and the sentence for a 400.
local function stage(batch, header, next_line)
  local rejected, count = {}, 0
  for text in next_line do
    if text:find("%S") then
      count = count + 1
      local change, problem = change_of(text)
      if change and not change.value then
        change, problem = nil, "a snapshot removes by leaving out"
      elseif change and batch:has_staged(index.record(change.key)) then
        change, problem = nil, "the key came before"
      end
      if not change then
        return nil, ("line %d: %s"):format(count + 1, problem)
      end
      local reason = apply.resource(batch, change)
      if reason and #rejected < snapshot.MAX_REJECTED then
        rejected[#rejected + 1] = { key = change.key, reason = reason }
      end
    end
  end
  if count ~= header.count then
    return nil, ("count is %d but %d lines follow"):format(header.count, count)
  end
  return rejected
end

-- Every line has staged its key, if only the revision has moved.
local function remove_others(batch)
  for bucket = 0, index.BUCKETS - 1 do
    for key in sets.each(batch:get("keys/" .. bucket)) do
      if not batch:has_staged(index.record(key)) then
        apply.resource(batch, { key = key })
      end
    end
  end
end

-- The writer's fill. next_line gives the body's lines, the header first.
function snapshot.fill(next_line)
  return function(batch)
    local header, problem = envelope.snapshot(next_line() or "")
    if not header then
      return bad(problem)
    end
    local head = batch.head
    local refusal = order.refuse_snapshot(head, header)
    if refusal then
      return refusal
    end
    if order.is_held(head, header) then
      return order.accepted(head, {})
    end
    local rejected
    rejected, problem = stage(batch, header, next_line)
    if not rejected then
      return bad(problem)
    end
    remove_others(batch)
    if digest.format(batch.digest) ~= header.digest then
      return order.conflict("digest", head)
    end
    head.store, head.epoch, head.revision, head.digest = header.store, header.epoch, header.revision, header.digest
    head.problem = ""
    return order.accepted(head, rejected), function()
      return snapshot_file.replace(batch.version)
    end
  end
end

return snapshot
