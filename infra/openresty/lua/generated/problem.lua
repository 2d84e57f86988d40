-- Why nginx does not run what was generated, as a sentence that says what to change; nil when all is well.
local master = require "generated.master"
local progress = require "generated.progress"

local problem = {}

problem.MAY_NOT = "workers may not signal the master, so ports for connections can't be opened or changed: run master "
  .. "and workers as one user (with CAP_NET_BIND_SERVICE for ports below 1024) instead of starting as root"
local REFUSED = "nginx did not take the generated configuration: the error log says why"

-- Whether the master would reload; said in the log when it is found that it would not.
function problem.may_reload()
  local may = master.obeys()
  if not may and progress.may_not == 0 then
    ngx.log(ngx.ERR, problem.MAY_NOT)
  end
  progress.may_not = may and 0 or 1
  return may
end

function problem.text()
  if progress.may_not == 1 then
    return problem.MAY_NOT
  end
  return progress.refused > 0 and REFUSED or nil
end

return problem
