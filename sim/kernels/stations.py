"""Event loop of one multi-server station: non-preemptive priorities, capacity that changes in steps.

Jobs live in slots of parallel arrays. A slot is free, pending (its arrival lies ahead) or queued. Pending ones
stand in a run sorted by arrival and row (large submissions: memory is then read in order) or in a heap (small
ones that come later). Queued ones stand in their priority class's doubly linked list, which is in order of
arrival and row because jobs join it in that order. Classes with jobs in line form a heap by priority; finish
times of jobs in service form a heap. Thus a job costs O(1) in line however long that is.

`counts` (int64) holds the sizes: see the constants below.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Reals: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int32]
Counts: TypeAlias = NDArray[np.int64]

HEAP, RUN, RUN_END, QUEUED, BUSY, CLASSES, FREE, STEP = range(8)
N_COUNTS = 8
NONE = -1


@njit(cache=True, inline="always")
def _before(arrive_a: float, row_a: int, arrive_b: float, row_b: int) -> bool:
    return arrive_a < arrive_b or (arrive_a == arrive_b and row_a < row_b)


@njit(cache=True)
def submit(
    rows: Ints,
    arrive_s: Reals,
    service_s: Reals,
    classes: Ints,
    to_run: bool,
    job_row: Ints,
    job_arrive: Reals,
    job_service: Reals,
    job_class: Ints,
    free: Ints,
    heap_arrive: Reals,
    heap_row: Ints,
    heap_slot: Ints,
    run_slot: Ints,
    counts: Counts,
) -> None:
    """Put jobs (one per entry of the first four arrays) into free slots and among the pending.

    With `to_run` the jobs must be sorted by arrival and row, and they replace the run, which must be used up;
    otherwise they go into the heap.
    """
    n_free = counts[FREE]
    size = counts[HEAP]
    for i in range(rows.size):
        n_free -= 1
        slot = free[n_free]
        row = rows[i]
        arrive = arrive_s[i]
        job_row[slot] = row
        job_arrive[slot] = arrive
        job_service[slot] = service_s[i]
        job_class[slot] = classes[i]
        if to_run:
            run_slot[i] = slot
            continue
        at = size
        size += 1
        while at > 0:
            parent = (at - 1) >> 1
            if not _before(arrive, row, heap_arrive[parent], heap_row[parent]):
                break
            heap_arrive[at] = heap_arrive[parent]
            heap_row[at] = heap_row[parent]
            heap_slot[at] = heap_slot[parent]
            at = parent
        heap_arrive[at] = arrive
        heap_row[at] = row
        heap_slot[at] = slot
    counts[FREE] = n_free
    counts[HEAP] = size
    if to_run:
        counts[RUN] = 0
        counts[RUN_END] = rows.size


@njit(cache=True)
def advance(
    clock_s: float,
    until_s: float,
    step_s: Reals,
    levels: Counts,
    job_row: Ints,
    job_arrive: Reals,
    job_service: Reals,
    job_class: Ints,
    job_next: Ints,
    job_previous: Ints,
    free: Ints,
    heap_arrive: Reals,
    heap_row: Ints,
    heap_slot: Ints,
    run_slot: Ints,
    class_priority: Ints,
    class_head: Ints,
    class_tail: Ints,
    class_heap: Ints,
    finish_heap: Reals,
    counts: Counts,
    out_row: Ints,
    out_arrive: Reals,
    out_start: Reals,
    out_finish: Reals,
    out_priority: Ints,
) -> int:
    """Run from `clock_s` to `until_s` inclusive; returns how many jobs started, written to `out_*` in order."""
    n_heap = counts[HEAP]
    run = counts[RUN]
    run_end = counts[RUN_END]
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
        while True:
            from_run = False
            if run < run_end:
                slot = run_slot[run]
                from_run = n_heap == 0 or _before(
                    job_arrive[slot], job_row[slot], heap_arrive[0], heap_row[0]
                )
            if from_run:
                if job_arrive[slot] > now:
                    following = job_arrive[slot]
                    break
                run += 1
            else:
                if n_heap == 0:
                    following = np.inf
                    break
                if heap_arrive[0] > now:
                    following = heap_arrive[0]
                    break
                slot = heap_slot[0]
                n_heap -= 1
                arrive = heap_arrive[n_heap]
                row = heap_row[n_heap]
                moved_slot = heap_slot[n_heap]
                # Down to a leaf along the smaller children, then up: the last entry nearly always belongs low.
                at = 0
                child = 1
                while child < n_heap:
                    right = child + 1
                    if right < n_heap and _before(
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
                    if not _before(arrive, row, heap_arrive[parent], heap_row[parent]):
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
            while ahead != NONE and _before(
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
        if n_queued > 0:
            if n_busy > 0 and finish_heap[0] < following:
                following = finish_heap[0]
            if step < n_steps and step_s[step] < following:
                following = step_s[step]
        if following > until_s or following == np.inf:
            if now >= until_s and (n_busy == 0 or finish_heap[0] > now):
                break
            now = until_s  # once more round, to count completions and capacity up to the end
        else:
            now = following
    counts[HEAP] = n_heap
    counts[RUN] = run
    counts[QUEUED] = n_queued
    counts[BUSY] = n_busy
    counts[CLASSES] = n_classes
    counts[FREE] = n_free
    counts[STEP] = step
    return started
