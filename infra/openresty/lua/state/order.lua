-- Which updates a node takes, and in which words it refuses the others.
--
--   reason   changes                                   snapshot
--   store    another store than the one held           the same, unless replaces names the one held
--   epoch    not the epoch held (higher: a snapshot    lower than the epoch held
--            is needed; lower: the sender is behind)
--   older    revision below the one held               the same, within one epoch
--   base     begins after the revision held            -
--   digest   the result would not be what was meant    the same
--
-- A node without any state (store "") takes a snapshot, or changes whose base is 0.
local order = {}

function order.conflict(reason, head)
  return {
    status = 409,
    reason = reason,
    store = head.store,
    epoch = head.epoch,
    revision = head.revision,
    digest = head.digest,
  }
end

function order.accepted(head, rejected)
  return {
    status = 200,
    store = head.store,
    epoch = head.epoch,
    revision = head.revision,
    digest = head.digest,
    rejected = rejected,
  }
end

function order.refuse_changes(head, it)
  if head.store ~= "" then
    if it.store ~= head.store then
      return order.conflict("store", head)
    elseif it.epoch ~= head.epoch then
      return order.conflict("epoch", head)
    elseif it.revision < head.revision then
      return order.conflict("older", head)
    end
  end
  if it.base > head.revision then
    return order.conflict("base", head)
  end
  -- The same revision can't mean two things; only a snapshot, which carries everything, may correct a node.
  if head.store ~= "" and it.revision == head.revision and it.digest ~= head.digest then
    return order.conflict("digest", head)
  end
  return nil
end

function order.refuse_snapshot(head, it)
  if head.store == "" or it.replaces == head.store then
    return nil
  end
  if it.store ~= head.store then
    return order.conflict("store", head)
  elseif it.epoch < head.epoch then
    return order.conflict("epoch", head)
  elseif it.epoch == head.epoch and it.revision < head.revision then
    return order.conflict("older", head)
  end
  return nil
end

-- Nothing to do: the node has exactly this.
function order.is_held(head, it)
  return it.store == head.store
    and it.epoch == head.epoch
    and it.revision == head.revision
    and it.digest == head.digest
    and head.problem == ""
end

return order
