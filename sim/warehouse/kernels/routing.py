"""Lengths of picker tours in one block of parallel aisles.

A tour is a run of picks sorted by aisle, then by way along it. The depot lies in the front cross aisle (way
0) before `depot_aisle`; `length` is the way from front to back cross aisle, `pitch` from aisle to aisle.

The exact length is the dynamic program of Ratliff & Rosenthal (Operations Research 31(3), 1983): from left to
right, partial tours are told apart only by the parity of the degree of the last aisle's two ends and by
whether they hang together. Its transition rules are derived here, not tabulated: `_VERTICAL` are the ways to
serve an aisle, `_LEVEL` the edges to the next.
"""

from __future__ import annotations

import numpy as np
from numba import njit

S_SHAPE, LARGEST_GAP, EXACT = range(3)

# Degree of an aisle's end: none, odd, even.
_ZERO, _ODD, _EVEN = 0, 1, 2
# States (degree at the back end, at the front end, components); -1 where unused.
_NOTHING, _ODD_ODD, _FRONT, _BACK, _ONE, _TWO, _CLOSED = range(7)
_STATES = 7
_INF = 1e300


@njit(cache=True, nogil=True)
def _code(back, front, parts, closed):
    if back == _ZERO and front == _ZERO:
        return _CLOSED if closed else _NOTHING
    if back == _ODD and front == _ODD:
        return _ODD_ODD
    if back == _ZERO:
        return _FRONT
    if front == _ZERO:
        return _BACK
    return _ONE if parts == 1 else _TWO


@njit(cache=True, nogil=True)
def _degrees(state):
    """(back, front, components) of a state."""
    if state == _ODD_ODD:
        return _ODD, _ODD, 1
    if state == _FRONT:
        return _ZERO, _EVEN, 1
    if state == _BACK:
        return _EVEN, _ZERO, 1
    if state == _ONE:
        return _EVEN, _EVEN, 1
    if state == _TWO:
        return _EVEN, _EVEN, 2
    return _ZERO, _ZERO, 0


@njit(cache=True, nogil=True)
def _plus(degree, edges):
    if edges == 2:
        return _EVEN if degree == _ZERO else degree
    if edges == 1:
        return _ODD if degree != _ODD else _EVEN
    return degree


@njit(cache=True, nogil=True)
def _largest_gap(along, first, last, length):
    """The longest way between two neighbouring picks of an aisle or a pick and a cross aisle."""
    gap = max(along[first], length - along[last - 1])
    for i in range(first + 1, last):
        gap = max(gap, along[i] - along[i - 1])
    return gap


