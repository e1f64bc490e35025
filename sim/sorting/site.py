"""The sort stage of a site in the twin, done by the sorter that its scenario declares.

The sorter has a clock of its own that stands still while nobody is on shift or the site is closed; robots then stop
where they are. The stage's shifts say when there is work and what is paid, not how many inductions are staffed. A
chute belongs to a direction of the sort plan (the next site) or, where parcels are delivered from here, to an area;
directions get chutes by the volume of the whole run.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from logistics.tables import RowArray
from sim.draws import KeyArray
from sim.floor import Closure, Incident, shift_profile
from sim.random_streams import Streams
from sim.sorting.belt import CrossBelt
from sim.sorting.disruptions import KINDS, Disruption
from sim.sorting.parcels import FloatArray, IntArray, SortParcels, allot_chutes
from sim.sorting.result import ParcelTimes, SortingResult, blanked
from sim.sorting.robot_floor import RobotSorter
from sim.sorting.surrogate import CurveSorter, fitted
from sim.stations import CapacityProfile, Started
from sim.world import World

PASSES = 2  # a parcel collected by the station that delivers it is sorted there twice


OF_PARCELS = ("missorted", "missort returned")
"""Notes whose number is that of a parcel."""


class Sorter(Protocol):
    """What all sorters have in common."""

    parcels: SortParcels
    times: ParcelTimes

    def submit(self, parcels: IntArray, arrive_s: FloatArray) -> None: ...

    def advance(self, until_s: float) -> None: ...

    def result(self) -> SortingResult: ...


class WorkingHours:
    """Seconds of work and moments of the simulation, each from the other."""

    def __init__(self, profile: CapacityProfile) -> None:
        opens: list[float] = []
        closes: list[float] = []
        for at_s, level in zip(profile.step_s.tolist(), profile.levels.tolist(), strict=True):
            if level > 0 and len(opens) == len(closes):
                opens.append(at_s)
            elif level == 0 and len(opens) > len(closes):
                closes.append(at_s)
        if len(opens) > len(closes):
            closes.append(np.inf)
        self._opens, self._closes = np.array(opens), np.array(closes)
        lengths = self._closes - self._opens
        self._worked = np.concatenate(([0.0], np.cumsum(lengths)[:-1])) if opens else np.empty(0)
        self._ends = self._worked + lengths

    def worked(self, at_s: FloatArray) -> FloatArray:
        """Seconds worked by these moments."""
        if not self._opens.size:
            return np.zeros(np.shape(at_s))
        k = np.maximum(np.searchsorted(self._opens, at_s, side="right") - 1, 0)
        inside = np.clip(at_s - self._opens[k], 0.0, self._closes[k] - self._opens[k])
        found: FloatArray = self._worked[k] + inside
        return found

    def moment(self, worked_s: FloatArray) -> FloatArray:
        """When so much was worked first."""
        k = np.minimum(np.searchsorted(self._ends, worked_s, side="left"), len(self._ends) - 1)
        found: FloatArray = self._opens[k] + (worked_s - self._worked[k])
        return found


class SiteSorting:
    """Parcels in, sorted parcels out, for `sim.floor.SiteFloor`.

    `destination` int64 (parcels of the run,), their directions at this site; `keys` name them in draws of luck.
    """

    def __init__(self, sorter: Sorter, hours: WorkingHours, destination: IntArray, keys: KeyArray) -> None:
        self.sorter = sorter
        self._hours = hours
        self._destination, self._keys = destination, keys
        self._coming: list[tuple[float, int, float]] = []
        self._row = np.empty(len(sorter.parcels), np.int32)
        self._came_s = np.empty(len(sorter.parcels))
        self._told = 0
        self._open: IntArray = np.empty(0, np.int64)

    def enter(self, rows: RowArray, arrive_s: FloatArray) -> None:
        """Parcels come to be sorted, now or later."""
        self.resume(rows, arrive_s, -np.inf)

    def resume(self, rows: RowArray, arrive_s: FloatArray, from_s: float) -> None:
        """They came when they came, and are told to the sorter at `from_s` at the earliest."""
        worked = self._hours.worked(np.maximum(arrive_s, from_s))
        for entry in zip(worked.tolist(), rows.tolist(), arrive_s.tolist(), strict=True):
            heapq.heappush(self._coming, entry)

    def open(self) -> tuple[RowArray, FloatArray]:
        """Parcels that came, or are to come, and are not sorted."""
        _, rows, arrive_s = zip(*sorted(self._coming), strict=True) if self._coming else ((), (), ())
        return (
            np.concatenate((self._row[self._open], np.array(rows, np.int32))),
            np.concatenate((self._came_s[self._open], np.array(arrive_s, np.float64))),
        )

    def advance(self, until_s: float) -> Started:
        """Work up to `until_s` inclusive; the parcels sorted since the last call, in order of their finish."""
        limit = float(self._hours.worked(np.array([until_s]))[0])
        came = []
        while self._coming and self._coming[0][0] <= limit and self._coming[0][2] <= until_s:
            came.append(heapq.heappop(self._coming))
        if came:
            number = np.arange(self._told, self._told + len(came))
            self._told += len(came)
            worked, rows, arrive_s = (np.array(column) for column in zip(*came, strict=True))
            self._row[number], self._came_s[number] = rows, arrive_s
            self.sorter.parcels.destination[number] = self._destination[rows]
            self.sorter.parcels.keys[number] = self._keys[rows]
            self.sorter.submit(number, worked)
            self._open = np.concatenate((self._open, number))
        self.sorter.advance(limit)
        times = self.sorter.times
        ready = times.sorted_s[self._open] <= limit
        done, self._open = self._open[ready], self._open[~ready]
        if not done.size:
            nothing = np.empty(0)
            return Started(np.empty(0, np.int32), nothing, nothing, nothing, np.empty(0, np.int32))
        arrive_s = self._came_s[done]
        start_s = np.maximum(self._hours.moment(times.load_s[done]), arrive_s)
        finish_s = np.minimum(np.maximum(self._hours.moment(times.sorted_s[done]), start_s), until_s)
        turn = np.lexsort((done, finish_s))
        return Started(
            self._row[done][turn],
            arrive_s[turn],
            start_s[turn],
            finish_s[turn],
            np.zeros(done.size, np.int32),
        )

    def incidents(self) -> list[Incident]:
        """The sorter's trace on the clock of the simulation."""
        notes = self.sorter.result().trace
        if not notes:
            return []
        at_s = self._hours.moment(np.array([note.at_s for note in notes])).tolist()
        found = []
        for note, when in zip(notes, at_s, strict=True):
            of_parcel = note.what in OF_PARCELS
            number = None if of_parcel else note.who
            parcel = int(self._row[note.who]) if of_parcel else None
            found.append(Incident(when, note.what, number, parcel, None, note.detail))
        return found

    def errors(self) -> tuple[IntArray, IntArray, IntArray]:
        """Parcels of the run that fell into wrong chutes or were damaged, ascending, and how often each did.

        Of those that left the sorter: a run that goes on sorts the others anew, and tells what happens to them.
        """
        left = np.ones(self._told, np.bool_)
        left[self._open] = False
        number = np.flatnonzero(left)
        rows, times = self._row[number], self.sorter.times
        wrong, harmed = times.missorts[number], times.damaged[number].astype(np.int64)
        affected, place = np.unique(rows, return_inverse=True)
        missorts = np.bincount(place, weights=wrong, minlength=len(affected)).astype(np.int64)
        damaged = np.bincount(place, weights=harmed, minlength=len(affected)).astype(np.int64)
        kept = (missorts > 0) | (damaged > 0)
        return affected[kept].astype(np.int64), missorts[kept], damaged[kept]


