-- What a batch changes for requests: hosts and pools, as the ring keeps them. A batch that changes more than fits there
-- changes everything, and collects no more.
local subjects = {}

subjects.MAX_BYTES = 8192

-- kind: host or pool.
function subjects.add(batch, kind, name)
  local it = batch.subjects
  if it.bytes > subjects.MAX_BYTES then
    return
  end
  local line = kind .. " " .. name
  if not it.known[line] then
    it.known[line] = true
    it.lines[#it.lines + 1] = line
    it.bytes = it.bytes + #line + 1
  end
end

function subjects.none()
  return { known = {}, lines = {}, bytes = 0 }
end

-- One text, or nil when it is everything.
function subjects.text(it)
  return it.bytes <= subjects.MAX_BYTES and table.concat(it.lines, "\n") or nil
end

return subjects
