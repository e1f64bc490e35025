"""Where everything stands in the kernels' arrays: plain offsets, so that a call passes four flat arrays.

Kernels take `D, F, P, S`:

D  int32 or int64  distance matrices (profile, from, to), then duration matrices where they differ
F  float64         per profile: metric, scale, duration per distance; then x, y of each node
P  int64           the problem: header, node rows, type rows, loads, skills, neighbour lists
S  int64           the state: header, item rows, peaks, route rows, stacks

One array per role instead of one per attribute: Numba passes an array as seven words and counts references of
arrays in tuples, which cost more than the work inside most of these functions and most of the compile time.
Fixed-width rows follow the header, so a column constant holds the header's length: `P[NODE * x + EARLY]`.
"""

from __future__ import annotations

# --- P: header
(
    NODES,
    DEPOTS,
    SLOTS,
    KINDS,
    DIMS,
    MATRIX,
    SYMMETRIC,
    TIMED,
    MIXED,
    SKILLED,
    TIME_PRICED,
    PROFILES,
    NEAR_WIDTH,
    ADJACENT_WIDTH,
    KIND_WIDTH,
    KIND_AT,
    LOAD_AT,
    PICK_AT,
    ALLOWED_AT,
    NEAR_AT,
    ADJACENT_AT,
    DURATION_AT,
    QUICK,  # 1 where distances are symmetric and of one profile: WAY_AT then has those to the near visits
    WAY_AT,
    BARRED,  # arcs this long or longer may not be driven
    STAND_INS_AT,  # per type those that can step in for it, STAND_INS_WIDTH words, -1 after the last
    STAND_INS_WIDTH,
    ROOM_AT,  # per type the largest capacity of its stand-ins in each dimension
    SIDED,  # without matrices: 1 where backhauls come last, 2 where they also may not go alone
) = range(29)
P_HEAD = 32
PLAIN, WINDOWS, SEGMENTS = 0, 1, 2  # values of TIMED: no clock, feasibility only, durations too
ONE_WAY, BOTH_WAYS, WITHIN_SIDES = 0, 1, 2  # of SYMMETRIC: the last but for the arcs that backhauls bar

# --- P: node rows, NODE words each. HARD and SOFT weigh unserved mandatory visits, PRIZE optional ones; SIDE is 1
# at backhauls
NODE = 8
EARLY, LATE, SERVICE, RELEASE, PRIZE, HARD, SOFT, SIDE = range(P_HEAD, P_HEAD + NODE)

# --- P: type rows from KIND_AT, KIND_WIDTH words each; the capacities follow
(
    COUNT,
    FIXED,
    PER_DISTANCE,
    PER_TIME,
    START,
    END,
    OPEN,
    CLOSE,
    MAX_DISTANCE,
    MAX_DURATION,
    PROFILE,
    CAPACITY,
) = range(12)

# --- S: header
(
    TICK,
    N_JOURNAL,
    N_TOUCHED,
    N_USED,
    N_BANK,
    N_DIRTY,
    VALUE,  # cost of routes plus prizes lost
    MISSED_HARD,
    MISSED_SOFT,
    BEST_VALUE,
    BEST_HARD,
    BLINK,
    RANDOM,
    PEAK_AT,
    ROUTE_AT,
    ROUTE_WIDTH,
    USED_AT,
    BANK_AT,
    JOURNAL_AT,
    TOUCHED_AT,
    DIRTY_AT,
    TAKEN_AT,
    FIELD,  # ruins start at visits of this many, from the FIELD_FROM-th on; 0 for all of them
    FIELD_FROM,
) = range(24)
S_HEAD = 32

# --- S: item rows, ITEM words each. Items are the nodes (0..N-1), then two sentinels for each route slot r:
# its start N + 2r and its end N + 2r + 1. SPAN is the distance from PREV, at a start the slot's vehicle type.
# A_ columns describe the route up to and including the item: when it is left at the earliest, duration, first
# and last departure; B_ columns the rest from the item on: when it must be reached at the latest, duration,
# first and last arrival. WAS are PREV to SPAN before this tick, BEST those of the best solution.
ITEM = 24
PREV, NEXT, SLOT, SPAN, PLACE, STAMP, DIRTY, BANKED = range(S_HEAD, S_HEAD + 8)
A_WHEN, A_SPENT, A_FIRST, A_LAST, B_WHEN, B_SPENT, B_FIRST, B_LAST = range(S_HEAD + 8, S_HEAD + 16)
WAS, BEST = S_HEAD + 16, S_HEAD + 20

# --- S: route rows from ROUTE_AT, ROUTE_WIDTH words each; the loads follow COST, then SIZE to the loads again
# as they were before this tick
R_STAMP, R_USED, SIZE, KIND, LENGTH, TIME, READY, COST, LOADS = range(9)
R_FIXED = LOADS - SIZE  # words saved besides the loads

NOWHERE = -1
