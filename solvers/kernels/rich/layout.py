"""Where everything stands in the arrays of the rich kernels.

Functions take `D, F, P, S, V, B, X`:

D  float64  per profile the distances, then the durations (lengths where speeds change), each N x N; if one is not
            symmetric, the same once more, turned: what leads to a node then stands in a row, too. Or, where those
            would be too large, per profile the RULE of lengths, then x, y of each node from COORDS_AT on
F  float64  the problem's times and costs: node rows, type rows, gaps between windows, speeds, absence costs
P  int64    the problem's structure: header, node rows, type rows, loads, jobs, neighbour lists
S  int64    the search: header, slots, sequences, where each node is, absent jobs, insertion cache
V  float64  the search: header, costs of slots, cached insertion costs, weights of operators
B  int64    scratch: the route at hand as items, loads by leg, marks
X  float64  scratch: times along the route at hand, points of arrival functions

Times and costs are float64 throughout: whole numbers stay exact below 2^53, and where speeds change with the
hour nothing is rounded on the way. Nodes are depots first, then visits, then once more the depots that are
stations. A route is a row of visits and, where it reloads, depots; where it charges is found when it is
evaluated. A job is what is inserted as one: a visit, a pair, or a group of alternatives.
"""

from __future__ import annotations

INFINITE = 1e18
NEVER = 4 * INFINITE  # beyond all limits, also those that stand for none, and beyond INFINITE less a cost
BETWEEN_EQUALS = 1e-6  # of all prices where the longest route is to be short: they decide between equals
POWER, STEEP = 32, 1.4  # see `solvers.kernels.rich.simulate.steep`

# --- P: header
(
    N,
    DEPOTS,
    KINDS,
    DIMS,
    JOBS,
    SLOTS,
    WIDTH,
    NEAR_WIDTH,
    HAS_GAPS,
    HAS_PAIRS,
    HAS_BACKHAULS,
    BACKHAULS_ALONE,
    HAS_RELOADS,
    HAS_RELEASES,
    HAS_LATE_COST,
    VEHICLES_FIRST,
    CACHED,
    LOAD_AT,
    KIND_AT,
    ALLOWED_AT,
    JOB_AT,
    MEMBER_AT,
    NEAR_AT,
    RELOAD_LIST_AT,
    STRIDE,  # N where there are matrices, else 0: one look tells, in the innermost loops
    COORDS_AT,
    TURNED,  # how far behind the matrices those turned stand, 0 where they are the same
    F_KIND_AT,
    F_GAP_AT,
    F_JOB_AT,
    F_SERVICE_AT,
    F_SPEED_AT,
    CATEGORY_AT,
    CATEGORIES,
    PERIODS,
    HAS_TIMES,
    LONGEST,
    F_ASSIGN_AT,
    HAS_ASSIGN,
    VISITS,
    STATIONS,  # the first of the nodes that stand for depots as stations, behind the visits
    STATION_LIST_AT,
    HAS_PARTS,
    HAS_PRIZES,
) = range(44)
P_HEAD = 48

# --- D without matrices: rules of RULE words; R_UNROUNDED is 1 where durations are lengths as speeds need them
RULE = 4
R_METRIC, R_SCALE, R_PACE, R_UNROUNDED = range(RULE)

# --- P: node rows of NODE words from P_HEAD. ROLE is 1 at the pickup and 2 at the delivery of a pair; WHOLE is
# the number that the parts of a split visit share, -1 at depots
NODE = 8
PARTNER, ROLE, BACKHAUL, JOB_OF, GAP_FROM, GAP_COUNT, WHOLE, _ = range(P_HEAD, P_HEAD + NODE)

# --- P: load rows of 3 x DIMS words from LOAD_AT: from the depot, to the depot, to or from the other end of a pair

# --- P: type rows from KIND_AT, KIND words each, then the capacities
KIND = 16
(
    COUNT,
    START,
    END,
    PROFILE,
    OPEN_END,
    LIFO,
    MAX_RELOADS,
    RELOAD_FROM,
    RELOAD_COUNT,
    BY_HOUR,
    TIME_MATTERS,
    LOCKED,
    HAS_DUTY,
    HAS_BATTERY,
    STATION_FROM,
    STATION_COUNT,
) = range(16)

# --- P: job rows of JOB words from JOB_AT: kind, first member, members, required, hard weight, level of priority
JOB = 6
J_KIND, J_FROM, J_COUNT, J_REQUIRED, J_HARD, J_LEVEL = range(6)
SINGLE, PAIR, GROUP = 0, 1, 2

# --- F: node rows of F_NODE words
F_NODE = 6
EARLY, LATE, DUE, LATE_COST, RELEASE, SIZE_KEY = range(6)

# --- F: type rows from F_KIND_AT
F_KIND = 20
(
    FIXED,
    PER_DISTANCE,
    PER_TIME,
    OPEN,
    CLOSE,
    MAX_DISTANCE,
    MAX_DURATION,
    OVER_AFTER,
    OVER_COST,
    RELOAD_TIME,
    DRIVE_BETWEEN,
    BREAK_TIME,
    FIRST_PART,
    MAX_DRIVING,
    BATTERY,
    CONSUMPTION,
    RATE,
    INITIAL,
    RESERVE,
    ENERGY_COST,
) = range(20)

# --- F: job rows: the cost of leaving it out, the cost of each member beyond the best (by member list)

