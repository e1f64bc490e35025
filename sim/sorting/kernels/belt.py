"""The cross-belt loop, one cell's length a step.

Cell j of the loop stands at place (j + step) mod cells. At each step, in the order of the loop: chutes take what is
theirs, then inductions put the first parcel of their queues on empty cells.
"""

from __future__ import annotations

from numba import njit

from sim.sorting.kernels.heap import pop, push

# Slots of `state`.
STEP, NEXT, ON_BELT, WAITING, SORTED, RETURNED, HEAP = range(7)


@njit(cache=True)
def shut(resource, now, closure_next, closure_end, closed_from, closed_to):
    """Whether a declared closing of a chute or (numbered after them) an induction holds; passes over the past."""
    while closure_next[resource] < closure_end[resource] and closed_to[closure_next[resource]] <= now:
        closure_next[resource] += 1
    at = closure_next[resource]
    return at < closure_end[resource] and closed_from[at] <= now


@njit(cache=True)
def run(
    last,
    dt,
    state,
    cell,
    induction_at,
    chute_at,
    chutes_of,
    first_chute,
    destination,
    arrive_s,
    queue_of,
    queue_next,
    queue_head,
    queue_tail,
    queue_size,
    ready_s,
    induct_s,
    closure_next,
    closure_end,
    closed_from,
    closed_to,
    blocked_count,
    capacity,
    exchange_s,
    inside,
    exchange_end,
    taken,
    closed_steps,
    busy_s,
    level_steps,
    wrong_chute,
    damaged_drop,
    found_s,
    load_s,
    sorted_s,
    fell_into,
    refusals,
    missorts,
    damaged,
    came_s,
    heap_key,
    heap_value,
):
    """Steps until `last`; see `sim.sorting.belt` for the arrays."""
    cells = len(cell)
    chutes = len(chute_at)
    inductions = len(induction_at)
    parcels = len(destination)
    while state[STEP] < last:
        step = state[STEP]
        now = step * dt
        # what comes now, new or found in a wrong chute
        while True:
            again = state[HEAP] > 0 and heap_key[0] <= now + 1e-9
            if again:
                parcel = pop(heap_key, heap_value, state, HEAP)
                state[RETURNED] += 1
            elif state[NEXT] < parcels and arrive_s[state[NEXT]] <= now + 1e-9:
                parcel = state[NEXT]
                state[NEXT] += 1
            else:
                break
            best = queue_of[parcel]
            for k in range(inductions):
                if shut(chutes + k, now, closure_next, closure_end, closed_from, closed_to):
                    continue
                open_best = not shut(chutes + best, now, closure_next, closure_end, closed_from, closed_to)
                if not open_best or queue_size[k] < queue_size[best]:
                    best = k
            came_s[parcel] = now
            queue_next[parcel] = -1
            if queue_size[best] == 0:
                queue_head[best] = parcel
            else:
                queue_next[queue_tail[best]] = parcel
            queue_tail[best] = parcel
            queue_size[best] += 1
            state[WAITING] += 1
        shift = step % cells
        for c in range(chutes):
            if exchange_end[c] >= 0.0 and exchange_end[c] <= now + 1e-9:
                exchange_end[c] = -1.0
                inside[c] = 0
            closed = exchange_end[c] >= 0.0 or shut(c, now, closure_next, closure_end, closed_from, closed_to)
            if closed:
                closed_steps[c] += 1
            at = (chute_at[c] - shift) % cells
            parcel = cell[at]
            if parcel < 0:
                continue
            wrong = wrong_chute[parcel]
            if wrong >= 0:
                if wrong != c:
                    continue
            else:
                mine = False
                d = destination[parcel]
                for i in range(first_chute[d], first_chute[d + 1]):
                    mine = mine or chutes_of[i] == c
                if not mine:
                    continue
            if closed:
                refusals[parcel] += 1
                continue
            cell[at] = -1
            state[ON_BELT] -= 1
            fell_into[parcel] = c
            taken[c] += 1
            inside[c] += 1
            if damaged_drop[parcel]:
                damaged[parcel] = True
            if wrong >= 0:
                # sorted anew when found, and then rightly
                wrong_chute[parcel] = -1
                missorts[parcel] += 1
                push(heap_key, heap_value, state, HEAP, now + found_s, parcel)
            else:
                sorted_s[parcel] = now
                state[SORTED] += 1
            if inside[c] >= capacity:
                exchange_end[c] = now + exchange_s
        for k in range(inductions):
            level_steps[k] += queue_size[k]
            if queue_size[k] == 0 or ready_s[k] > now + 1e-9:
                continue
            if shut(chutes + k, now, closure_next, closure_end, closed_from, closed_to):
                continue
            at = (induction_at[k] - shift) % cells
            if cell[at] >= 0:
                blocked_count[k] += 1
                continue
            parcel = queue_head[k]
            queue_head[k] = queue_next[parcel]
            queue_size[k] -= 1
            state[WAITING] -= 1
            cell[at] = parcel
            state[ON_BELT] += 1
            load_s[parcel] = now
            # the next one is put in place while the loop goes on
            ready_s[k] = now + induct_s[parcel]
            busy_s[k] += induct_s[parcel]
        state[STEP] += 1
