"""Where everything stands in the arrays of the genetic kernels: plain offsets (see `solvers.kernels.layout`).

Kernels take `D, P, S, Q`:

D  int32 or int64  distance matrices (profile, from, to), then duration matrices where they differ
P  int64           the problem: header, node rows, type rows, loads, neighbour lists
S  int64           the solution under local search: header, item rows, route rows, scratch
Q  float64         prices of violations, then what each route costs beside its distance

The population lives in X (int64) and XF (float64), see `population.py`.
"""

from __future__ import annotations

# --- P: header
(
    NODES,
    DEPOTS,
    SLOTS,
    KINDS,
    DIMS,
    PROFILES,
    TIMED,  # 1: clocks are kept
    MIXED,  # 1: several load dimensions, or deliveries with pickups; 0: one load, the LOAD of the node rows
    SYMMETRIC,
    UNIFORM,  # 1: all types start and end at the same depots
    ALIKE,  # 1: moreover with the same hours, so that a route runs the same with every type
    REVERSIBLE,  # 1: a route costs the same driven backwards, whatever the type
    MASKED,  # 1: some visits may not be served by some types
    OPTIONAL,
    NEAR_AT,  # of the starts of the neighbour lists, one per node and the end of the last
    KIND_AT,
    KIND_WIDTH,
    LOAD_AT,
    DURATION_AT,
    BARRED,  # distance of an arc that no route may take, more than any route's without; 0 where there are none
) = range(20)
P_HEAD = 32

# --- P: node rows, NODE words each. PRIZE is NO_PRIZE at mandatory visits; MASK has a bit per class of types
NODE = 8
EARLY, LATE, SERVICE, RELEASE, PRIZE, LOAD, MASK, ANGLE = range(P_HEAD, P_HEAD + NODE)
NO_PRIZE = -1
TURN = 65536  # ANGLE of a full circle

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
    CLASS,
    CAPACITY,
) = range(13)

# --- P: loads from LOAD_AT, per node DIMS deliveries, then DIMS pickups (only where MIXED)

# --- S: header
(
    MOVES,  # moves done so far in this local search; the clock of the stamps
    RANDOM,
    EMPTY,  # a slot without visits, or -1
    ROUTE_AT,
    ORDER_AT,
    ROUTES_AT,
    TAKEN_AT,
    PEAK_AT,
    BEST3_AT,
    DROP_AT,
    N_ABSENT,
) = range(11)
S_HEAD = 32

# --- S: item rows, ITEM words each. Items are the nodes (0..N-1), then two sentinels for each route slot r: its
# start N + 2r and its end N + 2r + 1. CUM is the distance from the start, BACK the same driven backwards, HELD
# the load of the visits up to here. A_ columns are the clock of the route up to and including the item, B_ of
# the visits from the item on without the end: duration, time warp, first and last start, release. A_OK and
# B_OK are the classes of types that may serve those visits.
ITEM = 24
(
    NEXT,
    PREV,
    ROUTE,
    POS,
    CUM,
    PLACE,
    HELD,
    TESTED,
    BACK,
    A_OK,
    B_OK,
    A_SPENT,
    A_WARP,
    A_EARLY,
    A_LATE,
    A_READY,
    B_SPENT,
    B_WARP,
    B_EARLY,
    B_LATE,
    B_READY,
) = range(S_HEAD, S_HEAD + 21)

# --- S: route rows from ROUTE_AT, WIDTH words each. OVER is the sum of what violates; HUB the mean direction
WIDTH = 12
R_KIND, R_SIZE, R_DIST, R_LOAD, R_SPENT, R_WARP, R_OVER, R_MODIFIED, R_SWAPPED, R_LOW, R_HIGH, R_HUB = range(
    12
)

# --- Q: prices per unit of time warp, distance and duration beyond the limits, and of load per dimension; then
# per route slot the price of its violations and its time
Q_WARP, Q_DISTANCE, Q_DURATION, Q_LOAD = range(4)
Q_SLACK = 16  # so at most 13 load dimensions have their own price
MAX_DIMS = Q_SLACK - Q_LOAD

NOWHERE = -1
