"""Event loop of one multi-server station: non-preemptive priorities, capacity that changes in steps.

Jobs live in slots of parallel arrays. A slot is free, pending (in a heap by arrival and row: its arrival lies
ahead) or queued (in its priority class's doubly linked list, which is in order of arrival and row because the
heap hands jobs over in that order). Classes with jobs in line form a heap by priority; finish times of jobs in
service form a heap. Thus a job costs one heap pass over the pending, one over the servers, and O(1) in line
however long that is.

`counts` (int64) holds the sizes: see the constants below.
"""

from __future__ import annotations

import numpy as np
from numba import njit

PENDING, QUEUED, BUSY, CLASSES, FREE, STEP = range(6)
N_COUNTS = 6
NONE = -1


@njit(cache=True, inline="always")
def _pending_before(arrive_a, row_a, arrive_b, row_b):
    return arrive_a < arrive_b or (arrive_a == arrive_b and row_a < row_b)


@njit(cache=True)
def submit(
    rows,
    arrive_s,
    service_s,
    classes,
    job_row,
    job_arrive,
    job_service,
    job_class,
    free,
    heap_arrive,
    heap_row,
    heap_slot,
    counts,
):
    """Put jobs (one per entry of the first four arrays) into free slots and into the heap of the pending."""
    n_free = counts[FREE]
    size = counts[PENDING]
    for i in range(rows.size):
        n_free -= 1
        slot = free[n_free]
        row = rows[i]
        arrive = arrive_s[i]
        job_row[slot] = row
        job_arrive[slot] = arrive
        job_service[slot] = service_s[i]
        job_class[slot] = classes[i]
        at = size
        size += 1
        while at > 0:
            parent = (at - 1) >> 1
            if not _pending_before(arrive, row, heap_arrive[parent], heap_row[parent]):
                break
            heap_arrive[at] = heap_arrive[parent]
            heap_row[at] = heap_row[parent]
            heap_slot[at] = heap_slot[parent]
            at = parent
        heap_arrive[at] = arrive
        heap_row[at] = row
        heap_slot[at] = slot
    counts[FREE] = n_free
    counts[PENDING] = size


