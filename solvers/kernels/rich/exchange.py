"""Proposals that change one or two routes as a whole: ends exchanged, pieces moved, swapped or driven backwards.

Ruin and recreate leaves long routes with narrow windows as they are: no insertion of single jobs leads from one
good route to another. Ends are exchanged as in 2-opt* (Potvin and Rousseau 1995), pieces as in CROSS exchange
(Taillard et al. 1997) and or-opt (Or 1976). Each proposal is about a visit and one near it; where only distances
cost, those that would cost too much by distance are dropped, the others are driven.
"""

from __future__ import annotations

from typing import Any

from solvers.kernels.jit import helper, inlined
from solvers.kernels.rich.at_hand import row_of, slot, take_up
from solvers.kernels.rich.curves import estimate, has_curves
from solvers.kernels.rich.evaluate import evaluate
from solvers.kernels.rich.layout import (
    CAP,
    COST_NOW,
    COUNT,
    CURVED_AT,
    DEPOTS,
    END,
    F_KIND,
    F_KIND_AT,
    FREE_AT,
    HAND_SLOT,
    HANDS,
    HAS_ASSIGN,
    HAS_BATTERY,
    HAS_LATE_COST,
    HAS_PARTS,
    INFINITE,
    KIND_USED_AT,
    LENGTH,
    LIMIT,
    LOCKED,
    LONGEST,
    N_FREE,
    N_USED,
    NEAR_AT,
    NEAR_WIDTH,
    OPEN_END,
    OVER_COST,
    PER_DISTANCE,
    PER_TIME,
    PROFILE,
    SECOND_AT,
    START,
    TIME_MATTERS,
    TRIAL_AT,
    TYPE,
    V_COST_AT,
    VISITS,
    WHERE_AT,
    WIDTH,
)
from solvers.kernels.rich.state import begin, below, rand, release_slot, save, stamped, take_slot, total_cost
from solvers.kernels.rich.travel import distance, kind, rates

TAILS, SWAP, WITHIN = range(3)  # what is proposed
NEARBY = 20  # so many visits near one are proposed with it
PIECE = 3  # longest piece that moves
CUTS = 0.02  # share of the proposals that cut a route in two
BACKWARDS = 0.25  # share of the pieces turned round


@inlined
def item(P: Any, S: Any, row: int, base: int, k: int, q: int) -> int:
    """The q-th of a route's k items, a depot before and after them; -1 behind the end of an open route."""
    if q < 0:
        return P[row + START]
    if q < k:
        return S[base + q]
    return -1 if P[row + OPEN_END] == 1 else P[row + END]


@inlined
def way(D: Any, P: Any, p: int, a: int, b: int) -> float:
    """Distance from a to b, 0 to where nobody goes."""
    return 0.0 if b < 0 else distance(D, P, p, a, b)


@helper
def add(P: Any, S: Any, B: Any, to: int, n: int, base: int, first: int, last: int, back: bool) -> int:
    """Append items `first` to `last` - 1 to the n from B[to + 1] on, backwards if `back`, without a halt at the
    start or after another; returns the new number."""
    trial, depots = to + 1, P[DEPOTS]
    for q in range(last - first):
        x = S[base + (last - 1 - q if back else first + q)]
        if x < depots and (n == 0 or B[trial + n - 1] < depots):
            continue
        B[trial + n] = x
        n += 1
    return n


