-- How far configuration that is generated has come, as all workers see it: which generation nginx was asked to take,
-- which one runs, and of what state. Written by whoever holds the lock "reload"; `running` and `accepting` by each
-- worker about itself.
local ffi = require "ffi"
local page = require "state.page"

ffi.cdef [[
typedef struct {
  double last;              /* the newest generation that was written */
  double asked;             /* the one that nginx was last asked to take; above `running` until it has */
  double under_way;         /* 1: until old workers take no more connections, either */
  double is_behind;         /* 1: what was evaluated last is not what runs */
  double asked_at;
  double asked_revision;    /* v2's revision whose content it has */
  double running;           /* the newest one that a worker runs */
  double evaluated;         /* version of the state that was looked at last; 0: nothing yet */
  double evaluations;       /* of content, so that a worker sees that another one was here */
  double cost;              /* seconds that the last of them took */
  double done_at;           /* when it ended */
  double revision;          /* v2's revision whose content serves */
  double again_at;          /* when to look again though nothing changed; 0: need not */
  double forgotten;         /* generations up to this one lie nowhere any more */
  double refused;           /* the last generation that nginx did not take, until refused_until */
  double refused_until;
  double reloads;
  double may_not;           /* 1: the master belongs to another user, who alone may signal it */
  double health;            /* version of members' health that was looked at last */
  double passing;           /* 1: some names' TLS is passed through */
  int32_t accepting[8][256]; /* pids, by generation modulo 8 and worker */
} entrance_progress;
]]

return page("progress", "entrance_progress")
