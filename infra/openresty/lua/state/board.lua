-- A page of memory shared by the master and all workers: the version that requests see, and what each worker is at.
-- Reading the version is one load, so every request can afford to compare it.
local ffi = require "ffi"
local page = require "state.page"

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
  double damaged;         /* lines on disk that could not be read then */
  entrance_worker workers[256];
} entrance_board;
]]

return page("board", "entrance_board")