@helper
def lay(P: Any, S: Any, B: Any, to: int, second: bool, ask: Any) -> int:
    """Write the first or second of the routes that a proposal makes from B[to + 1] on; returns its length.

    A proposal is the tuple of what it does, where the items of a route start in S, how many they are, `i` and
    `size`, the same for the other route with `j` and `size2`, and 1 if pieces are turned round.

    TAILS joins the first i items with those from the j-th of the other on, and the other way round. SWAP
    exchanges the `size` items from i on with `size2` of the other from j on. WITHIN puts the `size` items from
    i on before the j-th.
    """
    what, base, k, i, size, base2, k2, j, size2, turned = ask
    n, back = 0, turned == 1
    if what == TAILS and not second:
        n = add(P, S, B, to, n, base, 0, i, False)
        n = add(P, S, B, to, n, base2, j, k2, False)
    elif what == TAILS:
        n = add(P, S, B, to, n, base2, 0, j, False)
        n = add(P, S, B, to, n, base, i, k, False)
    elif what == SWAP and not second:
        n = add(P, S, B, to, n, base, 0, i, False)
        n = add(P, S, B, to, n, base2, j, j + size2, back)
        n = add(P, S, B, to, n, base, i + size, k, False)
    elif what == SWAP:
        n = add(P, S, B, to, n, base2, 0, j, False)
        n = add(P, S, B, to, n, base, i, i + size, back)
        n = add(P, S, B, to, n, base2, j + size2, k2, False)
    elif j <= i:
        n = add(P, S, B, to, n, base, 0, j, False)
        n = add(P, S, B, to, n, base, i, i + size, back)
        n = add(P, S, B, to, n, base, j, i, False)
        n = add(P, S, B, to, n, base, i + size, k, False)
    else:
        n = add(P, S, B, to, n, base, 0, i, False)
        n = add(P, S, B, to, n, base, i + size, j, False)
        n = add(P, S, B, to, n, base, i, i + size, back)
        n = add(P, S, B, to, n, base, j, k, False)
    while n > 0 and B[to + n] < P[DEPOTS]:
        n -= 1
    return n


@helper
def piece(D: Any, P: Any, S: Any, p: int, base: int, first: int, size: int, back: bool) -> float:
    """Length of the way through a piece, forwards or backwards."""
    out = 0.0
    for q in range(first, first + size - 1):
        a, b = S[base + q], S[base + q + 1]
        out += distance(D, P, p, b, a) if back else distance(D, P, p, a, b)
    return out


@helper
def longer(D: Any, P: Any, S: Any, t: int, ask: Any) -> float:
    """Distance that a proposal adds, both routes driven by type t and neither emptied (`lay`)."""
    what, base, k, i, size, base2, k2, j, size2, turned = ask
    row, back = kind(P, t), turned == 1
    p = P[row + PROFILE]
    before, after = item(P, S, row, base, k, i - 1), item(P, S, row, base, k, i + size)
    if what == TAILS:
        before2, next1, next2 = item(P, S, row, base2, k2, j - 1), item(P, S, row, base, k, i), 0
        next2 = item(P, S, row, base2, k2, j)
        out = way(D, P, p, before, next2) + way(D, P, p, before2, next1)
        return out - way(D, P, p, before, next1) - way(D, P, p, before2, next2)
    first, last = S[base + i], S[base + i + size - 1]
    out = -way(D, P, p, before, first) - way(D, P, p, last, after)
    inner = 0.0
    if back:
        first, last = last, first
        inner = piece(D, P, S, p, base, i, size, True) - piece(D, P, S, p, base, i, size, False)
    if what == WITHIN:
        if i <= j <= i + size:
            return out + inner + way(D, P, p, before, first) + way(D, P, p, last, after)
        left, right = item(P, S, row, base, k, j - 1), item(P, S, row, base, k, j)
        out += inner + way(D, P, p, before, after) - way(D, P, p, left, right)
        return out + way(D, P, p, left, first) + way(D, P, p, last, right)
    before2, after2 = item(P, S, row, base2, k2, j - 1), item(P, S, row, base2, k2, j + size2)
    out += inner + way(D, P, p, before2, first) + way(D, P, p, last, after2)
    if size2 == 0:
        return out + way(D, P, p, before, after) - way(D, P, p, before2, after2)
    first2, last2 = S[base2 + j], S[base2 + j + size2 - 1]
    out -= way(D, P, p, before2, first2) + way(D, P, p, last2, after2)
    if back:
        first2, last2 = last2, first2
        out += piece(D, P, S, p, base2, j, size2, True) - piece(D, P, S, p, base2, j, size2, False)
    return out + way(D, P, p, before, first2) + way(D, P, p, last2, after)


