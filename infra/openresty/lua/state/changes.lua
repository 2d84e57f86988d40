-- v2's changes: what differs between base and revision, applied whole or not at all.
local apply = require "state.apply"
local breath = require "state.breath"
local change_at = require("state.change").at
local digest = require "state.digest"
local envelope = require "state.envelope"
local journal = require "state.journal"
local json = require "state.json"
local judgement = require "state.judgement"
local order = require "state.order"

local changes = {}

changes.MAX_BYTES = 8 * 1024 * 1024
changes.MAX_CHANGES = 50000

-- Stages every change; gives the rejected ones, or nil and the sentence for a 400.
local function stage(batch, it, body)
  local rejected = {}
  for number, at in ipairs(it.changes) do
    local change, problem = change_at(body, at)
    if not change then
      return nil, ("changes[%d]: %s"):format(number - 1, problem)
    end
    if change.revision > it.revision then
      return nil, ("changes[%d]: revision must not be greater than the batch's"):format(number - 1)
    end
    local reason = apply.resource(batch, change)
    if reason then
      rejected[#rejected + 1] = { key = change.key, reason = reason }
    end
  end
  return rejected
end

-- Parses a body's envelope; or nil, a status and a sentence.
function changes.parse(body)
  breath.start()
  local it, problem = envelope.changes(body)
  if not it then
    return nil, 400, problem
  end
  if #it.changes > changes.MAX_CHANGES then
    return nil, 413, ("more than %d changes in one batch: send a snapshot"):format(changes.MAX_CHANGES)
  end
  return it
end

-- The writer's fill.
function changes.fill(it, body)
  return function(batch)
    local head = batch.head
    local refusal = order.refuse_changes(head, it)
    if refusal then
      return refusal
    end
    if order.is_held(head, it) then
      return order.accepted(head, {})
    end
    local rejected, problem = stage(batch, it, body)
    if not rejected then
      return { status = 400, message = problem }
    end
    if digest.format(batch.digest) ~= it.digest then
      return order.conflict("digest", head)
    end
    head.store, head.epoch, head.revision, head.digest, head.problem = it.store, it.epoch, it.revision, it.digest, ""
    return order.accepted(head, rejected), function()
      local judged = judgement.text(batch)
      if judged then
        local fine, why = journal.append("J", judged)
        if not fine then
          return nil, why
        end
      end
      return journal.append("C", json.on_one_line(body))
    end
  end
end

return changes
