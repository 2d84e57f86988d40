-- Gzip {}: text in answers is compressed for who accepts it. A location of its own does the work (node/rich.conf).
local gzip = {}

function gzip.check()
  return nil
end

function gzip.compile()
  return {}
end

return gzip
