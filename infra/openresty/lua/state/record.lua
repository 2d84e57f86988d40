-- What is kept of one resource: its revision and hash as carried, why it can't be used (or nothing), the text that
-- came, and, where that one can't be used, the last usable text.
local record = {}

function record.encode(it)
  return it.revision .. " " .. it.hash .. "\n" .. (it.reason or "") .. "\n" .. it.value .. "\n" .. (it.usable or "")
end

-- Texts are on one line each, so line breaks can part them.
function record.decode(text)
  if not text then
    return nil
  end
  local revision, hash, reason, value, usable = text:match("^(%d+) (%x+)\n([^\n]*)\n([^\n]*)\n([^\n]*)$")
  return {
    revision = tonumber(revision),
    hash = hash,
    reason = reason ~= "" and reason or nil,
    value = value,
    usable = usable ~= "" and usable or nil,
  }
end

-- The text to serve by, if there is one.
function record.serving(it)
  if it.reason then
    return it.usable
  end
  return it.value
end

return record