@helper
def by_distance(P: Any, t: int) -> bool:
    """Whether a route of type t costs its distance and nothing that depends on who is served when."""
    row = kind(P, t)
    plain = P[HAS_LATE_COST] == 0 and P[HAS_ASSIGN] == 0 and P[LONGEST] == 0 and P[HAS_PARTS] == 0
    return bool(plain and P[row + TIME_MATTERS] == 0 and P[row + HAS_BATTERY] == 0)


@helper
def position(S: Any, base: int, x: int) -> int:
    at = 0
    while S[base + at] != x:
        at += 1
    return at


@helper
def replace(P: Any, S: Any, V: Any, B: Any, r: int, t: int, to: int, n: int, cost: float) -> None:
    """Make the n items from B[to + 1] on the route of slot r, which is used or free and then driven by type t."""
    save(P, S, V, r)
    base = row_of(P, S, r)
    if S[slot(S, r) + LENGTH] == 0:
        take_slot(S, r, t)
    for q in range(n):
        x = B[to + 1 + q]
        S[base + q] = x
        if x >= P[DEPOTS]:
            S[S[WHERE_AT] + x] = r
    S[slot(S, r) + LENGTH] = n
    stamped(S, r)
    V[int(V[V_COST_AT]) + r] = cost
    if n == 0:
        release_slot(S, r)


@inlined
def asked(
    P: Any, S: Any, what: int, r: int, i: int, size: int, s: int, j: int, size2: int, back: bool
) -> Any:
    """The tuple of a proposal for slots r and s (`lay`)."""
    one, two = (row_of(P, S, r), S[slot(S, r) + LENGTH]), (row_of(P, S, s), S[slot(S, s) + LENGTH])
    return (what, one[0], one[1], i, size, two[0], two[1], j, size2, 1 if back else 0)


@helper
def hopeless(
    D: Any,
    F: Any,
    P: Any,
    S: Any,
    V: Any,
    B: Any,
    X: Any,
    r: int,
    s: int,
    t: int,
    n: int,
    n2: int,
    ask: Any,
    limit: float,
) -> bool:
    """Whether a proposal laid out for slots r and s, driven by type t, is seen to cost `limit` or more without
    driving it (`solvers.kernels.rich.curves`)."""
    what, _, k, i, size, _, k2, j, size2, _ = ask
    if not has_curves(P, t) or (r != s and r % HANDS == s % HANDS):
        return False
    take_up(D, F, P, S, V, B, X, r, t)
    hand = hand2 = B[HAND_SLOT]
    if r != s:
        take_up(D, F, P, S, V, B, X, s, t)
        hand2 = B[HAND_SLOT]
    if B[B[CURVED_AT] + hand] == 0 or B[B[CURVED_AT] + hand2] == 0:
        return False
    first, second = B[TRIAL_AT], B[SECOND_AT]
    limit += 4 * (F[rates(P, t) + PER_TIME] + F[rates(P, t) + OVER_COST])  # estimates are not rounded
    if what == WITHIN:
        behind = max(i + size, j) + 1
        return estimate(D, F, P, B, X, t, first, n, hand, min(i, j), hand, behind, k) >= limit
    if what == TAILS:
        cost = estimate(D, F, P, B, X, t, first, n, hand, i, hand2, j + 1, k2)
        if cost >= limit:
            return True
        return cost + estimate(D, F, P, B, X, t, second, n2, hand2, j, hand, i + 1, k) >= limit
    cost = estimate(D, F, P, B, X, t, first, n, hand, i, hand, i + size + 1, k)
    if cost >= limit:
        return True
    return cost + estimate(D, F, P, B, X, t, second, n2, hand2, j, hand2, j + size2 + 1, k2) >= limit


