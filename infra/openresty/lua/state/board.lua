-- A page of memory shared by the master and all workers: the version that requests see, and what each worker is at.
-- Reading the version is one load, so every request can afford to compare it.
local ffi = require "ffi"
local system = require "state.system"

ffi.cdef [[
typedef struct { double pid, version, revision, beat; } entrance_worker;
typedef struct {
  double version;         /* what requests see; one store publishes a batch, whole */
  double writing;         /* 1 while a batch is staged: a writer that finds it set knows that another one died */
  double journal;         /* number of the journal file that is appended to */
  double journal_length;  /* bytes of it that count */
  double dumps;           /* how many snapshot files were put in place since the start */
  double dump_bytes;      /* size of the last one */
  double started;
  entrance_worker workers[256];
} entrance_board;
]]

local address_of_board = "board"
local handle = ngx.shared.entrance_state -- nothing in it is ever evicted

-- A reload runs this again in the same master: old and new workers must go on sharing one page.
local function attach()
  local known = handle:get(address_of_board)
  if known then
    return ffi.cast("entrance_board *", ffi.cast("uintptr_t", known))
  end
  local memory = assert(system.shared_memory(ffi.sizeof("entrance_board")))
  assert(handle:safe_add(address_of_board, tonumber(ffi.cast("uintptr_t", memory))))
  return ffi.cast("entrance_board *", memory)
end

return attach()
