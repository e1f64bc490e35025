"""Event loop of one storage and retrieval machine that serves retrievals and storages of its aisle."""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.warehouse.kernels.put_wall import pop, push


@njit(cache=True, nogil=True)
def travel_s(dx, dy, vx, vy, ax):
    """Both axes at once, each from rest to rest; infinite `ax` is full speed at once."""
    return max(_axis_s(dx, vx, ax), _axis_s(dy, vy, ax))


@njit(cache=True, nogil=True)
def _axis_s(d, v, a):
    if d <= 0.0:
        return 0.0
    if not np.isfinite(a):
        return d / v
    if d >= v * v / a:
        return d / v + v / a
    return 2.0 * np.sqrt(d / a)


@njit(cache=True, nogil=True)
def serve(
    until_s, clock, x, y, vx, vy, ax, handover_s, dual, pending_s, pending, waiting_in, waiting_out, counts,
    is_storage, start_out, finish_out, moved, cycles,
):  # fmt: skip
    """Serve jobs first come first served until `until_s`; a job may start at `until_s` at the latest.

    A storage and a retrieval both in line go together in one dual cycle. `counts` holds the sizes of the
    pending heap and of both queues' head and tail; `clock[0]` is when the machine is free, at the
    input/output point (0, 0).
    """
    n_pending, in_head, in_tail, out_head, out_tail = counts[0], counts[1], counts[2], counts[3], counts[4]
    while True:
        now = clock[0]
        if in_head == in_tail and out_head == out_tail:
            if n_pending == 0:
                break
            now = max(now, pending_s[0])
        if now > until_s:
            break
        while n_pending > 0 and pending_s[0] <= now:
            job = pending[0]
            n_pending = pop(pending_s, pending, n_pending)
            if is_storage[job]:
                waiting_in[in_tail] = job
                in_tail += 1
            else:
                waiting_out[out_tail] = job
                out_tail += 1
        store = waiting_in[in_head] if in_head < in_tail else -1
        fetch = waiting_out[out_head] if out_head < out_tail else -1
        if store >= 0 and fetch >= 0 and not dual:
            # One at a time: retrievals first, somebody waits for them.
            store = -1
        at = now
        if store >= 0 and fetch >= 0:
            first = travel_s(x[store], y[store], vx, vy, ax)
            between = travel_s(abs(x[store] - x[fetch]), abs(y[store] - y[fetch]), vx, vy, ax)
            back = travel_s(x[fetch], y[fetch], vx, vy, ax)
            start_out[store] = now
            start_out[fetch] = now
            finish_out[store] = now + first + 2.0 * handover_s
            at = now + first + between + back + 4.0 * handover_s
            finish_out[fetch] = at
            moved[0] += x[store] + abs(x[store] - x[fetch]) + x[fetch]
            in_head += 1
            out_head += 1
            cycles[1] += 1
        else:
            job = store if store >= 0 else fetch
            way = travel_s(x[job], y[job], vx, vy, ax)
            start_out[job] = now
            at = now + 2.0 * way + 2.0 * handover_s
            finish_out[job] = at - way if store >= 0 else at
            moved[0] += 2.0 * x[job]
            if store >= 0:
                in_head += 1
            else:
                out_head += 1
            cycles[0] += 1
        clock[0] = at
    counts[0], counts[1], counts[2], counts[3], counts[4] = n_pending, in_head, in_tail, out_head, out_tail


@njit(cache=True, nogil=True)
def submit(jobs, arrive_s, pending_s, pending, counts):
    for i in range(jobs.size):
        counts[0] = push(pending_s, pending, counts[0], arrive_s[i], jobs[i])