@helper
def offer(
    D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, r: int, s: int, t2: int, ask: Any, bound: float
) -> bool:
    """Carry a proposal for slots r and s, s driven by type t2, out if it is allowed and adds less than `bound`."""
    what, _, k, i, size, _, k2, j, size2, _ = ask
    t = S[slot(S, r) + TYPE]
    if i < P[kind(P, t) + LOCKED] or j < P[kind(P, t2) + LOCKED]:
        return False
    emptied = what != WITHIN and k2 == 0
    emptied = emptied or (what == TAILS and (i + k2 - j == 0 or j + k - i == 0))
    emptied = emptied or (what == SWAP and k - size + size2 == 0)
    alike = t == t2 and not emptied and by_distance(P, t)
    if alike and F[P[F_KIND_AT] + F_KIND * t + PER_DISTANCE] * longer(D, P, S, t, ask) >= bound:
        return False
    first, second = B[TRIAL_AT], B[SECOND_AT]
    n, n2 = lay(P, S, B, first, False, ask), 0
    if s != r:
        n2 = lay(P, S, B, second, True, ask)
    if n > P[WIDTH] or n2 > P[WIDTH]:
        return False
    old = V[int(V[V_COST_AT]) + r]
    if s != r and k2 > 0:
        old += V[int(V[V_COST_AT]) + s]
    if t == t2 and not emptied and hopeless(D, F, P, S, V, B, X, r, s, t, n, n2, ask, old + bound):
        return False
    X[LIMIT] = old + bound
    cost, cost2 = evaluate(D, F, P, B, X, first, t, n), 0.0
    if s != r and cost < INFINITE:
        cost2 = evaluate(D, F, P, B, X, second, t2, n2)
    X[LIMIT] = INFINITE
    if cost >= INFINITE or cost2 >= INFINITE or cost + cost2 - old >= bound:
        return False
    begin(P, S, V)
    replace(P, S, V, B, r, t, first, n, cost)
    if s != r:
        replace(P, S, V, B, s, t2, second, n2, cost2)
    V[COST_NOW] = total_cost(S, V)
    return True


@helper
def propose(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, bound: float) -> bool:
    """Draw one proposal and carry it out if it adds less than `bound`; whether it did."""
    x = P[DEPOTS] + below(S, P[VISITS])
    r = S[S[WHERE_AT] + x]
    if r < 0:
        return False
    k, t = S[slot(S, r) + LENGTH], S[slot(S, r) + TYPE]
    i = position(S, row_of(P, S, r), x)
    u = rand(S)
    if u < CUTS:
        if S[N_FREE] == 0 or S[N_USED] >= S[CAP] or S[S[KIND_USED_AT] + t] >= P[kind(P, t) + COUNT] or i == 0:
            return False
        s = S[S[FREE_AT] + S[N_FREE] - 1]
        return offer(D, F, P, S, V, B, X, r, s, t, asked(P, S, TAILS, r, i, 0, s, 0, 0, False), bound)
    y = P[P[NEAR_AT] + P[NEAR_WIDTH] * x + below(S, min(NEARBY, P[NEAR_WIDTH]))]
    if y < 0 or y == x:
        return False
    s = S[S[WHERE_AT] + y]
    if s < 0:
        return False
    k2, t2 = S[slot(S, s) + LENGTH], S[slot(S, s) + TYPE]
    j = position(S, row_of(P, S, s), y)
    size, size2 = min(1 + below(S, PIECE), k - i), 0
    back = rand(S) < BACKWARDS
    what = SWAP
    if s == r and back:  # all between x and y turned round, so that they become neighbours
        what, i, size, j = WITHIN, min(i, j) + 1, abs(i - j), min(i, j) + 1
    elif s == r:
        what, j = WITHIN, j + 1
        if i <= j <= i + size:
            return False
        back = rand(S) < BACKWARDS
    elif u < 0.5:
        what, i, size = TAILS, i + 1, 0
    else:
        j += 1
        size2 = min(below(S, PIECE + 1), k2 - j)
    return offer(D, F, P, S, V, B, X, r, s, t2, asked(P, S, what, r, i, size, s, j, size2, back), bound)