# --- S: header
(
    RANDOM,
    N_USED,
    N_FREE,
    N_ABSENT,
    VERSION,
    TICK,
    N_SAVED,
    CAP,  # routes allowed at most
    SEQ_AT,
    SLOT_AT,
    USED_AT,
    FREE_AT,
    WHERE_AT,
    ABSENT_AT,
    ABSENT_OLD_AT,
    SAVED_AT,
    BACKUP_AT,
    BEST_AT,
    CACHE_AT,
    ABSENCES_AT,
    KIND_USED_AT,
    N_BEST,
    N_ABSENT_OLD,
    LOCATE_AT,
    BEST_HARD,
    INSERTION,  # number of the insertion under way
) = range(26)
S_HEAD = 32

# --- S: slot rows of SLOT words: route length, type, version, tick of the last save; then as saved
# SEEN is the number of the insertion that looked at it last; LOADED is the first load that it takes out, besides
# what is on board before, as of version LOADED_STAMP
SLOT = 11
LENGTH, TYPE, STAMP, SAVED, OLD_LENGTH, OLD_TYPE, OLD_STAMP, PLACE, SEEN, LOADED, LOADED_STAMP = range(SLOT)

# --- S: cache rows of CACHE words by job and slot: the route's version, member, gaps and mode of the insertion
CACHE = 4
C_STAMP, C_MEMBER, C_GAPS, C_MODE = range(4)

# --- V: header
(
    COST_NOW,
    COST_BEST,
    EXTRA,  # cost of what is absent and of lesser alternatives
    EXTRA_OLD,
    MISSED,  # weight of mandatory jobs that are absent
    MISSED_OLD,
    MISSED_BEST,
    V_COST_AT,
    V_OLD_AT,
    V_CACHE_AT,
    V_WEIGHT_AT,
) = range(11)
V_HEAD = 16

# --- B: header and parts; ITEMS holds start, items, end
(
    MARK,
    ITEMS_AT,
    LEG_AT,
    BEFORE_AT,
    AFTER_AT,
    MARKS_AT,
    STACK_AT,
    TRIAL_AT,
    ORDER_AT,
    FOUND_MEMBER,
    FOUND_GAP,
    FOUND_GAP2,
    FOUND_MODE,
    TRIP_AT,
    LOADS_AT,
    HAND_SLOT,
    PLAN_AT,  # a route with its stops to charge, laid out like a trial
    PLAN_LENGTH,  # its items, 0 where none of the last route evaluated is a station
    LABEL_AT,
    SECOND_AT,  # the second route of a proposal, laid out like a trial
    CURVE_AT,  # by hand and item where its functions stand (`solvers.kernels.rich.curves`)
    CURVED_AT,  # by hand whether they do
) = range(22)
B_HEAD = 24 + 3 * 16
HANDS = 16  # routes laid out at once; HAND_ rows (slot, type, version) from 24 on, parts at equal strides
HAND_ROWS = 24

# --- X: header, offsets of the parts
(
    READY_AT,
    LATEST_AT,
    START_AT,
    DEP_AT,
    DEP2_AT,
    KEY_AT,
    BENDS_AT,
    SINCE,  # driving since the last break, then in all, and whether a first part has been taken
    DRIVEN,
    PART,
    TOP_AT,
    STAY_AT,  # time spent charging, by item of the plan
    LABEL_X_AT,
    LEFT_AT,  # length from each item to the end
    END_COST,  # least cost and length of a way to the end found so far
    END_WAY,
    LIMIT,  # a route that has to charge is of no use if it costs as much
    CURVE_X_AT,  # the points of those functions
    WAY_AT,  # distance and duration of each leg of the route at hand
    SPAN_AT,
    LONGER_AT,  # by gap the distance that a delivery adds, and what it costs at the least there or later
    LEAST_AT,
    FETCHED,  # of no meaning: keeps the compiler from leaving out what only fetches
    TIMES_AT,  # rows of TIMES words by item: what leaving the trip's start later or earlier does to it
) = range(24)
X_HEAD = 24
TOP = 5  # places of a route that are driven, of those that pass the bounds, where only driving tells the cost
CURVE = 1 << 16  # points that the functions of one hand's route may have
POINTS = 4096  # of an arrival function: POINTS departures, POINTS times, POINTS prices paid

# --- X: rows from TIMES_AT by item of the route at hand. Who leaves the trip's start at `s` leaves the item at
# max(NO_SOONER, s + SPENT), in time at all items so far if s <= UNTIL
TIMES = 6
(
    SPENT,
    NO_SOONER,
    UNTIL,
    HELD,  # the latest release among the trip's goods up to this item
    HELD_BEHIND,  # and among those behind it
    CAME,  # at a trip's start: when the vehicle is there and it is open
) = range(6)

# --- labels of the search for stops to charge: rows in B, values in X
LABELS = 256
L_ROW = 5
L_GAP, L_NODE, L_PARENT, L_STOPS, L_STATE = range(5)
OPEN_LABEL, DONE_LABEL, WORSE_LABEL = 0, 1, 2
L_VALUE = 10
(
    L_COST,  # of distance, lateness and energy so far
    L_DISTANCE,
    L_TIME,  # arrival
    L_LEVEL,  # energy on arrival
    L_CHARGING,  # time spent charging at the parent
    L_CHARGED,  # energy charged so far
    L_SINCE,
    L_PART,
    L_DRIVEN,
    L_WAY,  # least length of the whole route
) = range(10)
SLACK = 2.0  # by which rounded distances may break the triangle inequality
FINALS = 4  # of the ways to the end, those driven where only driving tells the cost
