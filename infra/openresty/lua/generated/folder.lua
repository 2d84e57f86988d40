-- conf/generated/: one folder for each generation of generated files, and `current`, a link to the one that counts.
-- A generation is there whole before the link moves, so that nginx never reads half of one.
local ffi = require "ffi"
local system = require "state.system"

ffi.cdef [[
int mkdir(const char *path, unsigned int mode);
int rmdir(const char *path);
int symlink(const char *target, const char *path);
]]

local C = ffi.C
local EEXIST = 17
local FOLDER_MODE = 448 -- 0700
local LIST = "files" -- names of what is in a generation, for whoever clears it away
local MARK = "mark" -- tells two generations apart

local folder = {}

local root = ngx.config.prefix() .. "conf/generated/"
local notes = ngx.config.prefix() .. "temp/"

local function path_of(number, name)
  return ("%s%d/%s"):format(root, number, name)
end

-- One file of a generation, or nil.
function folder.read(number, name)
  return system.read_all(path_of(number, name))
end

local function write_file(path, text)
  local fd, problem = system.create_empty(path)
  if not fd then
    return nil, problem
  end
  local fine
  fine, problem = system.write_at(fd, text, 0)
  system.close(fd)
  return fine, problem
end

-- What is known of the generation that counts, for all workers: of their own, wherever generations lie.
function folder.noted(name)
  return system.read_all(notes .. name)
end

-- Replaced whole.
function folder.note(name, text)
  if folder.noted(name) == text then
    return true
  end
  local fine, problem = write_file(notes .. name .. ".new", text)
  if not fine then
    return nil, problem
  end
  return system.rename(notes .. name .. ".new", notes .. name)
end

local function sorted_names(texts)
  local names = {}
  for name in pairs(texts) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- The same for equal files. Names that begin with a dot don't count: what they hold needs no reload.
function folder.mark(texts)
  local parts = {}
  for _, name in ipairs(sorted_names(texts)) do
    if name:sub(1, 1) ~= "." then
      parts[#parts + 1] = name .. "\0" .. ngx.md5_bin(texts[name])
    end
  end
  return ngx.md5(table.concat(parts, "\n"))
end

-- What nginx starts with has none.
function folder.mark_of(number)
  return folder.read(number, MARK) or folder.mark {}
end

function folder.forget(number)
  for name in (folder.read(number, LIST) or ""):gmatch("[^\n]+") do
    system.unlink(path_of(number, name))
  end
  for _, name in ipairs { LIST, MARK } do
    system.unlink(path_of(number, name))
  end
  C.rmdir(("%s%d"):format(root, number))
end

local function fill(number, texts, mark)
  local names = sorted_names(texts)
  local fine, problem = write_file(path_of(number, LIST), table.concat(names, "\n"))
  for _, name in ipairs(names) do
    if fine then
      fine, problem = write_file(path_of(number, name), texts[name])
    end
  end
  if fine then
    fine, problem = write_file(path_of(number, MARK), mark)
  end
  return fine, problem
end

-- Makes a generation the current one; true, or nil and why not.
function folder.point_to(number)
  system.unlink(root .. "current.new")
  if C.symlink(tostring(number), root .. "current.new") ~= 0 then
    return nil, "the link in conf/generated could not be made: " .. ffi.string(C.strerror(ffi.errno()))
  end
  return system.rename(root .. "current.new", root .. "current")
end

-- texts: by file name. true, or nil and why not.
function folder.write(number, texts, mark)
  local path = ("%s%d"):format(root, number)
  if C.mkdir(path, FOLDER_MODE) ~= 0 and ffi.errno() ~= EEXIST then
    return nil, ("mkdir %s: %s"):format(path, ffi.string(C.strerror(ffi.errno())))
  end
  local fine, problem = fill(number, texts, mark)
  if fine then
    fine, problem = folder.point_to(number)
  end
  if not fine then
    folder.forget(number)
  end
  return fine, problem
end

return folder
