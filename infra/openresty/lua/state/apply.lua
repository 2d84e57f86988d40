-- Stages single changes into a batch and keeps the head's digest and counts in step with them.
local breath = require "state.breath"
local digest = require "state.digest"
local ending = require "state.ending"
local index = require "state.index"
local judgement = require "state.judgement"
local key = require "model.key"
local marked_pools = require "state.marked_pools"
local passthroughs = require "state.passthroughs"
local record = require "state.record"
local resource = require "model.resource"
local sets = require "state.sets"
local subjects = require "state.subjects"

local apply = {}

local function count(head, kind, step)
  local now = (head.counts[kind] or 0) + step
  head.counts[kind] = now > 0 and now or nil
end

local function list_rejection(batch, head, name, before, now)
  if before and not now then
    sets.remove(batch, index.rejected(name), name)
    head.rejected = head.rejected - 1
  elseif now and not before then
    sets.add(batch, index.rejected(name), name)
    head.rejected = head.rejected + 1
  end
end

local function remove(batch, name, old, list)
  local head = batch.head
  batch:set(index.record(name), nil)
  sets.remove(batch, index.bucket(name), name)
  if list then
    sets.remove(batch, list, name)
  end
  list_rejection(batch, head, name, old.reason, nil)
  ending.move(batch, name, record.serving(old), nil)
  passthroughs.move(batch, name, record.serving(old), nil)
  marked_pools.move(batch, name, record.serving(old), nil)
  count(head, key.kind(name), -1)
end

local function put(batch, change, old, list, reason)
  local head, name = batch.head, change.key
  local it = { revision = change.revision, hash = change.hash, reason = reason, value = change.value }
  if reason then
    it.usable = change.usable or old and record.serving(old)
    if #it.value > resource.MAX_VALUE_BYTES then
      it.value = "" -- too large to keep; its hash still counts
    end
  end
  batch:set(index.record(name), record.encode(it))
  ending.move(batch, name, old and record.serving(old), record.serving(it))
  passthroughs.move(batch, name, old and record.serving(old), record.serving(it))
  marked_pools.move(batch, name, old and record.serving(old), record.serving(it))
  digest.add(batch.digest, name, it.hash)
  list_rejection(batch, head, name, old and old.reason, reason)
  if not old then
    sets.add(batch, index.bucket(name), name)
    if list then
      sets.add(batch, list, name)
    end
    count(head, key.kind(name), 1)
  end
end

-- A usable value sent again: only its revision may move, and requests need not look it up anew.
local function is_same(old, change)
  return old.hash == change.hash and old.value == change.value and not old.reason
end

-- change: {key, revision, hash, value: text on one line or nil, decoded: the same as a table if that is known; from
-- disk: usable, is_judged and reason}. Gives the reason when the value can't be used.
function apply.resource(batch, change)
  breath.take()
  local name = change.key
  local old = record.decode(batch:get(index.record(name)))
  if old and is_same(old, change) then
    batch:set(index.record(name), record.encode(change))
    return nil
  end
  local segments, unknown = key.segments(name)
  local list, kind, subject = index.places(name, segments)
  local reason
  if old then
    digest.remove(batch.digest, name, old.hash)
  end
  if change.value then
    batch.grows = true
    if change.is_judged then
      reason = change.reason
    else
      reason = resource.reason_against(change, segments, unknown)
      judgement.note(batch, change, reason)
    end
    put(batch, change, old, list, reason)
  elseif old then
    remove(batch, name, old, list)
  end
  if kind then
    subjects.add(batch, kind, subject)
  end
  return reason
end

-- item: {kind: upstreams or servers, protocol, name, value: text or nil}; and the hosts it was and is found under.
function apply.v1(batch, item, hosts_before, hosts_now)
  local label = index.v1_label(item.kind, item.protocol, item.name)
  local record_name = index.v1_record(label)
  local existed = batch:get(record_name) ~= nil
  batch:set(record_name, item.value)
  batch.grows = batch.grows or item.value ~= nil
  if existed ~= (item.value ~= nil) then
    local change = existed and sets.remove or sets.add
    change(batch, index.v1_names(item.kind, item.protocol), item.name)
    batch.head.v1 = batch.head.v1 + (existed and -1 or 1)
  end
  for host in pairs(hosts_before) do
    sets.remove(batch, index.v1_of(host), label)
    subjects.add(batch, "host", host)
  end
  for host in pairs(hosts_now) do
    sets.add(batch, index.v1_of(host), label)
    subjects.add(batch, "host", host)
  end
  if item.kind == "upstreams" then
    subjects.add(batch, "pool", label)
  elseif item.protocol == "https" then
    subjects.add(batch, "certificate", label)
  elseif item.protocol == "tcp" or item.protocol == "udp" then
    subjects.add(batch, "listener", label)
  end
end

return apply
