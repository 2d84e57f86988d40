-- What all sources make together: their files, and whether these are of a new state.
local folder = require "generated.folder"
local progress = require "generated.progress"
local ring = require "state.ring"
local sources = require "generated.sources"

local content = {}

-- Whether what changed up to a version may change the files.
function content.is_concerned(version)
  local found = false
  local is_known = ring.each(progress.evaluated, version, function(kind, name)
    for _, source in ipairs(sources) do
      found = found or source.concerns(kind, name)
    end
  end)
  return found or not is_known
end

-- Whether what they say besides the state has changed.
function content.is_outdated()
  for _, source in ipairs(sources) do
    if source.is_outdated and source.is_outdated() then
      return true
    end
  end
  return false
end

-- The files of all sources, and when to look again.
local function make_all(context)
  local texts, again_at, each = {}, 0, {}
  for place, source in ipairs(sources) do
    local files, again = source.make(context)
    each[place] = files
    for name, text in pairs(files) do
      texts[name] = text
    end
    if again and (again_at == 0 or again < again_at) then
      again_at = again
    end
  end
  return texts, again_at, each
end

-- Whether nginx has refused just these files.
function content.is_refused(mark)
  return progress.refused > 0 and folder.mark_of(progress.refused) == mark
end

-- All files, what marks them, when to look again, and each source's own. Where that would be what nginx has refused,
-- though nothing is seen to be wrong with it, what was new in it is left out.
function content.make()
  local texts, again_at, each = make_all { running = progress.running }
  if content.is_refused(folder.mark(texts)) then
    texts, again_at, each = make_all { running = progress.running, refused = progress.refused }
  end
  return texts, folder.mark(texts), again_at, each
end

-- They are what runs already: true, or nil and why what is data in them could not be handed over.
function content.serve(each)
  for place, source in ipairs(sources) do
    local fine, problem = true, nil
    if source.serve then
      fine, problem = source.serve(each[place])
    end
    if not fine then
      return nil, problem
    end
  end
  return true
end

-- All workers run what was made last.
function content.say_served()
  for _, source in ipairs(sources) do
    local fine, problem = true, nil
    if source.served then
      fine, problem = source.served()
    end
    if not fine then
      ngx.log(ngx.ERR, "what serves by now could not be noted: ", problem)
    end
  end
end

return content
