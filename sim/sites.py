"""Every site by the half hour: offered load, throughput, queue, busy time, headroom and space used.

All figures are integrals and counts between bin edges of step functions given by event times, so they are
exact and need no walk through the events: the mean of a queue over a bin is the difference of the integrals
of "arrived so far" and "started so far"; its peak is taken right after each arrival and at the bin's start.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from logistics.clock import LocalClock
from logistics.scenario import Scenario, Shift
from sim.columns import BoolArray, FloatArray, IntArray, Names, RowArray, counts, name_array, names, times
from sim.tables import SCHEMAS

BIN_S = 1800
SITE = "site:"


def run_end(tables: Mapping[str, pa.Table]) -> float:
    """The moment of the last recorded event of a run, at least 0."""
    latest = 0.0
    for table, column in (
        ("parcels", "placed_s"),
        ("parcels", "final_s"),
        ("stages", "finish_s"),
        ("moves", "time_s"),
        ("legs", "leave_s"),
    ):
        values = times(tables[table], column)
        latest = max(latest, float(np.nanmax(values))) if np.isfinite(values).any() else latest
    return latest


def build_sites(scenario: Scenario, tables: Mapping[str, pa.Table]) -> pa.Table:
    """The `sites` table: for every site one row per half hour and stage, and one (stage null) for the
    building.

    In rows of a stage, `arrivals`, `finishes`, the queue, busy and available server seconds are those of the
    stage; `headroom` is how many more parcels the idle servers could have done at the mean service time seen
    (the declared one where none was), null where that is 0. In rows of the building, `arrivals` and
    `finishes` are parcels that came in and left, `space_*` parcels inside, `headroom` the space never used.
    """
    edges = np.arange(0, math.floor(run_end(tables) / BIN_S) + 2, dtype=np.float64) * BIN_S
    stages = tables["stages"]
    site, stage = names(stages, "site"), names(stages, "stage")
    arrive, start, finish = times(stages, "arrive_s"), times(stages, "start_s"), times(stages, "finish_s")
    groups = _Groups(site.codes.astype(np.int64) * (len(stage.names) + 1) + stage.codes)
    inside = Inside(tables)
    clock = LocalClock(scenario.scenario)
    days = clock.day_of(float(edges[-1])) + 1
    site_ids = sorted(place.id for place in scenario.sites)
    stage_ids: list[str] = sorted({step.name for place in scenario.sites for step in place.stages})
    parts: list[dict[str, np.ndarray]] = []
    for place in sorted(scenario.sites, key=lambda each: each.id):
        entered, left = inside.of(place.id)
        building = _Steps(entered, left)
        limit = place.space_parcels
        peak = building.peak(edges)
        parts.append(
            _rows(
                edges,
                site_ids.index(place.id),
                -1,
                arrivals=_per_bin(entered, edges),
                finishes=_per_bin(left, edges),
                space_mean=building.mean(edges),
                space_peak=peak,
                space_limit=None if limit is None else np.full(len(peak), limit),
                headroom=None if limit is None else limit - peak,
            )
        )
        for step in place.stages:
            rows = groups.rows(_key(site, place.id, stage, step.name))
            came, begun, done = np.sort(arrive[rows]), np.sort(start[rows]), np.sort(finish[rows])
            busy = _Steps(begun, done).seconds(edges)
            available = server_seconds(clock, step.shifts, days, edges)
            open_share = 1.0 - _closed_share(scenario, place.id, edges)
            mean_s = float((finish[rows] - start[rows]).mean()) if len(rows) else step.service_s
            idle = np.maximum(available * open_share - busy, 0.0)
            queue = _Steps(came, begun)
            manned = place.manned(step.name)
            parts.append(
                _rows(
                    edges,
                    site_ids.index(place.id),
                    stage_ids.index(step.name),
                    arrivals=_per_bin(came, edges),
                    finishes=_per_bin(done, edges),
                    queue_mean=queue.mean(edges),
                    queue_peak=queue.peak(edges),
                    busy_server_s=busy if manned else None,
                    server_s=available * open_share if manned else None,
                    headroom=np.floor(idle / mean_s + 1e-9) if mean_s > 0 and manned else None,
                )
            )
    return _table(parts, site_ids, stage_ids)


def server_seconds(clock: LocalClock, shifts: list[Shift], days: int, edges: FloatArray) -> FloatArray:
    """(bins,) seconds of servers on shift between the edges, over local days -1 (night shifts) to `days`."""
    result = np.zeros(len(edges) - 1)
    for shift in shifts:
        for day in range(-1, days):
            opens, closes = clock.window(day, shift.window)
            result += shift.workers * _overlap(opens, closes, edges)
    return result


class Inside:
    """When parcels entered and left each site, from the moves between places.

    A move of all that is left of a parcel moves the parcel; a partial cancellation moves units only.
    """

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        moves = tables["moves"]
        self._time = times(moves, "time_s")
        origin, destination = names(moves, "origin"), names(moves, "destination")
        partial = partial_moves(tables["parcels"], moves, destination)
        whole = ~partial
        self._sites = sorted({*origin.names, *destination.names})
        self._sites = [name for name in self._sites if name.startswith(SITE)]
        self._from = _Groups(np.where(whole, origin.mapped(self._sites), -1))
        self._to = _Groups(np.where(whole, destination.mapped(self._sites), -1))

    def of(self, site: str) -> tuple[FloatArray, FloatArray]:
        """Ascending times at which parcels entered the site, and at which they left it."""
        row = self._sites.index(SITE + site) if SITE + site in self._sites else -1
        came, went = self._to.rows(row), self._from.rows(row)
        return np.sort(self._time[came]), np.sort(self._time[went])


def partial_moves(parcels: pa.Table, moves: pa.Table, destination: Names) -> BoolArray:
    """Moves of some of a parcel's units to `cancelled` that leave others of them where they were."""
    parcel, units = counts(moves, "parcel"), counts(moves, "units")
    to_cancelled = destination.where("cancelled")
    partial = np.zeros(len(parcel), dtype=np.bool_)
    rows = np.flatnonzero(to_cancelled)
    if not len(rows):
        return partial
    ordered = np.zeros(int(max(parcel.max(), counts(parcels, "parcel").max())) + 1, dtype=np.int64)
    ordered[counts(parcels, "parcel")] = counts(parcels, "units")
    rows = rows[np.argsort(parcel[rows], kind="stable")]
    gone = np.cumsum(units[rows])
    first = np.flatnonzero(np.diff(parcel[rows], prepend=-1))
    before = np.repeat(np.concatenate(([0], gone[first[1:] - 1])), np.diff(np.append(first, len(rows))))
    partial[rows] = gone - before < ordered[parcel[rows]]
    return partial


