-- What was found about the certificates of a batch. Written beside the batch, since it can't be found again at a start:
-- 10,000 of them would take ten seconds, and what has expired since goes on serving.
local json = require "state.json"
local key = require "model.key"

local judgement = {}

-- Of the value that a change brings: whether it is kept at all.
function judgement.is_kept(name)
  return key.kind(name) == "Certificate"
end

function judgement.note(batch, change, reason)
  if reason and judgement.is_kept(change.key) then
    batch.judgements = batch.judgements or {}
    table.insert(batch.judgements, json.encode { key = change.key, hash = change.hash, reason = reason })
  end
end

-- A line for the journal, or nil when there is nothing to say.
function judgement.text(batch)
  return batch.judgements and json.list(batch.judgements)
end

-- The reasons of such a line, by key and hash.
function judgement.read(text)
  local reasons = {}
  for _, it in ipairs(json.decode(text) or {}) do
    reasons[it.key .. " " .. it.hash] = it.reason
  end
  return reasons
end

-- A change that was judged when it came: as it was found then.
function judgement.apply(change, reasons)
  if judgement.is_kept(change.key) then
    change.is_judged, change.reason = true, reasons[change.key .. " " .. (change.hash or "")]
  end
  return change
end

return judgement