@njit(cache=True, nogil=True)
def exact_length(aisle, along, first, last, depot_aisle, pitch, length):
    """Shortest closed tour from the depot through the picks `first : last`."""
    if first == last:
        return 0.0
    low = min(aisle[first], depot_aisle)
    high = max(aisle[last - 1], depot_aisle)
    cost = np.full(_STATES, _INF)
    cost[_NOTHING] = 0.0
    after = np.empty(_STATES)
    pick = first
    for number in range(low, high + 1):
        begin = pick
        while pick < last and aisle[pick] == number:
            pick += 1
        some = pick > begin
        # Serve the aisle.
        after[:] = _INF
        top = 2.0 * (length - along[begin]) if some else 0.0
        bottom = 2.0 * along[pick - 1] if some else 0.0
        both = 2.0 * (length - _largest_gap(along, begin, pick, length)) if some else 0.0
        for state in range(_STATES):
            base = cost[state]
            if base >= _INF:
                continue
            if not some:
                after[state] = min(after[state], base)
            if state == _CLOSED:
                continue
            back, front, parts = _degrees(state)
            for edges in range(1, 3):  # through once, or there and back: joins both ends
                to = _code(_plus(back, edges), _plus(front, edges), 1, False)
                after[to] = min(after[to], base + edges * length)
            if some:
                joined = parts if back != _ZERO else parts + 1
                to = _code(_plus(back, 2), front, joined, False)
                after[to] = min(after[to], base + top)
                joined = parts if front != _ZERO else parts + 1
                to = _code(back, _plus(front, 2), joined, False)
                after[to] = min(after[to], base + bottom)
                # From both ends up to the gap: two parts unless one already reaches both ends.
                joined = 1 if back != _ZERO and front != _ZERO and parts == 1 else 2
                to = _code(_plus(back, 2), _plus(front, 2), joined, False)
                after[to] = min(after[to], base + both)
        if number == high:
            break
        # Go on to the next aisle.
        cost[:] = _INF
        for state in range(_STATES):
            base = after[state]
            if base >= _INF:
                continue
            back, front, parts = _degrees(state)
            for back_edges in range(3):
                for front_edges in range(3):
                    if back_edges == 1 or front_edges == 1:
                        if back_edges != 1 or front_edges != 1 or state != _ODD_ODD:
                            continue
                    elif state == _ODD_ODD:
                        continue
                    if state == _CLOSED and back_edges + front_edges > 0:
                        continue
                    if state == _TWO and (back_edges == 0 or front_edges == 0):
                        continue
                    if number == depot_aisle and front == _ZERO and front_edges == 0:
                        continue  # the depot must lie on the tour
                    if back_edges == 0 and front_edges == 0:
                        to = _NOTHING if state == _NOTHING else _CLOSED
                    else:
                        joined = parts
                        if state in (_ODD_ODD, _ONE):
                            joined = 1
                        elif back_edges > 0 and front_edges > 0:
                            joined = 2
                        to = _code(_plus(_ZERO, back_edges), _plus(_ZERO, front_edges), joined, False)
                    # A part may not be left behind while another goes on.
                    if state == _FRONT and front_edges == 0 and back_edges > 0:
                        continue
                    if state == _BACK and back_edges == 0 and front_edges > 0:
                        continue
                    cost[to] = min(cost[to], base + pitch * (back_edges + front_edges))
    best = _INF
    for state in (_FRONT, _BACK, _ONE, _CLOSED):
        if high == depot_aisle and state in (_BACK, _CLOSED):
            continue  # these don't touch the depot
        best = min(best, after[state])
    return best


@njit(cache=True, nogil=True)
def heuristic_length(aisle, along, first, last, depot_aisle, pitch, length, largest_gap):
    """S-shape or largest-gap tour through the picks `first : last`.

    S-shape goes through every aisle with picks; when their number is odd, the last is entered and left from
    the front. Largest gap goes through the first and the last aisle and enters those between from both ends
    up to the largest gap. With one aisle both turn at its last pick.
    """
    if first == last:
        return 0.0
    left, right = aisle[first], aisle[last - 1]
    total = 2.0 * pitch * (max(right, depot_aisle) - min(left, depot_aisle))
    if left == right:
        return total + 2.0 * along[last - 1]
    visited = 0
    begin = first
    while begin < last:
        end = begin
        while end < last and aisle[end] == aisle[begin]:
            end += 1
        visited += 1
        if largest_gap:
            if aisle[begin] == left or aisle[begin] == right:
                total += length
            else:
                total += 2.0 * (length - _largest_gap(along, begin, end, length))
        elif end == last and visited % 2 == 1:
            total += 2.0 * along[end - 1]
        else:
            total += length
        begin = end
    return total


@njit(cache=True, nogil=True)
def tour_length(aisle, along, first, last, depot_aisle, pitch, length, policy):
    if policy == EXACT:
        return exact_length(aisle, along, first, last, depot_aisle, pitch, length)
    return heuristic_length(aisle, along, first, last, depot_aisle, pitch, length, policy == LARGEST_GAP)


@njit(cache=True, nogil=True)
def tour_lengths(aisle, along, first_pick, depot_aisle, pitch, length, policy, out_m, out_aisles):
    """Length and aisles entered of each tour `first_pick[t] : first_pick[t + 1]`."""
    for tour in range(first_pick.size - 1):
        first, last = first_pick[tour], first_pick[tour + 1]
        out_m[tour] = tour_length(aisle, along, first, last, depot_aisle, pitch, length, policy)
        visited = 0
        for i in range(first, last):
            if i == first or aisle[i] != aisle[i - 1]:
                visited += 1
        out_aisles[tour] = visited
