"""The inside of a site: its stages in line, the parcels sorted and waiting to leave, and its docks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import simpy

from logistics.clock import LocalClock
from logistics.scenario import Shift, SiteSection, StageSection
from logistics.tables import FloatArray, RowArray
from sim.stations import CapacityProfile, StageStep, Started, Station, StationChain

Closure = tuple[float, float]
Service = Callable[[StageSection, RowArray], FloatArray]


def shift_profile(
    shifts: Sequence[Shift], clock: LocalClock, days: int, closures: Sequence[Closure]
) -> CapacityProfile:
    """Servers over the horizon from its local shifts, none while the site is closed."""
    changes: dict[float, int] = defaultdict(int)
    for day in range(-1, days):
        for shift in shifts:
            opens, closes = clock.window(day, shift.window)
            changes[float(max(0, opens))] += shift.workers
            changes[float(max(0, closes))] -= shift.workers
    for opens_s, closes_s in closures:
        changes[max(0.0, opens_s)] += 0
        changes[max(0.0, closes_s)] += 0
    steps = np.array(sorted({0.0, *changes}), dtype=np.float64)
    levels = np.cumsum([changes.get(float(s), 0) for s in steps]).astype(np.int64)
    for opens_s, closes_s in closures:
        levels[(steps >= opens_s) & (steps < closes_s)] = 0
    return CapacityProfile(steps, levels)


@dataclass(frozen=True, slots=True)
class Incident:
    """A row of the table `incidents`, but for the site."""

    time_s: float
    what: str
    number: int | None
    parcel: int | None
    item: str | None
    detail: str


class Inside(Protocol):
    """What works in place of a stage; see `sim.warehouse.site` and `sim.sorting.site`."""

    def enter(self, rows: RowArray, arrive_s: FloatArray) -> None: ...

    def advance(self, until_s: float) -> Started: ...

    def open(self) -> tuple[RowArray, FloatArray]:
        """Parcels that came, or are to come, and are not done; when each came or will come."""
        ...

    def resume(self, rows: RowArray, arrive_s: FloatArray, from_s: float) -> None:
        """Take in what another run left open, from `from_s` on; what was begun there begins anew."""
        ...

    def incidents(self) -> list[Incident]:
        """What happened beyond the usual work, in order of time."""
        ...


class SiteFloor:
    """A site with work to do. Parcels enter at a stage, pass the rest in order and wait for their next site.

    With `picking`, parcels that come to be picked go there, and what it finishes arrives at the next stage. With
    `sorting`, parcels that come to be sorted go there; it is the only stage of its site.
    """

    def __init__(
        self,
        env: simpy.Environment,
        site: SiteSection,
        clock: LocalClock,
        days: int,
        closures: Sequence[Closure],
        service: Service,
        priority: RowArray,
        picking: Inside | None = None,
        sorting: Inside | None = None,
    ) -> None:
        self.site = site
        self.picking = picking
        self.sorting = sorting
        self.closures = tuple(closures)
        self.docks = simpy.Resource(env, capacity=site.docks)
        self.stages = tuple(site.stages)
        self._priority = priority
        self.chain = StationChain(
            [
                Station(f"{site.id}.{s.name}", shift_profile(s.shifts, clock, days, closures), s.transfer_s)
                for s in self.stages
            ],
            lambda k, rows: service(self.stages[k], rows),
        )
        self._outbound: dict[int, list[tuple[RowArray, FloatArray]]] = defaultdict(list)

    @property
    def capacities(self) -> dict[str, CapacityProfile]:
        """Servers over time of each stage by name."""
        return {s.name: station.capacity for s, station in zip(self.stages, self.chain.stations, strict=True)}

    def stage_number(self, name: str) -> int:
        return next(k for k, stage in enumerate(self.stages) if stage.name == name)

    def machine(self, stage: str) -> Inside | None:
        """What works in place of a stage, if anything does."""
        return {"pick": self.picking, "sort": self.sorting}.get(stage)

    def enter(self, rows: RowArray, arrive_s: FloatArray, stage: str) -> None:
        """Parcels arrive at a stage, now or later."""
        machine = self.machine(stage)
        if machine is not None:
            machine.enter(rows, arrive_s)
        elif len(rows):
            self.chain.submit(rows, arrive_s, self._priority[rows], self.stage_number(stage))

    def advance(self, until_s: float) -> tuple[StageStep, ...]:
        """Work on to a moment; the steps say what was started and finished at each stage."""
        steps = []
        for name in ("pick", "sort"):
            machine = self.machine(name)
            if machine is None:
                continue
            done, stage = machine.advance(until_s), self.stage_number(name)
            if stage + 1 < len(self.stages) and len(done):
                arrive_s = done.finish_s + self.stages[stage].transfer_s
                self.chain.submit(done.rows, arrive_s, self._priority[done.rows], stage + 1)
            steps.append(StageStep(stage, done, done.rows, done.finish_s))
        # The chain's own stage of that name is empty but for what people of an earlier run had begun.
        return (*steps, *self.chain.advance(until_s))

    def put_outbound(self, next_site: int, rows: RowArray, ready_s: FloatArray) -> None:
        """Sorted parcels wait for a truck to `next_site`."""
        if len(rows):
            self._outbound[next_site].append((rows, ready_s))

    @property
    def outbound_sites(self) -> list[int]:
        """Next sites for which parcels may wait, ascending."""
        return sorted(self._outbound)

    def waiting_for(self, next_site: int) -> tuple[RowArray, FloatArray]:
        """Parcels that wait for a truck to a site and since when, the urgent first, then in order of waiting."""
        parts = self._outbound.get(next_site)
        if not parts:
            return np.empty(0, dtype=np.int32), np.empty(0)
        rows = np.concatenate([p[0] for p in parts])
        ready = np.concatenate([p[1] for p in parts])
        order = np.lexsort((rows, ready, self._priority[rows]))
        return rows[order], ready[order]

    def take_outbound(self, next_site: int, taken: RowArray) -> None:
        """These parcels left for `next_site`."""
        rows, ready = self.waiting_for(next_site)
        kept = ~np.isin(rows, taken)
        self._outbound[next_site] = [(rows[kept], ready[kept])]

    def closed_until(self, at_s: float) -> float:
        """When the site opens again; `at_s` itself if it is open."""
        for opens_s, closes_s in sorted(self.closures):
            if opens_s <= at_s < closes_s:
                at_s = closes_s
        return at_s
