"""Slack induction by string removals (Christiaens and Vanden Berghe 2020), on deltas.

An iteration takes strings of adjacent visits out of neighbouring routes, puts the visits back greedily with
blinks, and keeps the outcome by simulated annealing. Insertion looks at neighbour lists instead of all
positions, and what is rejected is undone by journal, so an iteration costs the same at any problem size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from solvers.kernels.data import EARLY, HARD, LATE, PRIZE, SOFT
from solvers.kernels.insertion import NEVER, best_place, place_visit, rand, retype
from solvers.kernels.state import (
    BEST_HARD,
    BEST_VALUE,
    COST,
    MISSED_HARD,
    MISSED_SOFT,
    N_BANK,
    N_TOUCHED,
    N_USED,
    NEXT,
    PREV,
    SIZE,
    SLOT,
    TICK,
    VALUE,
    begin,
    commit,
    price,
    refresh,
    save_best,
    take_out,
    undo,
)
from solvers.kernels.travel import distance

MAX_REMOVED = 256
MAX_FROM_BANK = 12


@njit(cache=True, nogil=True, _nrt=False)
def remove_string(d: Any, s: Any, c: int, longest: float, split: float, out: Any, n: int) -> int:
    """Take a string of random length around visit c out of its route; returns how many are in `out`."""
    r = np.int64(s.link[c, SLOT])
    size = s.route[r, SIZE]
    cut = int(rand(s.rng) * min(float(size), longest)) + 1
    keep = 0
    if cut > 1 and cut < size and rand(s.rng) < split:
        keep = 1
        while cut + keep < size and rand(s.rng) < 0.01:
            keep += 1
    total = cut + keep
    before, x = 0, np.int64(s.link[c, PREV])
    while x < d.nodes and before < total - 1:
        before += 1
        x = np.int64(s.link[x, PREV])
    after, x = 0, np.int64(s.link[c, NEXT])
    while x < d.nodes and after < total - 1:
        after += 1
        x = np.int64(s.link[x, NEXT])
    low, high = max(0, total - 1 - after), min(before, total - 1)
    back = low + int(rand(s.rng) * (high - low + 1))
    x = c
    for _ in range(back):
        x = np.int64(s.link[x, PREV])
    head = cut if keep == 0 else 1 + int(rand(s.rng) * (cut - 1))
    for k in range(total):
        y = np.int64(s.link[x, NEXT])
        if (k < head or k >= head + keep) and n < MAX_REMOVED:
            take_out(d, s, x)
            out[n] = x
            n += 1
        x = y
    return n


@njit(cache=True, nogil=True, _nrt=False)
def ruin(d: Any, s: Any, mean_removed: float, max_string: float, split: float, out: Any) -> int:
    """Remove strings near a random visit; returns how many visits are in `out`, banked ones nearby included."""
    served = d.nodes - d.depots - s.num[N_BANK]
    seed = d.depots + int(rand(s.rng) * (d.nodes - d.depots))
    n = 0
    waiting = s.num[N_BANK]
    if served > 0:
        longest = min(max_string, served / max(1, s.num[N_USED]))
        strings = int(rand(s.rng) * (4.0 * mean_removed / (1.0 + longest) - 1.0) + 1.0)
        k = -1
        while k < d.adjacent.shape[1] and s.num[N_TOUCHED] < strings:
            c = seed if k < 0 else np.int64(d.adjacent[seed, k])
            k += 1
            if c < 0:
                break
            r = np.int64(s.link[c, SLOT])
            if r < 0 or s.route_stamp[r] == s.num[TICK]:
                continue
            n = remove_string(d, s, c, longest, split, out, n)
        if d.timed != 0 or d.mixed == 1:
            for k in range(s.num[N_TOUCHED]):
                refresh(d, s, s.touched[k])
    if waiting > 0:
        n = from_bank_nearby(d, s, seed, waiting, out, n)
    return n


@njit(cache=True, nogil=True, _nrt=False)
def from_bank_nearby(d: Any, s: Any, seed: int, waiting: int, out: Any, n: int) -> int:
    """Add visits that were banked before this tick: all if few, else some near the seed and some at random."""
    limit = min(n + MAX_FROM_BANK, len(out))
    if waiting <= MAX_FROM_BANK:
        for k in range(s.num[N_BANK]):
            x = s.bank[k]
            if s.stamp[x] != s.num[TICK] and n < limit:
                out[n] = x
                n += 1
        return n
    first = n
    for k in range(-1, d.adjacent.shape[1]):
        x = seed if k < 0 else np.int64(d.adjacent[seed, k])
        if x < 0 or n >= limit - 2:
            break
        if s.link[x, SLOT] < 0 and s.stamp[x] != s.num[TICK]:
            out[n] = x
            n += 1
    for _ in range(4):
        x = s.bank[int(rand(s.rng) * s.num[N_BANK])]
        fresh = s.stamp[x] != s.num[TICK] and n < limit
        for k in range(first, n):
            fresh = fresh and out[k] != x
        if fresh:
            out[n] = x
            n += 1
    return n


@njit(cache=True, nogil=True, _nrt=False)
def sort_removed(d: Any, s: Any, out: Any, n: int, key: Any) -> None:
    """Order of insertion: random, heaviest, farthest or nearest to the depot first, or by time window."""
    pick = int(rand(s.rng) * (11 if d.timed == 0 else 17))
    urgent = s.num[MISSED_HARD] > 0 and rand(s.rng) < 0.5
    for k in range(n):
        x = out[k]
        if pick < 4:
            key[k] = rand(s.rng)
        elif pick < 8:
            key[k] = -float(d.load[x, 0] + (d.pick[x, 0] if d.mixed == 1 else 0)) + 0.5 * rand(s.rng)
        elif pick < 10:
            key[k] = -float(distance(d, 0, 0, x))
        elif pick < 11:
            key[k] = float(distance(d, 0, 0, x))
        elif pick < 13:
            key[k] = float(d.node[x, LATE] - d.node[x, EARLY])
        elif pick < 15:
            key[k] = float(d.node[x, EARLY])
        else:
            key[k] = -float(d.node[x, LATE])
        if urgent:
            key[k] -= 1e13 * float(d.node[x, SOFT])
    for i in range(1, n):
        x, v = out[i], key[i]
        j = i - 1
        while j >= 0 and key[j] > v:
            out[j + 1], key[j + 1] = out[j], key[j]
            j -= 1
        out[j + 1], key[j + 1] = x, v


@njit(cache=True, nogil=True, _nrt=False)
def recreate(d: Any, s: Any, out: Any, n: int, log_keep: float) -> None:
    """Insert the visits of `out` one by one where they cost least; optional ones only if that pays."""
    for k in range(n):
        c = out[k]
        must = d.node[c, HARD] > 0
        cost, at, kind = best_place(d, s, c, log_keep, must and rand(s.rng) < 0.2)
        if cost == NEVER or (not must and cost >= d.node[c, PRIZE]):
            continue
        place_visit(d, s, c, at, kind)


@njit(cache=True, nogil=True, _nrt=False)
def settle(d: Any, s: Any) -> int:
    """Price the touched slots, give them better vehicles; returns the change of the routes' cost."""
    change = np.int64(0)
    count = s.num[N_TOUCHED]
    for k in range(count):
        r = s.touched[k]
        price(d, s, r)
        if d.kinds > 1 and s.route[r, SIZE] > 0:
            retype(d, s, r)
        change += s.route[r, COST] - s.touched_route[k, COST]
    return change