@njit(cache=True)
def advance(
    clock_s,
    until_s,
    step_s,
    levels,
    job_row,
    job_arrive,
    job_service,
    job_class,
    job_next,
    job_previous,
    free,
    heap_arrive,
    heap_row,
    heap_slot,
    class_priority,
    class_head,
    class_tail,
    class_heap,
    finish_heap,
    counts,
    out_row,
    out_arrive,
    out_start,
    out_finish,
    out_priority,
):
    """Run from `clock_s` to `until_s` inclusive; returns how many jobs started, written to `out_*` in order."""
    n_pending = counts[PENDING]
    n_queued = counts[QUEUED]
    n_busy = counts[BUSY]
    n_classes = counts[CLASSES]
    n_free = counts[FREE]
    step = counts[STEP]  # capacity steps taken; the level is levels[step - 1], 0 before the first
    n_steps = step_s.size
    level = levels[step - 1] if step > 0 else 0
    started = 0
    now = clock_s
    while True:
        # Completions free servers, capacity changes, arrivals join; only then starts are decided.
        while n_busy > 0 and finish_heap[0] <= now:
            n_busy -= 1
            moved = finish_heap[n_busy]
            at = 0
            while True:
                child = 2 * at + 1
                if child >= n_busy:
                    break
                if child + 1 < n_busy and finish_heap[child + 1] < finish_heap[child]:
                    child += 1
                if finish_heap[child] >= moved:
                    break
                finish_heap[at] = finish_heap[child]
                at = child
            finish_heap[at] = moved
        while step < n_steps and step_s[step] <= now:
            level = levels[step]
            step += 1
        while n_pending > 0 and heap_arrive[0] <= now:
            slot = heap_slot[0]
            n_pending -= 1
            arrive = heap_arrive[n_pending]
            row = heap_row[n_pending]
            moved_slot = heap_slot[n_pending]
            # Down to a leaf along the smaller children, then up: the last entry nearly always belongs low.
            at = 0
            child = 1
            while child < n_pending:
                right = child + 1
                if right < n_pending and _pending_before(
                    heap_arrive[right], heap_row[right], heap_arrive[child], heap_row[child]
                ):
                    child = right
                heap_arrive[at] = heap_arrive[child]
                heap_row[at] = heap_row[child]
                heap_slot[at] = heap_slot[child]
                at = child
                child = 2 * at + 1
            while at > 0:
                parent = (at - 1) >> 1
                if not _pending_before(arrive, row, heap_arrive[parent], heap_row[parent]):
                    break
                heap_arrive[at] = heap_arrive[parent]
                heap_row[at] = heap_row[parent]
                heap_slot[at] = heap_slot[parent]
                at = parent
            heap_arrive[at] = arrive
            heap_row[at] = row
            heap_slot[at] = moved_slot

            # Join the class's line. Only a job submitted late for the instant of the last advance can have
            # to pass others of that same instant.
            cls = job_class[slot]
            ahead = class_tail[cls]
            behind = NONE
            while ahead != NONE and _pending_before(
                job_arrive[slot], job_row[slot], job_arrive[ahead], job_row[ahead]
            ):
                behind = ahead
                ahead = job_previous[ahead]
            job_previous[slot] = ahead
            job_next[slot] = behind
            was_empty = class_tail[cls] == NONE
            if ahead == NONE:
                class_head[cls] = slot
            else:
                job_next[ahead] = slot
            if behind == NONE:
                class_tail[cls] = slot
            else:
                job_previous[behind] = slot
            n_queued += 1
            if was_empty:
                at = n_classes
                n_classes += 1
                while at > 0:
                    parent = (at - 1) >> 1
                    if class_priority[class_heap[parent]] <= class_priority[cls]:
                        break
                    class_heap[at] = class_heap[parent]
                    at = parent
                class_heap[at] = cls

        while n_queued > 0 and n_busy < level:
            cls = class_heap[0]
            slot = class_head[cls]
            finish = now + job_service[slot]
            out_row[started] = job_row[slot]
            out_arrive[started] = job_arrive[slot]
            out_start[started] = now
            out_finish[started] = finish
            out_priority[started] = class_priority[cls]
            started += 1
            n_queued -= 1
            free[n_free] = slot
            n_free += 1
            at = n_busy
            n_busy += 1
            while at > 0:
                parent = (at - 1) >> 1
                if finish_heap[parent] <= finish:
                    break
                finish_heap[at] = finish_heap[parent]
                at = parent
            finish_heap[at] = finish
            head = job_next[slot]
            class_head[cls] = head
            if head != NONE:
                job_previous[head] = NONE
                continue
            class_tail[cls] = NONE
            n_classes -= 1
            moved_class = class_heap[n_classes]
            at = 0
            while True:
                child = 2 * at + 1
                if child >= n_classes:
                    break
                if (
                    child + 1 < n_classes
                    and class_priority[class_heap[child + 1]] < class_priority[class_heap[child]]
                ):
                    child += 1
                if class_priority[class_heap[child]] >= class_priority[moved_class]:
                    break
                class_heap[at] = class_heap[child]
                at = child
            class_heap[at] = moved_class

        # Nothing can start before the next arrival or, with jobs in line, the next finish or capacity change.
        following = heap_arrive[0] if n_pending > 0 else np.inf
        if n_queued > 0:
            if n_busy > 0 and finish_heap[0] < following:
                following = finish_heap[0]
            if step < n_steps and step_s[step] < following:
                following = step_s[step]
        if following > until_s or following == np.inf:
            if now >= until_s:
                break
            now = until_s  # once more round, to count completions and capacity up to the end
        else:
            now = following
    counts[PENDING] = n_pending
    counts[QUEUED] = n_queued
    counts[BUSY] = n_busy
    counts[CLASSES] = n_classes
    counts[FREE] = n_free
    counts[STEP] = step
    return started
