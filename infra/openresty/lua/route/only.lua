-- What the balancer looks at first: of a host whose requests all go to one pool, its peers, and what is noted of them,
-- in one piece of memory. With many hosts asked for at random, each place to fetch from is a wait.
local ffi = require "ffi"
require "route.peers"

ffi.cdef [[
typedef struct {
  entrance_peers *peers;     /* whoever keeps this keeps them, too */
  int32_t slot, epoch;       /* among the counters, and as of when (metrics/note.lua) */
  uint16_t rule_length, pool_length;
  char names[?];             /* the rule's, then the pool's */
} entrance_only;
]]

local new = ffi.typeof("entrance_only")

-- rule and pool: their names, or nil where nobody asks for them.
return function(peers, rule, pool)
  rule, pool = rule or "", pool or ""
  local it = new(#rule + #pool + 1)
  it.peers, it.rule_length, it.pool_length = peers, #rule, #pool
  ffi.copy(it.names, rule .. pool)
  return it
end
