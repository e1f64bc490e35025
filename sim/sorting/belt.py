"""The cross-belt sorter: a loop of cells past inductions and chutes. A parcel whose chute is closed goes round.

Simulated in full, always: a day of 200,000 parcels takes seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from logistics.sorting import CrossBeltSection, SortingSection, belt_cells
from sim.draws import RowDraws
from sim.random_streams import Streams
from sim.sorting.disruptions import Disruption, Note
from sim.sorting.kernels import belt as kernel
from sim.sorting.parcels import HOUR_S, NONE, FloatArray, IntArray, SortParcels
from sim.sorting.result import ParcelTimes, SortingResult


def throughput_bound(section: CrossBeltSection, fill: float = 1.0) -> float:
    """Parcels an hour: cells that pass a point, as far as they are filled."""
    return section.speed_mps / section.pitch_m * fill * HOUR_S


class CrossBelt:
    """Built once; `submit` tells what comes, `advance` works up to a moment, `result` tells what happened.

    Inductions stand evenly along the loop, each before its share of the chutes.

    Raises `ValueError` where chutes and inductions outnumber the cells, or for a disruption of a robot.
    """

    def __init__(
        self,
        section: SortingSection,
        parcels: SortParcels,
        chutes_of: Sequence[IntArray],
        streams: Streams,
        disruptions: Sequence[Disruption] = (),
    ) -> None:
        own = self.own = section.cross_belt
        self.section = section
        self.parcels = parcels
        cells = belt_cells(own)
        if own.chutes + own.inductions > cells:
            raise ValueError(
                f"{own.chutes} chutes and {own.inductions} inductions, and the loop has {cells} cells; make it "
                "longer, or its cells smaller"
            )
        n = len(parcels)
        self.dt = own.pitch_m / own.speed_mps
        self.times = ParcelTimes.of(n)
        places = np.floor(np.arange(own.chutes + own.inductions) * cells / (own.chutes + own.inductions))
        turn = np.floor(np.arange(own.inductions) * (own.chutes + own.inductions) / own.inductions).astype(
            int
        )
        is_induction = np.zeros(len(places), np.bool_)
        is_induction[turn] = True
        self._induction_at = places[is_induction].astype(np.int64)
        self._chute_at = places[~is_induction].astype(np.int64)
        sizes = [len(each) for each in chutes_of]
        self._first = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        self._chutes = np.concatenate([np.asarray(each, np.int64) for each in chutes_of])
        self._draws = {
            purpose: RowDraws(streams, "sorting", purpose)
            for purpose in ("load", "missort", "wrong", "damage")
        }
        self._chutes_of = [set(each.tolist()) for each in chutes_of]
        self._wrong, self._damage, self._induct_s = (
            np.full(n, NONE, np.int64),
            np.zeros(n, np.bool_),
            np.zeros(n),
        )
        self._state = np.zeros(7, np.int64)
        self._cell = np.full(cells, NONE, np.int64)
        self._queue_next = np.full(n, NONE, np.int64)
        self._queue_head, self._queue_tail, self._queue_size = (
            np.full(own.inductions, value, np.int64) for value in (NONE, NONE, 0)
        )
        self._ready_s, self.busy_s = np.zeros(own.inductions), np.zeros(own.inductions)
        self.level_steps, self.met_full = (np.zeros(own.inductions, np.int64) for _ in range(2))
        self._inside, self.taken, self.closed_steps = (np.zeros(own.chutes, np.int64) for _ in range(3))
        self._exchange_end = np.full(own.chutes, -1.0)
        self.came_s = np.full(n, np.nan)
        self._arrive_s = np.full(n, np.inf)
        self._order = np.empty(0, np.int64)
        self._heap = np.zeros(n + 1), np.zeros(n + 1, np.int64)
        self.trace: list[Note] = []
        self._closures = self._declare(disruptions)

    def _declare(
        self, disruptions: Sequence[Disruption]
    ) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
        """Closings of chutes, then of inductions: where each one's begin and end, and their moments."""
        kinds = {
            "chute_blocked": (0, self.own.chutes),
            "induction_closed": (self.own.chutes, self.own.inductions),
        }
        spans: list[list[list[float]]] = [[] for _ in range(self.own.chutes + self.own.inductions)]
        for each in sorted(disruptions, key=lambda d: d.from_s):
            if each.kind not in kinds:
                raise ValueError(f"{each.kind} of {each.target}: a cross-belt has no robots")
            first, number = kinds[each.kind]
            if each.target >= number:
                raise ValueError(f"{each.kind} of {each.target}, and there are {number}")
            own = spans[first + each.target]
            if own and each.from_s <= own[-1][1]:
                own[-1][1] = max(own[-1][1], each.to_s)
            else:
                own.append([each.from_s, each.to_s])
            what = each.kind.replace("_", " ")
            self.trace += [
                Note(each.from_s, what, each.target),
                Note(each.to_s, f"{what} no more", each.target),
            ]
        self.trace.sort(key=lambda note: note.at_s)
        ends = np.cumsum([len(own) for own in spans]).astype(np.int64)
        flat = np.array([span for own in spans for span in own], np.float64).reshape(-1, 2)
        return (ends - np.diff(ends, prepend=0)).astype(np.int64), ends, flat[:, 0].copy(), flat[:, 1].copy()

    @property
    def now_s(self) -> float:
        return float(self._state[kernel.STEP] * self.dt)

    @property
    def open_parcels(self) -> int:
        """Parcels told of that are not sorted."""
        return int((~np.isnan(self.times.arrive_s) & np.isnan(self.times.sorted_s)).sum())

    def submit(self, parcels: IntArray, arrive_s: FloatArray) -> None:
        """Parcels come, ascending in time and in number from the last one told.

        Raises `ValueError` otherwise.
        """
        told = len(self._order)
        if not np.array_equal(parcels, np.arange(told, told + len(parcels))):
            raise ValueError("the parcels of a cross-belt are numbered in the order in which they come")
        self._order = np.arange(told + len(parcels))
        self.times.arrive_s[parcels] = arrive_s
        self._arrive_s[parcels] = arrive_s
        keys, errors = self.parcels.keys[parcels], self.section.errors
        self._induct_s[parcels] = self.own.induct_s * self._draws["load"].multiplier(keys, self.own.induct_cv)
        self._damage[parcels] = self._draws["damage"].uniform(keys) < errors.damage
        missorted = self._draws["missort"].uniform(keys) < errors.missort
        wrong = (self._draws["wrong"].uniform(keys) * self.own.chutes).astype(np.int64)
        for at in np.flatnonzero(missorted).tolist():
            parcel = int(parcels[at])
            if int(wrong[at]) not in self._chutes_of[int(self.parcels.destination[parcel])]:
                self._wrong[parcel] = wrong[at]

    def advance(self, until_s: float) -> None:
        """Do all steps that end by `until_s`."""
        state, times = self._state, self.times
        last = math.floor(until_s / self.dt + 1e-9)
        idle = state[kernel.WAITING] + state[kernel.ON_BELT] == 0
        coming = (
            [float(self._arrive_s[state[kernel.NEXT]])] if state[kernel.NEXT] < len(self._arrive_s) else []
        )
        coming += [float(self._heap[0][0])] if state[kernel.HEAP] else []
        if idle and min(coming, default=math.inf) > until_s:
            # nothing on the loop and nothing to come: only containers are exchanged
            state[kernel.STEP] = max(int(state[kernel.STEP]), last)
            return
        kernel.run(
            last, self.dt, state, self._cell, self._induction_at, self._chute_at, self._chutes, self._first,
            self.parcels.destination, self._arrive_s, np.zeros(len(self.parcels), np.int64), self._queue_next,
            self._queue_head, self._queue_tail, self._queue_size, self._ready_s, self._induct_s, *self._closures,
            self.met_full, self.section.chutes.capacity_parcels, self.section.chutes.exchange_s,
            self._inside, self._exchange_end, self.taken, self.closed_steps, self.busy_s, self.level_steps,
            self._wrong, self._damage, self.section.errors.missort_found_s, times.load_s, times.sorted_s,
            times.chute, times.refusals, times.missorts, times.damaged, self.came_s, *self._heap,
        )  # fmt: skip

    def run(self, limit_s: float = math.inf) -> SortingResult:
        """Work until all that was told is sorted, at most to `limit_s`."""
        while self.open_parcels and self.now_s < limit_s:
            self.advance(min(limit_s, self.now_s + HOUR_S))
        return self.result()

    def audit(self) -> None:
        """Raise `AssertionError` unless every parcel that came is in exactly one place, by what the places hold."""
        state = self._state
        on_belt = self._cell[self._cell != NONE]
        queued = []
        for k, size in enumerate(self._queue_size.tolist()):
            parcel = int(self._queue_head[k])
            for _ in range(size):
                queued.append(parcel)
                parcel = int(self._queue_next[parcel])
        wrong = self._heap[1][: state[kernel.HEAP]]
        done = np.flatnonzero(~np.isnan(self.times.sorted_s))
        everywhere = np.concatenate((on_belt, np.array(queued, np.int64), wrong, done))
        assert np.array_equal(np.sort(everywhere), np.flatnonzero(~np.isnan(self.came_s))), "parcels"
        fallen = int(self.taken.sum()) - int(state[kernel.RETURNED])
        assert fallen == len(done) + len(wrong), "units"

    def result(self) -> SortingResult:
        own, times, span = self.own, self.times, max(self.now_s, 1e-9)
        times.returned = int(self._state[kernel.RETURNED])
        loaded = ~np.isnan(times.load_s) & (times.missorts == 0)
        stays = {"inductions": (self.came_s[loaded], times.load_s[loaded], times.load_s[loaded] + self.dt)}
        errors = self.section.errors
        steps = max(1, int(self._state[kernel.STEP]))
        figures = {
            "utilisation_inductions_pct": 100.0 * float(self.busy_s.sum()) / (span * own.inductions),
            "inductions_held_up_pct": 100.0 * float(self.met_full.sum()) / (steps * own.inductions),
            "chutes_closed_pct": 100.0 * float(self.closed_steps.sum()) / (steps * own.chutes),
            "bound_per_h": throughput_bound(own),
        }
        return SortingResult(
            times, stays, list(self.trace), self.now_s, errors.missort_minor, errors.damage_minor, figures
        )
