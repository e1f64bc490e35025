"""Stations: several servers, priorities and shifts over parcel rows, exact in whatever steps time advances.

A `Station` is one stage of work (picking, packing, sorting, a row of dock doors). A `StationChain` is a line of
them, where what one finishes arrives at the next. Both are told how far to go with `advance(until_s)`; a run cut
into any steps gives the same times as a run in one, as long as jobs are submitted before their arrival is passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.kernels import stations as kernel

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]

DAY_S = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class CapacityProfile:
    """Servers over time: `levels[i]` from `step_s[i]` until `step_s[i + 1]`, none before the first step.

    `step_s` float64, strictly ascending, seconds; `levels` int64, not negative. Raises `ValueError` otherwise.
    """

    step_s: FloatArray
    levels: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.step_s.ndim != 1 or self.step_s.shape != self.levels.shape or not self.step_s.size:
            raise ValueError(
                f"{self.step_s.shape} steps and {self.levels.shape} levels; give one level to each of at least "
                "one step"
            )
        if not np.isfinite(self.step_s).all() or (np.diff(self.step_s) <= 0).any():
            raise ValueError("the steps of a capacity profile must be finite and ascend strictly")
        if (self.levels < 0).any():
            raise ValueError(f"{self.levels.min()} servers; a capacity is zero or more")

    @classmethod
    def constant(cls, servers: int, from_s: float = 0.0) -> CapacityProfile:
        """The same number of servers from `from_s` on, for ever."""
        return cls(np.array([from_s], np.float64), np.array([servers], np.int64))

    @classmethod
    def of_shifts(
        cls,
        shifts: Iterable[tuple[float, float, int]],
        horizon_days: int,
        closures: Iterable[tuple[float, float, int | None]] = (),
    ) -> CapacityProfile:
        """Daily shifts repeated over days 0 to `horizon_days - 1`, less what closures take away.

        A shift is (from, to, servers) in seconds of the day; one with `to <= from` ends on the next day, and day
        0 begins with the night shift of the day before. Overlapping shifts add up. A closure is (from_s, to_s,
        servers lost, None for all) in seconds of the simulation: holidays, breakdowns, breaks.
        """
        if horizon_days < 1:
            raise ValueError(f"horizon of {horizon_days} days; at least 1 is needed")
        changes: list[tuple[float, int]] = [(0.0, 0)]
        for start, end, servers in shifts:
            if not 0 <= start < DAY_S or end < 0 or end > start + DAY_S or servers < 0:
                raise ValueError(
                    f"shift from {start} to {end} with {servers} servers; give a start in [0, {DAY_S}), an end "
                    "at most a day later and no negative number of servers"
                )
            length = end - start if end > start else end - start + DAY_S
            for day in range(-1, horizon_days):
                opening = day * DAY_S + start
                if opening + length > 0:
                    changes.append((max(0.0, float(opening)), servers))
                    changes.append((float(opening + length), -servers))
        lost: list[tuple[float, int, int]] = []
        for start, end, servers_lost in closures:
            if end < start or (servers_lost is not None and servers_lost < 0):
                raise ValueError(
                    f"closure from {start} to {end} with {servers_lost} servers lost; it must not end before it "
                    "begins nor lose a negative number"
                )
            number, everything = (0, 1) if servers_lost is None else (servers_lost, 0)
            lost.append((float(start), number, everything))
            lost.append((float(end), -number, -everything))

        step_s = np.unique([time for time, _ in changes] + [max(0.0, time) for time, _, _ in lost])
        present, absent, closed = (np.zeros(step_s.size, np.int64) for _ in range(3))
        for time, number in changes:
            present[np.searchsorted(step_s, time)] += number
        for time, number, everything in lost:
            at = np.searchsorted(step_s, max(0.0, time))
            absent[at] += number
            closed[at] += everything
        levels = np.maximum(0, np.cumsum(present) - np.cumsum(absent))
        levels[np.cumsum(closed) > 0] = 0
        kept = np.concatenate(([True], np.diff(levels) != 0))
        return cls(step_s[kept], levels[kept])

    def level_at(self, time_s: float) -> int:
        """Servers present at `time_s` (a step counts from its very moment)."""
        at = int(np.searchsorted(self.step_s, time_s, side="right")) - 1
        return int(self.levels[at]) if at >= 0 else 0

    def server_seconds(self, from_s: float, to_s: float) -> float:
        """Servers times seconds in [`from_s`, `to_s`]: the denominator of utilisation."""
        begin = np.clip(self.step_s, from_s, to_s)
        end = np.clip(np.append(self.step_s[1:], np.inf), from_s, to_s)
        return float(self.levels @ (end - begin))


@dataclass(frozen=True, slots=True, eq=False)
class Started:
    """Jobs whose service began, in that order; parallel arrays. `finish_s` may lie ahead of the clock."""

    rows: IntArray
    arrive_s: FloatArray
    start_s: FloatArray
    finish_s: FloatArray
    priority: IntArray

    def __len__(self) -> int:
        return int(self.rows.size)


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """Jobs that have not started; parallel arrays."""

    rows: IntArray
    arrive_s: FloatArray
    service_s: FloatArray
    priority: IntArray


class Station:
    """Servers with one line in front: at any moment at most as many jobs in service as the capacity then says.

    Non-preemptive: when capacity falls, jobs in service finish, and none starts until fewer are in service than
    servers present. The next job is the one with the lowest priority number, then the earliest arrival, then the
    lowest row. At one instant completions free servers first, then arrivals join, then starts are decided.

    `transfer_s` is the way from here to the next station of a `StationChain`.
    """

    def __init__(self, name: str, capacity: CapacityProfile, transfer_s: float = 0.0) -> None:
        if not (np.isfinite(transfer_s) and transfer_s >= 0):
            raise ValueError(
                f"station {name}: transfer of {transfer_s} s; it must be finite and not negative"
            )
        self.name = name
        self.capacity = capacity
        self.transfer_s = transfer_s
        self.clock_s = -np.inf
        self._counts = np.zeros(kernel.N_COUNTS, np.int64)
        self._finish_heap = np.empty(max(1, int(capacity.levels.max())), np.float64)
        self._class_of: dict[int, int] = {}
        self._class_priority, self._class_head, self._class_tail, self._class_heap = (
            np.full(4, kernel.NONE, np.int32) for _ in range(4)
        )
        (
            self._row,
            self._class,
            self._next,
            self._previous,
            self._free,
            self._heap_row,
            self._heap_slot,
            self._run_slot,
        ) = (np.empty(0, np.int32) for _ in range(8))
        self._arrive, self._service, self._heap_arrive = (np.empty(0, np.float64) for _ in range(3))
        self._slots = 0
        self._allocate(16)

    @property
    def in_queue(self) -> int:
        """Jobs that had arrived and not started at the last advance."""
        return int(self._counts[kernel.QUEUED])

    @property
    def in_service(self) -> int:
        """Jobs started and not finished at the last advance."""
        return int(self._counts[kernel.BUSY])

    @property
    def expected(self) -> int:
        """Jobs submitted that had not arrived at the last advance."""
        counts = self._counts
        return int(counts[kernel.HEAP] + counts[kernel.RUN_END] - counts[kernel.RUN])

    def submit(self, rows: IntArray, arrive_s: FloatArray, service_s: FloatArray, priority: IntArray) -> None:
        """Announce jobs: parallel arrays in any order; several visits of one row are several jobs.

        Arrivals lie at or after the last advance; one at that very instant takes part in the decisions still to
        be made for it. Raises `ValueError` for an earlier one, and for a service time that is negative or not
        finite.
        """
        rows = np.ascontiguousarray(rows, np.int32)
        arrive_s = np.ascontiguousarray(arrive_s, np.float64)
        service_s = np.ascontiguousarray(service_s, np.float64)
        priority = np.ascontiguousarray(priority, np.int32)
        if not rows.shape == arrive_s.shape == service_s.shape == priority.shape or rows.ndim != 1:
            raise ValueError(f"station {self.name}: rows, arrivals, services and priorities differ in length")
        if not rows.size:
            return
        if not np.isfinite(arrive_s).all() or arrive_s.min() < self.clock_s:
            at = int(np.argmax(~np.isfinite(arrive_s) | (arrive_s < self.clock_s)))
            raise ValueError(
                f"station {self.name}: row {rows[at]} arrives at {arrive_s[at]}, but the clock stands at "
                f"{self.clock_s}; submit jobs before their arrival is passed"
            )
        if not np.isfinite(service_s).all() or service_s.min() < 0:
            at = int(np.argmax(~np.isfinite(service_s) | (service_s < 0)))
            raise ValueError(
                f"station {self.name}: row {rows[at]} has a service time of {service_s[at]} s; it must be finite "
                "and not negative"
            )
        missing = rows.size - int(self._counts[kernel.FREE])
        if missing > 0:
            self._allocate(max(2 * self._slots, self._slots + missing))
        classes = self._classes(priority)
        # A run still in use is not merged with: what comes while it lasts goes into the heap.
        to_run = bool(self._counts[kernel.RUN] == self._counts[kernel.RUN_END])
        if to_run:
            order = _order(arrive_s, rows)
            rows, classes = rows[order], classes[order]
            arrive_s, service_s = arrive_s[order], service_s[order]
        kernel.submit(
            rows,
            arrive_s,
            service_s,
            classes,
            to_run,
            self._row,
            self._arrive,
            self._service,
            self._class,
            self._free,
            self._heap_arrive,
            self._heap_row,
            self._heap_slot,
            self._run_slot,
            self._counts,
        )

    def advance(self, until_s: float) -> Started:
        """Decide all starts up to `until_s` inclusive and return those not returned before.

        Raises `ValueError` when `until_s` is before the last advance. `math.inf` runs the station to its end.
        """
        if not until_s >= self.clock_s:
            raise ValueError(f"station {self.name}: cannot go back from {self.clock_s} to {until_s}")
        number = kernel.advance(
            self.clock_s,
            float(until_s),
            self.capacity.step_s,
            self.capacity.levels,
            self._row,
            self._arrive,
            self._service,
            self._class,
            self._next,
            self._previous,
            self._free,
            self._heap_arrive,
            self._heap_row,
            self._heap_slot,
            self._run_slot,
            self._class_priority,
            self._class_head,
            self._class_tail,
            self._class_heap,
            self._finish_heap,
            self._counts,
            self._out_row,
            self._out_arrive,
            self._out_start,
            self._out_finish,
            self._out_priority,
        )
        self.clock_s = float(until_s)
        return Started(
            self._out_row[:number].copy(),
            self._out_arrive[:number].copy(),
            self._out_start[:number].copy(),
            self._out_finish[:number].copy(),
            self._out_priority[:number].copy(),
        )

    def waiting(self) -> Waiting:
        """All jobs not started, by arrival and row: those in line and those expected."""
        used = np.ones(self._slots, np.bool_)
        used[self._free[: int(self._counts[kernel.FREE])]] = False
        slots = np.flatnonzero(used)
        slots = slots[_order(self._arrive[slots], self._row[slots])]
        return Waiting(
            self._row[slots].copy(),
            self._arrive[slots].copy(),
            self._service[slots].copy(),
            self._class_priority[self._class[slots]].copy(),
        )

    def resume(self, clock_s: float, waiting: Waiting, finish_s: FloatArray) -> None:
        """Begin at `clock_s` with jobs waiting and with jobs in service that finish later, as another station of
        the kind left them. Only a station that has done nothing yet can; raises `ValueError` otherwise."""
        if self.clock_s != -np.inf or self._counts[kernel.FREE] != self._slots:
            raise ValueError(f"station {self.name} has begun already")
        if finish_s.size > self._finish_heap.size:
            self._finish_heap = np.empty(finish_s.size, np.float64)
        self._finish_heap[: finish_s.size] = np.sort(finish_s)
        self._counts[kernel.BUSY] = finish_s.size
        self.submit(waiting.rows, waiting.arrive_s, waiting.service_s, waiting.priority)
        self.clock_s = clock_s

    def next_event_s(self) -> float:
        """Earliest moment at which a job could start: the next arrival or, with jobs in line, the next finish or
        change of capacity; `math.inf` when there is none."""
        heap, run, run_end, queued, busy, _, _, step = (int(count) for count in self._counts)
        following = float(self._heap_arrive[0]) if heap else np.inf
        if run < run_end:
            following = min(following, float(self._arrive[self._run_slot[run]]))
        if queued and busy:
            following = min(following, float(self._finish_heap[0]))
        if queued and step < self.capacity.step_s.size:
            following = min(following, float(self.capacity.step_s[step]))
        return following

    def _classes(self, priority: IntArray) -> IntArray:
        """The class (in order of first appearance) of each priority."""
        low, high = int(priority.min()), int(priority.max())
        if low == high and low in self._class_of:
            return np.full(priority.size, self._class_of[low], np.int32)
        values, inverse = np.unique(priority, return_inverse=True)
        for value in values.tolist():
            self._class_of.setdefault(value, len(self._class_of))
        missing = len(self._class_of) - self._class_priority.size
        if missing > 0:
            added = np.full(max(missing, self._class_priority.size), kernel.NONE, np.int32)
            self._class_priority = np.concatenate((self._class_priority, added))
            self._class_head = np.concatenate((self._class_head, added))
            self._class_tail = np.concatenate((self._class_tail, added))
            self._class_heap = np.concatenate((self._class_heap, added))
        codes = np.array([self._class_of[value] for value in values.tolist()], np.int32)
        self._class_priority[codes] = values
        return codes[inverse]

    def _allocate(self, slots: int) -> None:
        """Grow to that many slots; jobs stay where they are."""
        old = self._slots
        (
            self._row,
            self._class,
            self._next,
            self._previous,
            self._free,
            self._heap_row,
            self._heap_slot,
            self._run_slot,
        ) = (
            _grown(array, slots)
            for array in (
                self._row,
                self._class,
                self._next,
                self._previous,
                self._free,
                self._heap_row,
                self._heap_slot,
                self._run_slot,
            )
        )
        self._arrive, self._service, self._heap_arrive = (
            _grown(array, slots) for array in (self._arrive, self._service, self._heap_arrive)
        )
        # What starts in one advance is at most what is in the slots, and is copied out at once.
        self._out_row, self._out_priority = (np.empty(slots, np.int32) for _ in range(2))
        self._out_arrive, self._out_start, self._out_finish = (np.empty(slots, np.float64) for _ in range(3))
        # Low slots on top of the stack of free ones: memory in use stays compact.
        n_free = int(self._counts[kernel.FREE])
        stack = np.concatenate((np.arange(slots - 1, old - 1, -1, dtype=np.int32), self._free[:n_free]))
        self._free[: stack.size] = stack
        self._counts[kernel.FREE] = stack.size
        self._slots = slots


def _order(times_s: FloatArray, rows: IntArray) -> NDArray[np.intp]:
    """Indices that sort by time, then row; the second key costs only where times coincide."""
    order = np.argsort(times_s)
    in_order = times_s[order]
    if (in_order[1:] == in_order[:-1]).any():
        return np.lexsort((rows, times_s))
    return order


_T = TypeVar("_T", bound=np.generic)


def _grown(array: NDArray[_T], size: int) -> NDArray[_T]:
    larger = np.empty(size, array.dtype)
    larger[: array.size] = array
    return larger


@dataclass(frozen=True, slots=True, eq=False)
class StageStep:
    """What happened at one stage of a chain in one advance: jobs started, and jobs finished in order of finish."""

    stage: int
    started: Started
    finished_rows: IntArray
    finished_s: FloatArray


class StationChain:
    """A line of stations: what stage k finishes arrives at stage k + 1 after k's transfer time.

    `service(stage, rows)` gives the service seconds of those rows there, float64. It is called once per job and
    stage, when the job starts at the stage before or is submitted. Let the times depend on the row alone, or draw
    them from one stream per stage: then they do not depend on the steps in which time advances.
    """

    def __init__(self, stations: Sequence[Station], service: Callable[[int, IntArray], FloatArray]) -> None:
        if not stations:
            raise ValueError("a chain needs at least one station")
        self.stations = tuple(stations)
        self._service = service
        self._running: list[tuple[IntArray, FloatArray]] = [
            (np.empty(0, np.int32), np.empty(0, np.float64)) for _ in stations
        ]

    def submit(self, rows: IntArray, arrive_s: FloatArray, priority: IntArray, stage: int = 0) -> None:
        """Announce jobs at a stage (the first, unless some skip it); see `Station.submit`."""
        rows = np.ascontiguousarray(rows, np.int32)
        self.stations[stage].submit(rows, arrive_s, self._service(stage, rows), priority)

    def advance(self, until_s: float) -> tuple[StageStep, ...]:
        """Decide all starts of all stages up to `until_s` inclusive; one step per stage, in their order."""
        steps = []
        for stage, station in enumerate(self.stations):
            started = station.advance(until_s)
            # A start lies after the last advance, hence so does its arrival downstream, which stands there still.
            if stage + 1 < len(self.stations) and len(started):
                self.submit(
                    started.rows, started.finish_s + station.transfer_s, started.priority, stage=stage + 1
                )
            rows, finish_s = self._running[stage]
            rows = np.concatenate((rows, started.rows))
            finish_s = np.concatenate((finish_s, started.finish_s))
            done = finish_s <= until_s
            self._running[stage] = (rows[~done], finish_s[~done])
            left = (rows[done], finish_s[done])
            order = _order(left[1], left[0])
            steps.append(StageStep(stage, started, left[0][order], left[1][order]))
        return tuple(steps)

    def running(self, stage: int) -> tuple[IntArray, FloatArray]:
        """Jobs in service at the last advance: rows and when they finish."""
        return self._running[stage]

    def resume(
        self, clock_s: float, waiting: Sequence[Waiting], running: Sequence[tuple[IntArray, FloatArray]]
    ) -> None:
        """Begin at `clock_s` with what another chain left at each stage; see `Station.resume`."""
        for stage, station in enumerate(self.stations):
            station.resume(clock_s, waiting[stage], running[stage][1])
            self._running[stage] = running[stage]

    def next_event_s(self) -> float:
        """Earliest moment at which a job could start anywhere in the chain; `math.inf` when there is none."""
        return min(station.next_event_s() for station in self.stations)