def site_sorting(world: World, site: int, days: int, closures: Sequence[Closure]) -> SiteSorting | None:
    """The sorter of a site that declares one, else None; `site` is its row."""
    scenario = world.scenario
    section = scenario.sites[site].sorting
    if section is None:
        return None
    stage = next(stage for stage in scenario.sites[site].stages if stage.name == "sort")
    hours = WorkingHours(shift_profile(stage.shifts, world.clock, days, closures))
    direction, volumes = _directions(world, site)
    number = PASSES * len(world.demand.parcels)
    parcels = SortParcels(np.zeros(number, np.int64), np.zeros(number, np.uint64))
    own = Streams(world.streams.spawn_seed(scenario.sites[site].id, "sorting"))
    troubles = [
        Disruption(
            each.kind,
            each.number,
            *hours.worked(
                np.array([scenario.seconds(each.starts), scenario.seconds(each.ends)], np.float64)
            ).tolist(),
        )
        for each in scenario.disruptions
        if each.kind in KINDS and each.target == scenario.sites[site].id
    ]
    sorter: Sorter
    if section.kind == "cross_belt":
        chutes = allot_chutes(volumes, section.cross_belt.chutes)
        sorter = CrossBelt(section, parcels, chutes, own, troubles)
    elif section.full:
        chutes = allot_chutes(volumes, section.robots.chute_rows * section.robots.chute_columns)
        sorter = RobotSorter(section, parcels, chutes, own, troubles)
    else:
        sorter = CurveSorter(section, parcels, fitted(section, volumes.tolist()), own)
    return SiteSorting(sorter, hours, direction, world.key)


def _directions(world: World, site: int) -> tuple[IntArray, IntArray]:
    """Of each parcel, the number of its direction from here; and the parcels of each direction in the whole run."""
    onward = world.sort_plan.next_site[site, world.area, world.service].astype(np.int64)
    areas = len(world.scenario.areas)
    # Directions are next sites; a site's own deliveries go by area.
    code = np.where(onward == site, world.area, areas + onward)
    passes = onward >= 0
    known, number = np.unique(code[passes], return_inverse=True)
    direction = np.zeros(len(code), np.int64)
    direction[passes] = number
    volumes = np.bincount(number, minlength=max(1, len(known))).astype(np.int64)
    return direction, np.maximum(volumes, 1)


def sorter_figures(world: World) -> dict[str, dict[str, Any]]:
    """Site -> key figures of its sorter and, of robots simulated in full, traffic and waiting by cell (None: no
    floor), plain values for the manifest."""
    found: dict[str, dict[str, Any]] = {}
    for row, floor in world.floors.items():
        if not isinstance(floor.sorting, SiteSorting):
            continue
        sorter = floor.sorting.sorter
        result = sorter.result()
        entry: dict[str, Any] = {
            "kpis": {name: value for name, value in result.kpis().items() if np.isfinite(value)}
        }
        if isinstance(sorter, RobotSorter) and result.traffic is not None and result.waited is not None:
            grid = sorter.layout.grid
            free = grid.free.reshape(grid.height, grid.width)
            for name, values in (("traffic", result.traffic), ("waited", result.waited)):
                entry[name] = blanked(values, free)
        found[world.scenario.sites[row].id] = entry
    return found
