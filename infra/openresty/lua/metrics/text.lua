-- Metrics as Prometheus reads them: families of samples, each with labels that are escaped.
local text = {}

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

-- labels: a list of name, value, name, value …
function text.labels(labels)
  local parts = {}
  for place = 1, #labels, 2 do
    parts[#parts + 1] = ('%s="%s"'):format(labels[place], (tostring(labels[place + 1]):gsub('[\\"\n]', ESCAPES)))
  end
  return #parts > 0 and "{" .. table.concat(parts, ",") .. "}" or ""
end

-- out: a list of lines. Gives a function that adds one sample: its labels as text.labels gives them, and its value.
function text.family(out, name, kind, help)
  out[#out + 1] = ("# HELP %s %s"):format(name, help)
  out[#out + 1] = ("# TYPE %s %s"):format(name, kind)
  return function(labels, value, suffix)
    out[#out + 1] = ("%s%s%s %.17g"):format(name, suffix or "", labels, value)
  end
end

return text
