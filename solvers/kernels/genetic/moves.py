"""The moves between a visit u and an item v near it: the first that improves is carried out.

Relocate one to three visits, forwards or backwards; exchange one to three visits; reverse a piece of a route
(2-opt); exchange the rests of two routes (2-opt*), also backwards. A move is judged by distance first: what
distance alone cannot win back from the present violations and times is not looked at further.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.genetic.layout import (
    A_OK,
    B_OK,
    BACK,
    CUM,
    END,
    FIXED,
    HELD,
    ITEM,
    MASK,
    MASKED,
    MIXED,
    MOVES,
    NEXT,
    NODE,
    NODES,
    PER_DISTANCE,
    PLACE,
    POS,
    PREV,
    PROFILES,
    Q_SLACK,
    R_DIST,
    R_KIND,
    R_LOAD,
    R_SIZE,
    REVERSIBLE,
    ROUTE,
    START,
    SYMMETRIC,
    TIMED,
    UNIFORM,
)
from solvers.kernels.genetic.segments import (
    allows,
    base_of,
    kind,
    leg,
    link,
    price,
    route,
    slack_of,
    update,
)
from solvers.kernels.jit import helper, inlined

EPS = 1e-3  # costs are integers, so what improves by less than this is rounding


@helper
def slack_between(D: Any, P: Any, S: Any, Q: Any, ru: int, rv: int,
                  au: int, fu: int, lu: int, su: int, bu: int, dist_u: int, load_u: int,
                  av: int, fv: int, lv: int, sv: int, bv: int, dist_v: int, load_v: int) -> float:  # fmt: skip
    """Change of slack when routes ru and rv become: beginning up to a, string f to l, rest from b."""
    new_u = new_v = 0.0
    if fu >= 0 or au < P[NODES] or bu < P[NODES]:
        t = S[route(S, ru) + R_KIND]
        new_u = slack_of(D, P, S, Q, t, au, fu, lu, su, -1, -1, NEXT, -1, -1, NEXT, bu, dist_u, load_u)
    if fv >= 0 or av < P[NODES] or bv < P[NODES]:
        t = S[route(S, rv) + R_KIND]
        new_v = slack_of(D, P, S, Q, t, av, fv, lv, sv, -1, -1, NEXT, -1, -1, NEXT, bv, dist_v, load_v)
    return new_u + new_v - Q[Q_SLACK + ru] - Q[Q_SLACK + rv]


@helper
def slack_within(D: Any, P: Any, S: Any, Q: Any, r: int, a: int, f1: int, l1: int, s1: int, f2: int, l2: int,
                 s2: int, f3: int, l3: int, s3: int, b: int, dist: int) -> float:  # fmt: skip
    """Change of slack when the middle of route r becomes up to three strings in another order."""
    t, load = S[route(S, r) + R_KIND], S[route(S, r) + R_LOAD]
    if P[TIMED] == 0 and P[MIXED] == 0:
        return price(P, Q, t, dist, load) - Q[Q_SLACK + r]
    new = slack_of(D, P, S, Q, t, a, f1, l1, s1, f2, l2, s2, f3, l3, s3, b, dist, load)
    return new - Q[Q_SLACK + r]


@helper
def span_on(D: Any, P: Any, S: Any, base: int, same: bool, f: int, l: int) -> int:  # noqa: E741
    """Length of string f to l driven forwards in the matrix at `base`; by the sums where it is its own."""
    if same:
        return S[ITEM * l + CUM] - S[ITEM * f + CUM]
    total = np.int64(0)
    while f != l:
        g = S[ITEM * f + NEXT]
        total += leg(D, P, base, f, g)
        f = g
    return total


@helper
def span_back(D: Any, P: Any, S: Any, base: int, same: bool, f: int, l: int) -> int:  # noqa: E741
    """Length of string f to l driven backwards."""
    if same and P[SYMMETRIC] == 1:
        return S[ITEM * l + CUM] - S[ITEM * f + CUM]
    total = np.int64(0)
    while f != l:
        g = S[ITEM * f + NEXT]
        total += leg(D, P, base, g, f)
        f = g
    return total


@helper
def mask_of(P: Any, S: Any, f: int, l: int) -> int:  # noqa: E741
    """Classes of types that may serve all of string f to l."""
    out = P[NODE * f + MASK]
    while f != l:
        f = S[ITEM * f + NEXT]
        out &= P[NODE * f + MASK]
    return out


@inlined
def fresh(D: Any, P: Any, S: Any, Q: Any, ru: int, rv: int) -> None:
    """Bring the routes of a move up to date."""
    S[MOVES] += 1
    update(D, P, S, Q, ru)
    if rv != ru:
        update(D, P, S, Q, rv)


@helper
def relocate(D: Any, P: Any, S: Any, Q: Any, u: int, e: int, count: int, v: int, backwards: bool) -> bool:
    """Move the `count` visits u to e behind item v if that improves."""
    ru, rv = S[ITEM * u + ROUTE], S[ITEM * v + ROUTE]
    row_u, row_v = route(S, ru), route(S, rv)
    tu, tv = S[row_u + R_KIND], S[row_v + R_KIND]
    base_u, base_v = base_of(P, tu), base_of(P, tv)
    p, x, y = S[ITEM * u + PREV], S[ITEM * e + NEXT], S[ITEM * v + NEXT]
    at_p, at_x, at_v, at_y = (
        S[ITEM * p + PLACE],
        S[ITEM * x + PLACE],
        S[ITEM * v + PLACE],
        S[ITEM * y + PLACE],
    )
    du = leg(D, P, base_u, at_p, at_x) - (S[ITEM * x + CUM] - S[ITEM * p + CUM])
    emptied = S[row_u + R_SIZE] == count
    if emptied and rv != ru:
        du = -S[row_u + R_DIST]
    same = base_u == base_v
    if backwards:
        dv = leg(D, P, base_v, at_v, e) + leg(D, P, base_v, u, at_y) + span_back(D, P, S, base_v, same, u, e)
    else:
        dv = leg(D, P, base_v, at_v, u) + leg(D, P, base_v, e, at_y) + span_on(D, P, S, base_v, same, u, e)
    dv -= S[ITEM * y + CUM] - S[ITEM * v + CUM]
    gain = P[kind(P, tu) + PER_DISTANCE] * du + P[kind(P, tv) + PER_DISTANCE] * dv
    slack = Q[Q_SLACK + ru]
    if rv != ru:
        slack += Q[Q_SLACK + rv]
        if emptied:
            gain -= P[kind(P, tu) + FIXED]
        if S[row_v + R_SIZE] == 0:
            gain += P[kind(P, tv) + FIXED]
    if gain > slack - EPS:
        return False
    f, l, step = (e, u, PREV) if backwards else (u, e, NEXT)  # noqa: E741
    if rv == ru:
        if S[ITEM * u + POS] < S[ITEM * v + POS]:
            change = slack_within(D, P, S, Q, ru, p, x, v, NEXT, f, l, step, -1, -1, NEXT, y,
                                  S[row_u + R_DIST] + du + dv)  # fmt: skip
        else:
            change = slack_within(D, P, S, Q, ru, v, f, l, step, y, p, NEXT, -1, -1, NEXT, x,
                                  S[row_u + R_DIST] + du + dv)  # fmt: skip
    else:
        if P[MASKED] == 1 and not allows(P, mask_of(P, S, u, e), tv):
            return False
        load = S[ITEM * e + HELD] - S[ITEM * p + HELD]
        change = slack_between(
            D, P, S, Q, ru, rv,
            p, -1, -1, NEXT, x, S[row_u + R_DIST] + du, S[row_u + R_LOAD] - load,
            v, f, l, step, y, S[row_v + R_DIST] + dv, S[row_v + R_LOAD] + load,
        )  # fmt: skip
    if gain + change > -EPS:
        return False
    link(S, p, x)
    if backwards:
        z, before = e, v
        while True:
            following = S[ITEM * z + PREV]
            link(S, before, z)
            before = z
            if z == u:
                break
            z = following
        link(S, u, y)
    else:
        link(S, v, u)
        link(S, e, y)
    fresh(D, P, S, Q, ru, rv)
    return True


@helper
def exchange(D: Any, P: Any, S: Any, Q: Any, u: int, e: int, v: int, g: int) -> bool:
    """Let the strings u to e and v to g change places if that improves; they neither overlap nor touch."""
    ru, rv = S[ITEM * u + ROUTE], S[ITEM * v + ROUTE]
    row_u, row_v = route(S, ru), route(S, rv)
    tu, tv = S[row_u + R_KIND], S[row_v + R_KIND]
    base_u, base_v = base_of(P, tu), base_of(P, tv)
    p, x, q, y = S[ITEM * u + PREV], S[ITEM * e + NEXT], S[ITEM * v + PREV], S[ITEM * g + NEXT]
    same = base_u == base_v
    at_p, at_x, at_q, at_y = (
        S[ITEM * p + PLACE],
        S[ITEM * x + PLACE],
        S[ITEM * q + PLACE],
        S[ITEM * y + PLACE],
    )
    du = (
        leg(D, P, base_u, at_p, v)
        + span_on(D, P, S, base_u, same, v, g)
        + leg(D, P, base_u, g, at_x)
        - (S[ITEM * x + CUM] - S[ITEM * p + CUM])
    )
    dv = (
        leg(D, P, base_v, at_q, u)
        + span_on(D, P, S, base_v, same, u, e)
        + leg(D, P, base_v, e, at_y)
        - (S[ITEM * y + CUM] - S[ITEM * q + CUM])
    )
    gain = P[kind(P, tu) + PER_DISTANCE] * du + P[kind(P, tv) + PER_DISTANCE] * dv
    slack = Q[Q_SLACK + ru]
    if rv != ru:
        slack += Q[Q_SLACK + rv]
    if gain > slack - EPS:
        return False
    if rv == ru:
        dist = S[row_u + R_DIST] + du + dv
        if S[ITEM * u + POS] < S[ITEM * v + POS]:
            change = slack_within(D, P, S, Q, ru, p, v, g, NEXT, x, q, NEXT, u, e, NEXT, y, dist)
        else:
            change = slack_within(D, P, S, Q, ru, q, u, e, NEXT, y, p, NEXT, v, g, NEXT, x, dist)
    else:
        if P[MASKED] == 1 and not (allows(P, mask_of(P, S, u, e), tv) and allows(P, mask_of(P, S, v, g), tu)):
            return False
        more = S[ITEM * g + HELD] - S[ITEM * q + HELD] - S[ITEM * e + HELD] + S[ITEM * p + HELD]
        change = slack_between(
            D, P, S, Q, ru, rv,
            p, v, g, NEXT, x, S[row_u + R_DIST] + du, S[row_u + R_LOAD] + more,
            q, u, e, NEXT, y, S[row_v + R_DIST] + dv, S[row_v + R_LOAD] - more,
        )  # fmt: skip
    if gain + change > -EPS:
        return False
    link(S, p, v)
    link(S, g, x)
    link(S, q, u)
    link(S, e, y)
    fresh(D, P, S, Q, ru, rv)
    return True


@helper
def reverse(D: Any, P: Any, S: Any, Q: Any, u: int, v: int) -> bool:
    """2-opt: drive what lies behind u up to v, later in the same route, backwards if that improves."""
    r = S[ITEM * u + ROUTE]
    t = S[route(S, r) + R_KIND]
    base = base_of(P, t)
    x, y = S[ITEM * u + NEXT], S[ITEM * v + NEXT]
    at_y = S[ITEM * y + PLACE]
    more = (
        leg(D, P, base, u, v)
        + leg(D, P, base, x, at_y)
        - (S[ITEM * x + CUM] - S[ITEM * u + CUM])
        - (S[ITEM * y + CUM] - S[ITEM * v + CUM])
    )
    if P[SYMMETRIC] == 0:
        more += S[ITEM * v + BACK] - S[ITEM * x + BACK] - S[ITEM * v + CUM] + S[ITEM * x + CUM]
    gain = P[kind(P, t) + PER_DISTANCE] * more
    if gain > Q[Q_SLACK + r] - EPS:
        return False
    dist = S[route(S, r) + R_DIST] + more
    change = slack_within(D, P, S, Q, r, u, v, x, PREV, -1, -1, NEXT, -1, -1, NEXT, y, dist)
    if gain + change > -EPS:
        return False
    z, before = v, u
    while True:
        following = S[ITEM * z + PREV]
        link(S, before, z)
        before = z
        if z == x:
            break
        z = following
    link(S, x, y)
    fresh(D, P, S, Q, r, r)
    return True


@inlined
def rest(D: Any, P: Any, S: Any, base: int, u: int, y: int, r: int, t: int) -> int:
    """Distance from item u over item y of slot r and all behind it to the end depot of type t."""
    if y >= P[NODES]:
        return leg(D, P, base, S[ITEM * u + PLACE], P[kind(P, t) + END])
    first = leg(D, P, base, S[ITEM * u + PLACE], y)
    if P[UNIFORM] == 1:
        return first + S[route(S, r) + R_DIST] - S[ITEM * y + CUM]
    last = S[ITEM * (P[NODES] + 2 * r + 1) + PREV]
    return first + S[ITEM * last + CUM] - S[ITEM * y + CUM] + leg(D, P, base, last, P[kind(P, t) + END])


@helper
def with_other_rests(D: Any, P: Any, S: Any, base: int, u: int, v: int) -> tuple[int, int]:
    """Distances of the routes of items u and v, of one travel profile, once what lies behind them is exchanged."""
    ru, rv = S[ITEM * u + ROUTE], S[ITEM * v + ROUTE]
    tu, tv = S[route(S, ru) + R_KIND], S[route(S, rv) + R_KIND]
    x, y = S[ITEM * u + NEXT], S[ITEM * v + NEXT]
    dist_u = S[ITEM * u + CUM] + rest(D, P, S, base, u, y, rv, tu)
    if v >= P[NODES] and x >= P[NODES]:
        return dist_u, np.int64(0)
    return dist_u, S[ITEM * v + CUM] + rest(D, P, S, base, v, x, ru, tv)


@helper
def swap_rests(D: Any, P: Any, S: Any, Q: Any, u: int, v: int) -> bool:
    """2-opt*: exchange what lies behind u and behind v, on different routes, if that improves."""
    ru, rv = S[ITEM * u + ROUTE], S[ITEM * v + ROUTE]
    row_u, row_v = route(S, ru), route(S, rv)
    tu, tv = S[row_u + R_KIND], S[row_v + R_KIND]
    base = base_of(P, tu)
    x, y = S[ITEM * u + NEXT], S[ITEM * v + NEXT]
    if base != base_of(P, tv) or (x >= P[NODES] and y >= P[NODES]):
        return False
    emptied = v >= P[NODES] and x >= P[NODES]
    dist_u, dist_v = with_other_rests(D, P, S, base, u, v)
    gain = P[kind(P, tu) + PER_DISTANCE] * (dist_u - S[row_u + R_DIST])
    gain += P[kind(P, tv) + PER_DISTANCE] * (dist_v - S[row_v + R_DIST])
    if emptied:
        gain -= P[kind(P, tv) + FIXED]
    elif S[row_v + R_SIZE] == 0:
        gain += P[kind(P, tv) + FIXED]
    if gain > Q[Q_SLACK + ru] + Q[Q_SLACK + rv] - EPS:
        return False
    if P[MASKED] == 1 and not (
        (y >= P[NODES] or allows(P, S[ITEM * y + B_OK], tu))
        and (x >= P[NODES] or allows(P, S[ITEM * x + B_OK], tv))
    ):
        return False
    change = slack_between(
        D, P, S, Q, ru, rv,
        u, -1, -1, NEXT, y, dist_u, S[ITEM * u + HELD] + S[row_v + R_LOAD] - S[ITEM * v + HELD],
        v, -1, -1, NEXT, x, dist_v, S[ITEM * v + HELD] + S[row_u + R_LOAD] - S[ITEM * u + HELD],
    )  # fmt: skip
    if gain + change > -EPS:
        return False
    end_u, end_v = P[NODES] + 2 * ru + 1, P[NODES] + 2 * rv + 1
    last_u, last_v = S[ITEM * end_u + PREV], S[ITEM * end_v + PREV]
    if y < P[NODES]:
        link(S, u, y)
        link(S, last_v, end_u)
    else:
        link(S, u, end_u)
    if x < P[NODES]:
        link(S, v, x)
        link(S, last_u, end_v)
    else:
        link(S, v, end_v)
    fresh(D, P, S, Q, ru, rv)
    return True


@helper
def cross(D: Any, P: Any, S: Any, Q: Any, u: int, v: int) -> bool:
    """2-opt* backwards: one route starts like u's and ends with v's beginning, the other takes the rests."""
    ru, rv = S[ITEM * u + ROUTE], S[ITEM * v + ROUTE]
    row_u, row_v = route(S, ru), route(S, rv)
    tu, tv = S[row_u + R_KIND], S[row_v + R_KIND]
    base = base_of(P, tu)
    x, y = S[ITEM * u + NEXT], S[ITEM * v + NEXT]
    emptied = x >= P[NODES] and y >= P[NODES]
    dist_u = S[ITEM * u + CUM] + leg(D, P, base, u, v) + S[ITEM * v + CUM]
    dist_v = (
        S[row_u + R_DIST]
        - S[ITEM * x + CUM]
        + leg(D, P, base, S[ITEM * x + PLACE], S[ITEM * y + PLACE])
        + S[row_v + R_DIST]
        - S[ITEM * y + CUM]
    )
    gain = P[kind(P, tu) + PER_DISTANCE] * (dist_u - S[row_u + R_DIST])
    gain += P[kind(P, tv) + PER_DISTANCE] * (dist_v - S[row_v + R_DIST])
    if emptied:
        gain -= P[kind(P, tv) + FIXED]
    slack = Q[Q_SLACK + ru] + Q[Q_SLACK + rv]
    if gain > slack - EPS:
        return False
    if P[MASKED] == 1 and not (
        allows(P, S[ITEM * v + A_OK], tu) and (x >= P[NODES] or allows(P, S[ITEM * x + B_OK], tv))
    ):
        return False
    held = S[ITEM * u + HELD] + S[ITEM * v + HELD]
    change = price(P, Q, tu, dist_u, held) - slack
    if not emptied:
        change += price(P, Q, tv, dist_v, S[row_u + R_LOAD] + S[row_v + R_LOAD] - held)
    if gain + change > -EPS:
        return False
    start_v, end_u = P[NODES] + 2 * rv, P[NODES] + 2 * ru + 1
    z, before = v, u
    while z != start_v:
        following = S[ITEM * z + PREV]
        link(S, before, z)
        before, z = z, following
    last = before
    z, before = S[ITEM * end_u + PREV], start_v
    if x < P[NODES]:
        while True:
            following = S[ITEM * z + PREV]
            link(S, before, z)
            before = z
            if z == x:
                break
            z = following
    link(S, before, y)
    link(S, last, end_u)
    fresh(D, P, S, Q, ru, rv)
    return True


@inlined
def promising(D: Any, P: Any, S: Any, Q: Any, u: int, v: int, longest: int) -> bool:
    """Whether distance lets any move between u and v improve; for one travel profile.

    The same sums as the moves', but every distance is looked up once: nearly all pairs end here.
    """
    n = P[NODES]
    U, V = ITEM * u, ITEM * v
    ru, rv = S[U + ROUTE], S[V + ROUTE]
    row_u, row_v = route(S, ru), route(S, rv)
    kind_u, kind_v = kind(P, S[row_u + R_KIND]), kind(P, S[row_v + R_KIND])
    per_u, per_v = P[kind_u + PER_DISTANCE], P[kind_v + PER_DISTANCE]
    p, x, q, y = S[U + PREV], S[U + NEXT], S[V + PREV], S[V + NEXT]
    bound = Q[Q_SLACK + ru] - EPS
    fixed = np.int64(0)
    if rv != ru:
        bound += Q[Q_SLACK + rv]
        if S[row_v + R_SIZE] == 0:
            fixed = P[kind_v + FIXED]
        bound -= fixed
        if S[row_u + R_SIZE] <= 3:
            # it may be emptied, and then needs no way from its start to its end either
            bound += P[kind_u + FIXED] + per_u * leg(D, P, 0, P[kind_u + START], P[kind_u + END])
    at_p, at_x, at_v, at_y = S[ITEM * p + PLACE], S[ITEM * x + PLACE], S[V + PLACE], S[ITEM * y + PLACE]
    to_u, to_x, to_v, to_y = u * n, at_x * n, at_v * n, at_y * n
    pu, ux, vy = (
        S[U + CUM] - S[ITEM * p + CUM],
        S[ITEM * x + CUM] - S[U + CUM],
        S[ITEM * y + CUM] - S[V + CUM],
    )
    d_vu, d_uy, d_px = np.int64(D[to_v + u]), np.int64(D[to_u + at_y]), np.int64(D[at_p * n + at_x])
    # relocate u
    if per_u * (d_px - pu - ux) + per_v * (d_vu + d_uy - vy) < bound:
        return True
    d_vx, d_xy = np.int64(D[to_v + at_x]), np.int64(D[to_x + at_y])
    d_uv = d_vu if P[SYMMETRIC] == 1 else np.int64(D[to_u + at_v])
    x_xx, xx, d_pxx = np.int64(0), x, d_px
    if x < n:
        xx = S[ITEM * x + NEXT]
        x_xx = S[ITEM * xx + CUM] - S[ITEM * x + CUM]
        at_xx = S[ITEM * xx + PLACE]
        d_pxx = np.int64(D[at_p * n + at_xx])
        out = per_u * (d_pxx - pu - ux - x_xx)
        if out + per_v * (d_vu + ux + d_xy - vy) < bound:
            return True
        back = ux if P[SYMMETRIC] == 1 else np.int64(D[to_x + u])
        if out + per_v * (d_vx + back + d_uy - vy) < bound:
            return True
        if longest >= 3 and xx < n:
            z = S[ITEM * xx + NEXT]
            long_out = S[ITEM * z + CUM] - S[ITEM * p + CUM]
            held = S[ITEM * xx + CUM] - S[U + CUM]
            d_pz = np.int64(D[at_p * n + S[ITEM * z + PLACE]])
            out = per_u * (d_pz - long_out)
            if out + per_v * (d_vu + held + np.int64(D[at_xx * n + at_y]) - vy) < bound:
                return True
            if P[SYMMETRIC] == 0 or out + per_v * (np.int64(D[to_v + at_xx]) + held + d_uy - vy) < bound:
                return True
    if v < n:
        qv = S[V + CUM] - S[ITEM * q + CUM]
        at_q = S[ITEM * q + PLACE]
        d_pv, d_qu = np.int64(D[at_p * n + v]), np.int64(D[at_q * n + u])
        if per_u * (d_pv + d_vx - pu - ux) + per_v * (d_qu + d_uy - qv - vy) < bound:
            return True
        if x < n and longest >= 2:
            at_xx = S[ITEM * xx + PLACE]
            d_vxx = np.int64(D[to_v + at_xx])
            if per_u * (d_pv + d_vxx - pu - ux - x_xx) + per_v * (d_qu + ux + d_xy - qv - vy) < bound:
                return True
            if y < n:
                yy = S[ITEM * y + NEXT]
                at_yy = S[ITEM * yy + PLACE]
                y_yy = S[ITEM * yy + CUM] - S[ITEM * y + CUM]
                d_yxx, d_xyy = np.int64(D[to_y + at_xx]), np.int64(D[to_x + at_yy])
                gain_u = per_u * (d_pv + vy + d_yxx - pu - ux - x_xx)
                if gain_u + per_v * (d_qu + ux + d_xyy - qv - vy - y_yy) < bound:
                    return True
        if ru == rv:
            return S[U + POS] < S[V + POS] and (P[SYMMETRIC] == 0 or per_u * (d_uv + d_xy - ux - vy) < bound)
        if P[REVERSIBLE] == 1:
            tail_u, tail_v = S[row_u + R_DIST] - S[ITEM * x + CUM], S[row_v + R_DIST] - S[ITEM * y + CUM]
            gain_u = per_u * (S[V + CUM] + d_uv - ux - tail_u)
            spare = P[kind_v + FIXED] if x >= n and y >= n else np.int64(0)
            if gain_u + per_v * (tail_u + d_xy - vy - S[V + CUM]) < bound + spare:
                return True
    if ru == rv:
        return False
    spare = P[kind_v + FIXED] if v >= n and x >= n else np.int64(0)
    if P[UNIFORM] == 0:
        if x >= n and y >= n:
            return False
        new_u, new_v = with_other_rests(D, P, S, 0, u, v)
        gain_u = per_u * (new_u - S[row_u + R_DIST])
        return gain_u + per_v * (new_v - S[row_v + R_DIST]) < bound + spare
    tail_u, tail_v = S[row_u + R_DIST] - S[ITEM * x + CUM], S[row_v + R_DIST] - S[ITEM * y + CUM]
    gain_u = per_u * (d_uy + tail_v - ux - tail_u)
    return gain_u + per_v * (d_vx + tail_u - vy - tail_v) < bound + spare


@helper
def improve_pair(D: Any, P: Any, S: Any, Q: Any, u: int, v: int, longest: int) -> bool:
    """Carry out the first improving move between visit u and item v (a visit, or the start of a route)."""
    if P[PROFILES] == 1 and not promising(D, P, S, Q, u, v, longest):
        return False
    return first_improving(D, P, S, Q, u, v, longest)


@helper
def first_improving(D: Any, P: Any, S: Any, Q: Any, u: int, v: int, longest: int) -> bool:
    """Carry out the first improving move between visit u and item v (a visit, or the start of a route)."""
    n = P[NODES]
    ru, rv = S[ITEM * u + ROUTE], S[ITEM * v + ROUTE]
    p, x = S[ITEM * u + PREV], S[ITEM * u + NEXT]
    # relocate u, then u and x, both ways, then three; v must not be inside or just before what moves
    if v != p:
        if relocate(D, P, S, Q, u, u, 1, v, False):
            return True
        if longest >= 2 and x < n and v != x:
            if relocate(D, P, S, Q, u, x, 2, v, False) or relocate(D, P, S, Q, u, x, 2, v, True):
                return True
            z = S[ITEM * x + NEXT]
            if (
                longest >= 3
                and z < n
                and v != z
                and (relocate(D, P, S, Q, u, z, 3, v, False) or relocate(D, P, S, Q, u, z, 3, v, True))
            ):
                return True
    if v < n:
        q, y = S[ITEM * v + PREV], S[ITEM * v + NEXT]
        if u < v and u != q and u != y and exchange(D, P, S, Q, u, u, v, v):
            return True
        if longest >= 2 and x < n and x != v and u != y and x != q:
            if exchange(D, P, S, Q, u, x, v, v):
                return True
            if y < n and y != p and u < v and exchange(D, P, S, Q, u, x, v, y):
                return True
        if ru == rv:
            if S[ITEM * u + POS] < S[ITEM * v + POS] and v != x and reverse(D, P, S, Q, u, v):
                return True
        elif P[REVERSIBLE] == 1 and cross(D, P, S, Q, u, v):
            return True
    return ru != rv and swap_rests(D, P, S, Q, u, v)
