-- A page of numbers that the master and all workers share. A reload runs this again in the same master: old and new
-- workers go on sharing one.
local ffi = require "ffi"
local system = require "state.system"

local handles = ngx.shared.entrance_state -- nothing in it is ever evicted

-- type: a struct, declared before; all zeros at first.
return function(name, type)
  local known = handles:get(name)
  if known then
    return ffi.cast(type .. " *", ffi.cast("uintptr_t", known))
  end
  local memory = assert(system.shared_memory(ffi.sizeof(type)))
  assert(handles:safe_add(name, tonumber(ffi.cast("uintptr_t", memory))))
  return ffi.cast(type .. " *", memory)
end
