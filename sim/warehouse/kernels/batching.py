"""Order batching: which orders share a cart.

Orders are runs `first[o] : first[o + 1]` of picks sorted by aisle and way along it, in the order of their
age. `batch` receives the cart of each order, numbered from 0; the number of carts is returned. A cart holds
at most `most_orders` orders and `most_lines` lines; an order with more lines than that gets a cart of its
own.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.warehouse.kernels.routing import tour_length


@njit(cache=True, nogil=True)
def first_come(first, most_orders, most_lines, batch):
    number, orders, lines = -1, 0, 0
    for order in range(first.size - 1):
        size = first[order + 1] - first[order]
        if number < 0 or orders == most_orders or lines + size > most_lines:
            number += 1
            orders, lines = 0, 0
        batch[order] = number
        orders += 1
        lines += size
    return number + 1


@njit(cache=True, nogil=True)
def seed(first, aisle, aisles, most_orders, most_lines, batch):
    """The oldest order left is the seed; orders join that add the fewest aisles to the cart's, then share
    most.

    Source of the rule: De Koster, Van der Poort & Wolters, International Journal of Production Research
    37(7), 1999.
    """
    n = first.size - 1
    enters = np.zeros((n, aisles), np.bool_)
    for order in range(n):
        for i in range(first[order], first[order + 1]):
            enters[order, aisle[i]] = True
    batch[:] = -1
    number = 0
    oldest = 0
    cart = np.zeros(aisles, np.bool_)
    while True:
        while oldest < n and batch[oldest] >= 0:
            oldest += 1
        if oldest == n:
            return number
        batch[oldest] = number
        cart[:] = enters[oldest]
        orders, lines = 1, first[oldest + 1] - first[oldest]
        while orders < most_orders:
            best, best_added, best_shared = -1, aisles + 1, -1
            for order in range(oldest + 1, n):
                if batch[order] >= 0 or lines + first[order + 1] - first[order] > most_lines:
                    continue
                added, shared = 0, 0
                for number_of_aisle in range(aisles):
                    if enters[order, number_of_aisle]:
                        if cart[number_of_aisle]:
                            shared += 1
                        else:
                            added += 1
                if added < best_added or (added == best_added and shared > best_shared):
                    best, best_added, best_shared = order, added, shared
            if best < 0:
                break
            batch[best] = number
            cart |= enters[best]
            orders += 1
            lines += first[best + 1] - first[best]
        number += 1


@njit(cache=True, nogil=True)
def _merged(aisle, along, first, a, b, out_aisle, out_along):
    """The picks of orders a and b in one sorted run; returns their number."""
    i, j, n = first[a], first[b], 0
    while i < first[a + 1] or j < first[b + 1]:
        from_a = j == first[b + 1] or (
            i < first[a + 1] and (aisle[i] < aisle[j] or (aisle[i] == aisle[j] and along[i] <= along[j]))
        )
        at = i if from_a else j
        out_aisle[n] = aisle[at]
        out_along[n] = along[at]
        n += 1
        if from_a:
            i += 1
        else:
            j += 1
    return n


@njit(cache=True, nogil=True)
def savings(first, aisle, along, most_orders, most_lines, depot, pitch, length, policy, batch):
    """Clarke & Wright: pairs by the metres that one tour saves over two, carts merged while they fit."""
    n = first.size - 1
    alone = np.empty(n)
    longest = 0
    for order in range(n):
        alone[order] = tour_length(aisle, along, first[order], first[order + 1], depot, pitch, length, policy)
        longest = max(longest, first[order + 1] - first[order])
    pairs = n * (n - 1) // 2
    saved = np.empty(pairs)
    left, right = np.empty(pairs, np.int32), np.empty(pairs, np.int32)
    room_aisle, room_along = np.empty(2 * longest, np.int64), np.empty(2 * longest)
    at = 0
    for a in range(n):
        for b in range(a + 1, n):
            if first[a + 1] - first[a] + first[b + 1] - first[b] > most_lines:
                continue
            size = _merged(aisle, along, first, a, b, room_aisle, room_along)
            both = tour_length(room_aisle, room_along, 0, size, depot, pitch, length, policy)
            saved[at] = both - alone[a] - alone[b]
            left[at], right[at] = a, b
            at += 1
    orders_in = np.ones(n, np.int64)
    lines_in = np.empty(n, np.int64)
    for order in range(n):
        batch[order] = order
        lines_in[order] = first[order + 1] - first[order]
    for pair in np.argsort(saved[:at], kind="mergesort"):
        if saved[pair] >= 0.0:
            break
        a, b = batch[left[pair]], batch[right[pair]]
        if a == b or orders_in[a] + orders_in[b] > most_orders or lines_in[a] + lines_in[b] > most_lines:
            continue
        orders_in[a] += orders_in[b]
        lines_in[a] += lines_in[b]
        for order in range(n):
            if batch[order] == b:
                batch[order] = a
    renamed = np.full(n, -1, np.int64)
    number = 0
    for order in range(n):
        if renamed[batch[order]] < 0:
            renamed[batch[order]] = number
            number += 1
        batch[order] = renamed[batch[order]]
    return number
