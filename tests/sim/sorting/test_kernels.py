"""Kernels against plain Python: the heap against `heapq`, the loop against objects on it, the counts of a step."""

from __future__ import annotations

import heapq
import math
from collections import deque

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from logistics.sorting import ChutesSection, CrossBeltSection, ErrorsSection, SortingSection
from sim.random_streams import Streams
from sim.robots.problem import FORWARD, WAIT
from sim.sorting.belt import CrossBelt
from sim.sorting.disruptions import Disruption
from sim.sorting.kernels.heap import pop, push
from sim.sorting.kernels.robots import anybody_moves, count_step
from sim.sorting.parcels import SortParcels


@given(st.lists(st.one_of(st.integers(0, 5), st.none()), max_size=60))
def test_the_heap_is_one(wanted: list[int | None]) -> None:
    keys, values, state = np.zeros(61), np.zeros(61, np.int64), np.zeros(1, np.int64)
    known: list[tuple[float, int]] = []
    for number, key in enumerate(wanted):
        if key is not None:
            push(keys, values, state, 0, float(key), number)
            heapq.heappush(known, (float(key), number))
        elif known:
            assert pop(keys, values, state, 0) == heapq.heappop(known)[1]
    assert state[0] == len(known)


def _by_hand(
    belt: CrossBelt, arrive_s: np.ndarray, own: list[list[int]], blocks: list[Disruption]
) -> np.ndarray:
    """When each parcel is sorted: a loop that is turned by hand, parcel by parcel (no missorts)."""
    cells, chutes, dt = len(belt._cell), belt.own.chutes, belt.dt
    loop: deque[int | None] = deque([None] * cells)  # loop[place] is what stands there now
    queues: list[deque[int]] = [deque() for _ in belt._induction_at]
    ready = [0.0] * len(queues)
    inside, shut_until = [0] * chutes, [-1.0] * chutes
    done, coming, step = np.full(len(arrive_s), np.nan), 0, 0

    def blocked(kind: str, number: int, now: float) -> bool:
        return any(b.kind == kind and b.target == number and b.from_s <= now < b.to_s for b in blocks)

    while np.isnan(done).any() and step < 200_000:
        now = step * dt
        while coming < len(arrive_s) and arrive_s[coming] <= now + 1e-9:
            open_ones = [k for k in range(len(queues)) if not blocked("induction_closed", k, now)] or [0]
            queues[min(open_ones, key=lambda k: (len(queues[k]), k))].append(coming)
            coming += 1
        for c in range(chutes):
            if shut_until[c] >= 0 and shut_until[c] <= now + 1e-9:
                shut_until[c], inside[c] = -1.0, 0
            parcel = loop[int(belt._chute_at[c])]
            if parcel is None or c not in own[int(belt.parcels.destination[parcel])]:
                continue
            if shut_until[c] >= 0 or blocked("chute_blocked", c, now):
                continue
            loop[int(belt._chute_at[c])] = None
            done[parcel] = now
            inside[c] += 1
            if inside[c] >= belt.section.chutes.capacity_parcels:
                shut_until[c] = now + belt.section.chutes.exchange_s
        for k, queue in enumerate(queues):
            place = int(belt._induction_at[k])
            if (
                queue
                and ready[k] <= now + 1e-9
                and not blocked("induction_closed", k, now)
                and loop[place] is None
            ):
                loop[place] = queue.popleft()
                ready[k] = now + belt._induct_s[loop[place]]
        loop.rotate(1)
        step += 1
    return done


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_loop_is_that_of_objects(seed: int) -> None:
    draw = np.random.default_rng(seed)
    chutes, inductions = int(draw.integers(2, 7)), int(draw.integers(1, 4))
    section = SortingSection(
        kind="cross_belt",
        cross_belt=CrossBeltSection(
            length_m=float(chutes + inductions + draw.integers(0, 9)),
            pitch_m=1.0,
            speed_mps=2.0,
            inductions=inductions,
            chutes=chutes,
            induct_s=1.7,
        ),
        chutes=ChutesSection(capacity_parcels=int(draw.integers(1, 6)), exchange_s=7.3),
        errors=ErrorsSection(missort=0.0),
    )
    destinations = int(draw.integers(1, chutes + 1))
    own = [[c for c in range(chutes) if c % destinations == d] for d in range(destinations)]
    blocks = [
        Disruption("chute_blocked", int(draw.integers(0, chutes)), 5.2, 40.1),
        Disruption("chute_blocked", 0, 60.0, 75.5),
        Disruption("induction_closed", int(draw.integers(0, inductions)), 10.0, 30.0),
    ]
    arrive_s = np.sort(draw.uniform(0, 60, 50))
    parcels = SortParcels.of(draw.integers(0, destinations, 50))
    belt = CrossBelt(section, parcels, [np.array(each) for each in own], Streams(seed), blocks)
    belt.submit(np.arange(50), arrive_s)
    belt.run()
    known = _by_hand(belt, arrive_s, own, blocks)
    assert np.allclose(belt.times.sorted_s, known)
    assert not math.isnan(float(known.max()))


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
@settings(max_examples=50, deadline=None)
def test_a_step_is_counted_as_by_masks(seed: int, robots: int) -> None:
    draw = np.random.default_rng(seed)
    before, here = (draw.permutation(20)[:robots].astype(np.int32) for _ in range(2))
    target = np.where(draw.random(robots) < 0.5, here, 0).astype(np.int32)
    done, state = draw.integers(0, 4, robots).astype(np.uint8), draw.integers(0, 4, robots)
    stopped, moving = draw.random(robots) < 0.3, draw.random(5) < 0.5
    traffic, waited, steps, arrived = (np.zeros(n, np.int64) for n in (20, 20, 5, robots))
    battery = np.ones(robots)
    n = count_step(
        before, here, done, state, stopped, moving, target, 0.25, battery, traffic, waited, steps, arrived
    )
    assert battery.tolist() == np.where(done != WAIT, 0.75, 1.0).tolist()
    drives = moving[state] & ~stopped
    assert anybody_moves(state, stopped, moving) == drives.any()
    assert np.flatnonzero(traffic).tolist() == sorted(here[done == FORWARD].tolist())
    assert np.flatnonzero(waited).tolist() == sorted(before[(done == WAIT) & drives].tolist())
    assert steps.tolist() == np.bincount(np.where(stopped, 4, state), minlength=5).tolist()
    assert arrived[:n].tolist() == np.flatnonzero((here == target) & drives).tolist()
