-- What was counted, in plain memory that the master and all workers share: each worker counts in a row of its own, so
-- nobody waits for anybody, and what a worker had counted outlives it.
local ffi = require "ffi"
local page = require "state.page"

ffi.cdef [[
typedef struct {
  double statuses[6];   /* by class; the first: no status, the client had gone */
  double seconds, bytes;
  double failures;      /* tries that failed */
  double buckets[7];    /* each what is no slower than its bound and slower than the one before */
} entrance_count;
typedef struct { entrance_count counts[702]; } entrance_counts;
typedef struct {
  int32_t generation;   /* how often the configuration was loaded */
  int32_t epoch;        /* moves on when a slot is given to somebody else */
  double starts;        /* of workers */
  entrance_counts rows[512]; /* of two generations, since a reload leaves old workers to finish */
} entrance_metrics;
]]

local WORKERS = 256

local it = page("metrics", "entrance_metrics")

-- In the master, once each time that the configuration is loaded. Epoch 0 is nobody's: what was never asked for has it.
it.generation = it.generation + 1
it.epoch = it.epoch + 1
local half = it.generation % 2 * WORKERS

local own = {}

-- Routes: a rule and one of its pools. The first two are for those that no slot was left for, and for requests that
-- met no rule. Members: a pool and an address.
own.ROUTES = { name = "route", first = 2, last = 401, other = 0 }
own.NO_ROUTE = 1
own.MEMBERS = { name = "member", first = 403, last = 701, other = 402 }
own.BOUNDS = { 0.005, 0.025, 0.1, 0.25, 1, 2.5, 10 }
own.shared = it

-- This worker's row; whoever takes the place of one that died goes on counting in its row.
function own.row()
  return it.rows[half + ngx.worker.id()]
end

-- Calls visit(count) for a slot's count in each row.
function own.each(slot, visit)
  for id = 0, ngx.worker.count() - 1 do
    visit(it.rows[id].counts[slot])
    visit(it.rows[WORKERS + id].counts[slot])
  end
end

return own
