"""Slack induction by string removals (Christiaens and Vanden Berghe 2020), on deltas.

An iteration takes strings of adjacent visits out of neighbouring routes, puts the visits back greedily with
blinks, and keeps the outcome by simulated annealing. Insertion looks at neighbour lists instead of all
positions, and what is rejected is undone by journal, so an iteration costs the same at any problem size.
Before each one the annealing hears proposals of `solvers.kernels.exchange`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from solvers.kernels.exchange import propose
from solvers.kernels.insertion import NEVER, best_place, place_visit, rand, retype
from solvers.kernels.jit import entry, helper, inlined
from solvers.kernels.layout import (
    A_LAST,
    A_WHEN,
    ADJACENT_AT,
    ADJACENT_WIDTH,
    BANK_AT,
    BARRED,
    BEST_HARD,
    BEST_VALUE,
    CLOSE,
    COST,
    DEPOTS,
    DIMS,
    EARLY,
    FIELD,
    FIELD_FROM,
    HARD,
    ITEM,
    KIND,
    KINDS,
    LATE,
    LENGTH,
    MAX_DISTANCE,
    MAX_DURATION,
    MISSED_HARD,
    MISSED_SOFT,
    MIXED,
    N_BANK,
    N_TOUCHED,
    N_USED,
    NEXT,
    NODE,
    NODES,
    PREV,
    PRIZE,
    R_STAMP,
    READY,
    ROUTE_WIDTH,
    SERVICE,
    SIZE,
    SLOT,
    SOFT,
    STAMP,
    TICK,
    TIME,
    TIMED,
    TOUCHED_AT,
    VALUE,
)
from solvers.kernels.state import (
    after_ruin,
    begin,
    commit,
    price,
    save_best,
    slot,
    take_out,
    undo,
)
from solvers.kernels.travel import distance, kind, load, pick
from solvers.kernels.whole_routes import OVERLOOKED, build

MAX_REMOVED = 256
MAX_FROM_BANK = 12
MOST_NEW = 3  # whole routes built at once
ROUTES_COMPARED = 20  # visits near the seed among whose routes the one to dissolve is the shortest


@helper
def remove_string(
    D: Any, F: Any, P: Any, S: Any, c: int, longest: float, split: float, out: Any, n: int
) -> int:
    """Take a string of random length around visit c out of its route; returns how many are in `out`."""
    r = np.int64(S[ITEM * c + SLOT])
    size = S[slot(S, r) + SIZE]
    cut = int(rand(S) * min(float(size), longest)) + 1
    keep = 0
    if cut > 1 and cut < size and rand(S) < split:
        keep = 1
        while cut + keep < size and rand(S) < 0.01:
            keep += 1
    total = cut + keep
    before, x = 0, np.int64(S[ITEM * c + PREV])
    while x < P[NODES] and before < total - 1:
        before += 1
        x = np.int64(S[ITEM * x + PREV])
    after, x = 0, np.int64(S[ITEM * c + NEXT])
    while x < P[NODES] and after < total - 1:
        after += 1
        x = np.int64(S[ITEM * x + NEXT])
    low, high = max(0, total - 1 - after), min(before, total - 1)
    back = low + int(rand(S) * (high - low + 1))
    x = c
    for _ in range(back):
        x = np.int64(S[ITEM * x + PREV])
    head = cut if keep == 0 else 1 + int(rand(S) * (cut - 1))
    for k in range(total):
        y = np.int64(S[ITEM * x + NEXT])
        if (k < head or k >= head + keep) and n < MAX_REMOVED:
            take_out(D, F, P, S, x)
            out[n] = x
            n += 1
        x = y
    return n


@helper
def empty_route(D: Any, F: Any, P: Any, S: Any, r: int, out: Any, n: int) -> int:
    """Take all visits of slot r out; returns how many visits are in `out`."""
    x = S[ITEM * (P[NODES] + 2 * r) + NEXT]
    while x < P[NODES]:
        y = S[ITEM * x + NEXT]
        take_out(D, F, P, S, x)
        out[n] = x
        n += 1
        x = y
    return n


@helper
def remove_route(D: Any, F: Any, P: Any, S: Any, seed: int, out: Any) -> int:
    """Take the shortest of some routes near visit `seed` out as a whole; returns how many visits it had."""
    chosen, least = np.int64(-1), np.int64(MAX_REMOVED + 1)
    for k in range(-1, min(ROUTES_COMPARED, P[ADJACENT_WIDTH])):
        c = seed if k < 0 else P[P[ADJACENT_AT] + P[ADJACENT_WIDTH] * seed + k]
        r = S[ITEM * c + SLOT] if c >= 0 else np.int64(-1)
        if r >= 0 and S[slot(S, r) + SIZE] < least:
            chosen, least = r, S[slot(S, r) + SIZE]
    if chosen < 0:
        return 0
    return empty_route(D, F, P, S, chosen, out, 0)


@helper
def ruin(
    D: Any,
    F: Any,
    P: Any,
    S: Any,
    mean_removed: float,
    max_string: float,
    split: float,
    whole_route: float,
    out: Any,
) -> int:
    """Remove strings near a random visit; returns how many visits are in `out`, banked ones nearby included."""
    served = P[NODES] - P[DEPOTS] - S[N_BANK]
    visits = P[NODES] - P[DEPOTS]
    if S[FIELD] > 0:
        seed = P[DEPOTS] + (S[FIELD_FROM] + int(rand(S) * S[FIELD])) % visits
    else:
        seed = P[DEPOTS] + int(rand(S) * visits)
    n = 0
    waiting = S[N_BANK]
    if served > 0:
        if whole_route > 0.0 and rand(S) < whole_route:
            n = remove_route(D, F, P, S, seed, out)
        longest = min(max_string, served / max(1, S[N_USED]))
        strings = int(rand(S) * (4.0 * mean_removed / (1.0 + longest) - 1.0) + 1.0)
        k = -1
        while k < P[ADJACENT_WIDTH] and S[N_TOUCHED] < strings:
            c = seed if k < 0 else np.int64(P[P[ADJACENT_AT] + P[ADJACENT_WIDTH] * seed + k])
            k += 1
            if c < 0:
                break
            r = np.int64(S[ITEM * c + SLOT])
            if r < 0 or S[slot(S, r) + R_STAMP] == S[TICK]:
                continue
            n = remove_string(D, F, P, S, c, longest, split, out, n)
        if P[TIMED] != 0 or P[MIXED] == 1:
            after_ruin(D, F, P, S)
    if waiting > 0:
        n = from_bank_nearby(P, S, seed, waiting, out, n)
    return n


@helper
def from_bank_nearby(P: Any, S: Any, seed: int, waiting: int, out: Any, n: int) -> int:
    """Add visits that were banked before this tick: all if few, else some near the seed and some at random."""
    limit = min(n + MAX_FROM_BANK, len(out))
    if waiting <= MAX_FROM_BANK:
        for k in range(S[N_BANK]):
            x = S[S[BANK_AT] + k]
            if S[ITEM * x + STAMP] != S[TICK] and n < limit:
                out[n] = x
                n += 1
        return n
    first = n
    for k in range(-1, P[ADJACENT_WIDTH]):
        x = seed if k < 0 else np.int64(P[P[ADJACENT_AT] + P[ADJACENT_WIDTH] * seed + k])
        if x < 0 or n >= limit - 2:
            break
        if S[ITEM * x + SLOT] < 0 and S[ITEM * x + STAMP] != S[TICK]:
            out[n] = x
            n += 1
    for _ in range(4):
        x = S[S[BANK_AT] + int(rand(S) * S[N_BANK])]
        fresh = S[ITEM * x + STAMP] != S[TICK] and n < limit
        for k in range(first, n):
            fresh = fresh and out[k] != x
        if fresh:
            out[n] = x
            n += 1
    return n


@helper
def take_routes(D: Any, F: Any, P: Any, S: Any, out: Any) -> int:
    """Take one or two neighbouring routes out as a whole; returns how many visits are in `out`, banked ones too."""
    waiting = S[N_BANK]
    seed = P[DEPOTS] + int(rand(S) * (P[NODES] - P[DEPOTS]))
    wanted, n, k = 1 + int(rand(S) * 2.0), 0, -1
    while k < P[ADJACENT_WIDTH] and wanted > 0:
        c = seed if k < 0 else P[P[ADJACENT_AT] + P[ADJACENT_WIDTH] * seed + k]
        k += 1
        if c < 0:
            break
        r = S[ITEM * c + SLOT]
        if r < 0 or n + S[slot(S, r) + SIZE] > MAX_REMOVED or rand(S) < 0.5:
            continue
        wanted -= 1
        n = empty_route(D, F, P, S, r, out, n)
    if waiting > 0:
        n = from_bank_nearby(P, S, seed, waiting, out, n)
    return n


@helper
def disturb(D: Any, F: Any, P: Any, S: Any, L: Any, tune: Any, out: Any) -> int:
    """Ruin, or now and then build whole new routes in the place of old ones; returns how many are in `out`.

    Those on new routes already are in `out` too.
    """
    if tune[12] == 0.0 or rand(S) >= tune[12]:
        return ruin(D, F, P, S, tune[0], tune[1], tune[2], tune[10], out)
    n = take_routes(D, F, P, S, out)
    for _ in range(MOST_NEW):
        if not build(D, F, P, S, L, tune[6], OVERLOOKED):
            break
    return n


@helper
def sort_removed(D: Any, F: Any, P: Any, S: Any, out: Any, n: int, key: Any) -> None:
    """Order of insertion: random, heaviest, farthest or nearest to the depot first, or by time window."""
    rule = int(rand(S) * (11 if P[TIMED] == 0 else 17))
    urgent = S[MISSED_HARD] > 0 and rand(S) < 0.5
    for k in range(n):
        x = out[k]
        if rule < 4:
            key[k] = rand(S)
        elif rule < 8:
            key[k] = 0.5 * rand(S)
            for m in range(P[DIMS]):
                key[k] -= float(load(P, x, m) + (pick(P, x, m) if P[MIXED] == 1 else 0))
        elif rule < 10:
            key[k] = -float(distance(D, F, P, 0, 0, x))
        elif rule < 11:
            key[k] = float(distance(D, F, P, 0, 0, x))
        elif rule < 13:
            key[k] = float(P[NODE * x + LATE] - P[NODE * x + EARLY])
        elif rule < 15:
            key[k] = float(P[NODE * x + EARLY])
        else:
            key[k] = -float(P[NODE * x + LATE])
        if urgent:
            key[k] -= 1e13 * float(P[NODE * x + SOFT])
    for i in range(1, n):
        x, v = out[i], key[i]
        j = i - 1
        while j >= 0 and key[j] > v:
            out[j + 1], key[j + 1] = out[j], key[j]
            j -= 1
        out[j + 1], key[j + 1] = x, v


@helper
def recreate(D: Any, F: Any, P: Any, S: Any, out: Any, n: int, log_keep: float, lure: float) -> None:
    """Insert the visits of `out` one by one where they cost least; optional ones only if that pays.

    lure: what an optional visit is worth beside its prize, see `lures`.
    """
    for k in range(n):
        c = out[k]
        if S[ITEM * c + SLOT] >= 0:  # on a whole new route
            continue
        must = P[NODE * c + HARD] > 0
        cost, at, t = best_place(D, F, P, S, c, log_keep, must and rand(S) < 0.2)
        if cost == NEVER or (not must and cost >= P[NODE * c + PRIZE] + lure):
            continue
        place_visit(D, F, P, S, c, at, t)


@helper
def settle(D: Any, F: Any, P: Any, S: Any) -> int:
    """Price the touched slots, give them better vehicles; returns the change of the routes' cost."""
    change = np.int64(0)
    count = S[N_TOUCHED]
    for k in range(count):
        r = S[S[TOUCHED_AT] + k]
        price(P, S, r)
        if P[KINDS] > 1 and S[slot(S, r) + SIZE] > 0:
            retype(D, F, P, S, r)
        change += S[slot(S, r) + COST] - S[slot(S, r) + COST + (S[ROUTE_WIDTH] - 2) // 2]
    return change


@helper
def holds(P: Any, S: Any, r: int) -> bool:
    """Whether slot r, its times up to date, keeps its windows and releases and its limits of distance and duration.

    To take a visit out can break them: between rounded travel times the way past a visit may be longer than the way
    through it.
    """
    row = kind(P, S[slot(S, r) + KIND])
    length = S[slot(S, r) + LENGTH]
    if length >= P[BARRED] or length > P[row + MAX_DISTANCE]:
        return False
    if P[TIMED] == 0:
        return True
    end = P[NODES] + 2 * r + 1
    x = np.int64(S[ITEM * (end - 1) + NEXT])
    while x < P[NODES]:
        if S[ITEM * x + A_WHEN] - P[NODE * x + SERVICE] > P[NODE * x + LATE]:
            return False
        x = np.int64(S[ITEM * x + NEXT])
    if S[ITEM * end + A_WHEN] > P[row + CLOSE]:
        return False
    late = S[slot(S, r) + READY] > S[ITEM * end + A_LAST]
    return P[TIMED] == 1 or not (late or S[slot(S, r) + TIME] > P[row + MAX_DURATION])


@helper
def all_hold(P: Any, S: Any) -> bool:
    """Whether every touched slot keeps its constraints, see `holds`."""
    for k in range(S[N_TOUCHED]):
        r = S[S[TOUCHED_AT] + k]
        if S[slot(S, r) + SIZE] > 0 and not holds(P, S, r):
            return False
    return True


@inlined
def keep_best(S: Any) -> bool:
    """Copy the solution if it is a new best; True then."""
    hard = S[MISSED_HARD]
    if hard < S[BEST_HARD] or (hard == S[BEST_HARD] and S[VALUE] < S[BEST_VALUE]):
        save_best(S)
        return True
    return False


@inlined
def lean(S: Any, tune: Any, temperature: float) -> float:
    """What one route more is worth to the annealing; nothing where loads leave few routes to spare.

    There are far more ways to fill few routes than many, so while it is hot the annealing ends up with fewer than
    cost least, and to cut a route in two costs too much once it is cold.
    """
    return tune[13] * temperature if S[N_USED] > tune[14] else 0.0


@inlined
def lures(P: Any, S: Any, tune: Any, temperature: float) -> float:
    """What one optional visit more is worth to the annealing beside its prize; more the more are left out.

    As with routes, there are more ways to serve few of them than many. Where nearly all are served it is the
    other way round.
    """
    return tune[15] * temperature * S[N_BANK] / (P[NODES] - P[DEPOTS])


@helper
def propose_some(D: Any, F: Any, P: Any, S: Any, tune: Any, temperature: float, worth: float) -> bool:
    """Let the annealing hear this iteration's proposals of exchanges; True at a new best."""
    better = False
    for _ in range(int(tune[11] + rand(S))):
        if propose(D, F, P, S, -temperature * math.log(1.0 - rand(S)), worth) and keep_best(S):
            better = True
    return better


@helper
def judge(
    D: Any,
    F: Any,
    P: Any,
    S: Any,
    tune: Any,
    temperature: float,
    worth: float,
    lure: float,
    value: int,
    soft: int,
    used: int,
    left_out: int,
) -> bool:
    """Keep what has changed since `begin`, or undo it, by the temperature; True at a new best.

    worth, lure: of a route and an optional visit more, see `lean` and `lures`. value, soft, used, left_out: cost,
    weight of the mandatory visits on no route, routes, and visits on no route, before.
    """
    change = settle(D, F, P, S)
    delta = float(S[VALUE] + change - value) + tune[6] * (S[MISSED_SOFT] - soft)
    delta -= worth * (S[N_USED] - used)
    delta += lure * (S[N_BANK] - left_out)
    if delta < -temperature * math.log(1.0 - rand(S)) and all_hold(P, S):
        S[VALUE] += change
        commit(S)
        return keep_best(S)
    undo(D, F, P, S)
    return False


@inlined
def adapt(tune: Any, incomplete: int) -> None:
    """Move the price of an unserved visit by how many of 256 iterations left some out."""
    if incomplete > 128:
        tune[6] = min(tune[6] * 1.1, 1e15)
    elif incomplete < 32:
        tune[6] = max(tune[6] * 0.98, tune[9])


@entry
def search(
    D: Any, F: Any, P: Any, S: Any, out: Any, key: Any, L: Any, tune: Any, iterations: int, since: int
) -> int:
    """Run `iterations` of ruin and recreate; returns the iterations since the last new best.

    tune: mean removed, longest string, split probability, log(1 - blink), first and last temperature, price
    of an unserved mandatory visit, share of the run done at the start and per iteration, its least value,
    probability of a whole route, exchanges proposed per iteration, probability of rebuilding whole routes, worth
    of a route more in units of temperature, routes from which on that counts, worth of an optional visit more.
    The price adapts. L: see `solvers.kernels.whole_routes.label_space`.
    """
    cool = math.log(tune[5] / tune[4])
    incomplete = 0
    for it in range(iterations):
        temperature = tune[4] * math.exp(cool * min(1.0, tune[7] + it * tune[8]))
        worth = lean(S, tune, temperature)
        if propose_some(D, F, P, S, tune, temperature, worth):
            since = 0
        begin(S)
        value, soft, used, left_out = S[VALUE], S[MISSED_SOFT], S[N_USED], S[N_BANK]
        lure = lures(P, S, tune, temperature)
        n = disturb(D, F, P, S, L, tune, out)
        sort_removed(D, F, P, S, out, n, key)
        recreate(D, F, P, S, out, n, tune[3], lure)
        since += 1
        if judge(D, F, P, S, tune, temperature, worth, lure, value, soft, used, left_out):
            since = 0
        incomplete += S[MISSED_SOFT] > 0
        if (it & 255) == 255:
            adapt(tune, incomplete)
            incomplete = 0
    return since