@njit(cache=True, nogil=True, _nrt=False)
def search(d: Any, s: Any, out: Any, key: Any, tune: Any, iterations: int, since: int) -> int:
    """Run `iterations` of ruin and recreate; returns the iterations since the last new best.

    tune: mean removed, longest string, split probability, log(1 - blink), first and last temperature, price
    of an unserved mandatory visit, share of the run done at the start and per iteration. The price adapts.
    """
    cool = math.log(tune[5] / tune[4])
    incomplete = 0
    for it in range(iterations):
        temperature = tune[4] * math.exp(cool * min(1.0, tune[7] + it * tune[8]))
        begin(s)
        value, soft = s.num[VALUE], s.num[MISSED_SOFT]
        n = ruin(d, s, tune[0], tune[1], tune[2], out)
        sort_removed(d, s, out, n, key)
        recreate(d, s, out, n, tune[3])
        change = settle(d, s)
        delta = float(s.num[VALUE] + change - value) + tune[6] * (s.num[MISSED_SOFT] - soft)
        since += 1
        if delta < -temperature * math.log(1.0 - rand(s.rng)):
            s.num[VALUE] += change
            commit(s)
            hard = s.num[MISSED_HARD]
            if hard < s.num[BEST_HARD] or (hard == s.num[BEST_HARD] and s.num[VALUE] < s.num[BEST_VALUE]):
                save_best(s)
                since = 0
        else:
            undo(d, s)
        incomplete += s.num[MISSED_SOFT] > 0
        if (it & 255) == 255:
            if incomplete > 128:
                tune[6] = min(tune[6] * 1.1, 1e15)
            elif incomplete < 32:
                tune[6] = max(tune[6] * 0.98, tune[9])
            incomplete = 0
    return since