class _Groups:
    """Rows of each of many groups, found by one stable sort. Negative keys are of no group."""

    def __init__(self, keys: IntArray | RowArray) -> None:
        members = np.flatnonzero(keys >= 0)
        keys = keys[members]
        small = len(keys) > 0 and int(keys.max()) < np.iinfo(np.int16).max
        # two-byte keys are sorted by radix, in linear time
        order = np.argsort(keys.astype(np.int16) if small else keys, kind="stable")
        self._order: IntArray = members[order]
        self._keys = keys[order]

    def rows(self, key: int) -> IntArray:
        """Rows of the group, ascending."""
        if key < 0:
            return np.zeros(0, dtype=np.int64)
        first, last = np.searchsorted(self._keys, [key, key + 1])
        return self._order[first:last]


class _Steps:
    """The step function that goes up at each of `ups` and down at each of `downs` (both ascending)."""

    def __init__(self, ups: FloatArray, downs: FloatArray) -> None:
        self._ups, self._downs = ups, downs

    def seconds(self, edges: FloatArray) -> FloatArray:
        """(bins,) integral between the edges."""
        integral = np.diff(_area(self._ups, edges) - _area(self._downs, edges))
        seconds: FloatArray = np.maximum(integral, 0.0, dtype=np.float64)
        return seconds.round(6)

    def mean(self, edges: FloatArray) -> FloatArray:
        """(bins,) time average between the edges."""
        mean: FloatArray = self.seconds(edges) / np.diff(edges)
        return mean

    def peak(self, edges: FloatArray) -> IntArray:
        """(bins,) largest value reached, the value carried into the bin included."""
        result = np.searchsorted(self._ups, edges[:-1], "right") - np.searchsorted(
            self._downs, edges[:-1], "right"
        )
        if len(self._ups):
            level = np.arange(1, len(self._ups) + 1) - np.searchsorted(self._downs, self._ups, "right")
            where = np.searchsorted(edges, self._ups, "right") - 1
            known = (where >= 0) & (where < len(result))
            np.maximum.at(result, where[known], level[known])
        return result.astype(np.int64)


def _area(moments: FloatArray, edges: FloatArray) -> FloatArray:
    """Integral from minus infinity to each edge of the count of moments passed."""
    passed = np.searchsorted(moments, edges, "right")
    area: FloatArray = passed * edges - np.concatenate(([0.0], np.cumsum(moments)))[passed]
    return area


def _per_bin(moments: FloatArray, edges: FloatArray) -> IntArray:
    return np.diff(np.searchsorted(moments, edges, "left")).astype(np.int64)


def _overlap(opens: float, closes: float, edges: FloatArray) -> FloatArray:
    overlap: FloatArray = np.maximum(np.minimum(edges[1:], closes) - np.maximum(edges[:-1], opens), 0.0)
    return overlap


def _closed_share(scenario: Scenario, site: str, edges: FloatArray) -> FloatArray:
    closed = np.zeros(len(edges) - 1)
    for disruption in scenario.disruptions:
        if disruption.kind == "site_closed" and disruption.target == site:
            closed += _overlap(scenario.seconds(disruption.starts), scenario.seconds(disruption.ends), edges)
    share: FloatArray = np.minimum(closed / np.diff(edges), 1.0)
    return share


def _key(site: Names, site_id: str, stage: Names, step: str) -> int:
    if site.code(site_id) < 0 or stage.code(step) < 0:
        return -1
    return site.code(site_id) * (len(stage.names) + 1) + stage.code(step)


def _rows(edges: FloatArray, site: int, stage: int, **columns: np.ndarray | None) -> dict[str, np.ndarray]:
    n = len(edges) - 1
    rows: dict[str, np.ndarray] = {
        "site": np.full(n, site, dtype=np.int32),
        "stage": np.full(n, stage, dtype=np.int32),
        "from_s": edges[:-1],
    }
    for field in SCHEMAS["sites"].names[3:]:
        values = columns.get(field)
        rows[field] = np.full(n, np.nan) if values is None else np.asarray(values, dtype=np.float64)
    return rows


def _table(parts: list[dict[str, np.ndarray]], site_ids: list[str], stage_ids: list[str]) -> pa.Table:
    columns: list[pa.Array] = []
    for field in SCHEMAS["sites"]:
        values = np.concatenate([part[field.name] for part in parts])
        if field.name in ("site", "stage"):
            codes: RowArray = values.astype(np.int32)
            columns.append(name_array(codes, site_ids if field.name == "site" else stage_ids))
        else:
            columns.append(pa.array(values, mask=np.isnan(values)).cast(field.type))
    return pa.Table.from_arrays(columns, schema=SCHEMAS["sites"])
