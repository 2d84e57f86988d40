-- What of members' health and load all workers share in plain memory: a version to compare with at every request, and
-- how many requests each worker has under way at each member.
local ffi = require "ffi"
local page = require "state.page"

-- Members are told apart by a hash of their address: two that share a place share a number, which makes a choice a
-- little worse and nothing else. Each worker counts in a row of its own, so nobody waits for anybody, and what a worker
-- that died had under way goes with it.
ffi.cdef [[
typedef struct { int32_t pid; uint16_t active[16384]; } entrance_load;
typedef struct {
  double version;           /* of what is known of members' health */
  int32_t generation;       /* how often the configuration was loaded */
  entrance_load rows[512];  /* of two generations, since a reload leaves old workers to finish */
} entrance_health;
]]

return page("health", "entrance_health")
