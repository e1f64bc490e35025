"""The day-long curve: sampled windows of the full simulation at several loads, fitted monotonely.

A day then needs no robot: parcels pass a gate that lets through as many as the floor can sort at most, and spend a
sort time drawn from the distribution that windows of such a load showed. The gate holds up only what waits longer
than parcels do at the highest load that was sampled, for that much is in their sort times already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression

from logistics.sorting import SortingSection
from sim.draws import RowDraws
from sim.random_streams import Streams
from sim.sorting.parcels import HOUR_S, Day, FloatArray, IntArray, SortParcels, allot_chutes, steady_arrivals
from sim.sorting.result import ParcelTimes, SortingResult
from sim.sorting.robot_floor import RobotSorter
from sim.sorting.robot_state import CHARGING, NO_CHARGER, TO_CHARGER
from sim.stats import mean_interval

QUANTILES = (0.0, 0.01, 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.925, 0.95, 0.97, 0.99, 0.998, 1.0)
MEDIAN, P95 = QUANTILES.index(0.5), QUANTILES.index(0.95)
FIT_SHARES = (0.05, 0.3, 0.5, 0.65, 0.75, 0.82, 0.9, 0.97)
"""Loads at which windows are sampled, as shares of what the floor can sort at most."""
CHECK_SHARES = (0.35, 0.6, 0.85)
"""Loads at which the error is measured; none of them is fitted."""
WARM_S = 300.0
OVERLOAD_S = 3600.0
AT_CHARGERS = [TO_CHARGER, NO_CHARGER, CHARGING]
RATE_S = 600.0  # the load that a parcel meets is that of so many seconds before it


@dataclass(frozen=True, slots=True)
class Window:
    """A window of the full simulation; `load_per_h` is what came in it, not what was to be expected."""

    load_per_h: float
    throughput_per_h: float
    sort_s: FloatArray  # of parcels that came in it and were never missorted, by `QUANTILES`


@dataclass(frozen=True, eq=False)
class LoadCurve:
    """Load → throughput and sort times, all of which never fall with the load.

    `capacity_per_h` is what the floor sorts when parcels always wait. `loads` and `throughput` (levels,), `sort_s`
    (levels, quantiles) are fitted by isotonic regression and joined by monotone cubics.
    """

    capacity_per_h: float
    loads: FloatArray
    throughput: FloatArray
    sort_s: FloatArray

    @classmethod
    def of(cls, capacity_per_h: float, windows: Sequence[Window]) -> LoadCurve:
        """Fit windows; those of one load count together. Raises `ValueError` for fewer than two loads."""
        loads = np.unique([w.load_per_h for w in windows])
        if loads.size < 2:
            raise ValueError(f"{loads.size} load; a curve needs at least two")
        groups = [[w for w in windows if w.load_per_h == load] for load in loads]
        throughput = np.array([np.mean([w.throughput_per_h for w in group]) for group in groups])
        sort_s = np.array([np.mean([w.sort_s for w in group], axis=0) for group in groups])
        rising = np.column_stack([isotonic_regression(column).x for column in sort_s.T])
        return cls(
            capacity_per_h,
            loads,
            np.minimum(isotonic_regression(throughput).x, capacity_per_h),
            np.maximum.accumulate(rising, axis=1),
        )

    @property
    def queueing_s(self) -> float:
        """What the highest load fitted adds to the median: waiting in queues that the curve itself accounts for."""
        return float(self.sort_s[-1, MEDIAN] - self.sort_s[0, MEDIAN])

    def throughput_at(self, load_per_h: float) -> float:
        """Parcels an hour sorted at that load."""
        known = np.concatenate(([0.0], self.loads, [max(self.loads[-1] * 1.01, self.capacity_per_h)]))
        values = np.concatenate(([0.0], self.throughput, [self.capacity_per_h]))
        return float(PchipInterpolator(known, values)(min(load_per_h, known[-1])))

    def quantiles_at(self, load_per_h: FloatArray) -> FloatArray:
        """(loads, quantiles) sort times without what overload adds; constant beyond the loads that were fitted."""
        inside = np.clip(load_per_h, self.loads[0], self.loads[-1])
        found: FloatArray = PchipInterpolator(self.loads, self.sort_s, axis=0)(inside)
        return found

    def draw(self, load_per_h: FloatArray, uniform: FloatArray) -> FloatArray:
        """Sort times of parcels that meet these loads, by inversion of the quantiles."""
        if not load_per_h.size:
            return np.empty(0)
        table = self.quantiles_at(load_per_h)
        level = np.array(QUANTILES)
        above = np.clip(np.searchsorted(level, uniform, side="right"), 1, len(level) - 1)
        rows = np.arange(len(uniform))
        low, high = table[rows, above - 1], table[rows, above]
        share = (uniform - level[above - 1]) / (level[above] - level[above - 1])
        drawn: FloatArray = low + share * (high - low)
        return drawn


def loaded_floor(
    section: SortingSection, weights: Sequence[float], load_per_h: float, hours: float, streams: Streams
) -> tuple[RobotSorter, FloatArray]:
    """A floor that is told of so many hours of parcels, and when they come; the clock stands at 0.

    Destinations are drawn by `weights`; containers are as full at the start as chance has it.
    """
    arrive_s = steady_arrivals(load_per_h, hours, streams)
    share = np.asarray(weights, np.float64) / np.sum(weights)
    destination = streams.generator("sorting", "destinations").choice(len(share), len(arrive_s), p=share)
    number = section.robots.chute_rows * section.robots.chute_columns
    chutes = allot_chutes(np.round(share * 10**9).astype(np.int64), number)
    floor = RobotSorter(section, SortParcels.of(destination.astype(np.int64)), chutes, streams)
    filled = streams.generator("sorting", "containers").integers(0, floor.chutes.capacity, number)
    floor.chutes.inside[:] = filled
    floor.submit(np.arange(len(arrive_s)), arrive_s)
    return floor, arrive_s


def sample_floor(
    section: SortingSection, weights: Sequence[float], load_per_h: float, window_s: float, streams: Streams
) -> tuple[RobotSorter, FloatArray]:
    """A `loaded_floor` that has worked through the warm-up and a window."""
    floor, arrive_s = loaded_floor(section, weights, load_per_h, (WARM_S + window_s) / HOUR_S, streams)
    floor.advance(WARM_S + window_s)
    return floor, arrive_s


def sample(
    section: SortingSection, weights: Sequence[float], load_per_h: float, window_s: float, streams: Streams
) -> Window:
    """One window; parcels that came in it are sorted to the last one."""
    floor, arrive_s = sample_floor(section, weights, load_per_h, window_s, streams)
    end_s = WARM_S + window_s
    throughput = floor.result().throughput_per_h(WARM_S, end_s)
    floor.run()
    times = floor.times
    chosen = (arrive_s >= WARM_S) & (times.missorts == 0)
    spent = (times.sorted_s - times.arrive_s)[chosen]
    came = float((arrive_s >= WARM_S).sum()) * HOUR_S / window_s
    return Window(came, throughput, np.quantile(spent, QUANTILES))


def most_per_h(
    section: SortingSection, weights: Sequence[float], streams: Streams, window_s: float = OVERLOAD_S
) -> float:
    """What the floor sorts in the long run while parcels always wait at every induction.

    How many robots are at the chargers wanders for hours, and what is sorted with it: by 1 % between windows of two
    hours, which is a fifth of the waiting times of a day beyond capacity. What the others sort each hardly varies.
    So that is measured: k parcels a second for each robot not at a charger, and a seconds of a robot there for each
    parcel, by the battery that it takes. With R robots, X = k (R - a X), or what chargers without a pause allow.
    """
    own = section.robots
    bound = own.inductions * HOUR_S / own.load_s
    floor, _ = loaded_floor(section, weights, 1.1 * bound, (WARM_S + window_s) / HOUR_S, streams)
    floor.advance(WARM_S)
    steps, battery = floor.state_steps.copy(), float(floor.charging.battery.sum())
    floor.advance(WARM_S + window_s)
    rate = floor.result().throughput_per_h(WARM_S, WARM_S + window_s) / HOUR_S
    away = own.robots - float((floor.state_steps - steps)[AT_CHARGERS].sum()) * floor.dt / window_s
    asked, start, finish = floor.charging.stays()
    filled = (finish - start) / own.charge_s
    used = battery - float(floor.charging.battery.sum()) + float(filled[finish > WARM_S].sum())
    warm = asked > WARM_S
    if rate == 0 or away == 0 or not warm.any():
        return rate * HOUR_S
    visits = used / (rate * window_s) / float(filled[warm].mean())  # of a charger for each parcel
    stay_s = float((finish - asked)[warm].mean())
    held_s = float((finish - np.array(floor.charging.reserved))[warm].mean())
    each = rate / away
    long_run = each * own.robots / (1.0 + each * visits * stay_s)
    return min(long_run, own.chargers / (visits * held_s)) * HOUR_S


def fit(
    section: SortingSection,
    weights: Sequence[float],
    window_s: float = 1800.0,
    shares: Sequence[float] = FIT_SHARES,
    replications: int = 1,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> LoadCurve:
    """Sample the floor at all loads. Depends on the floor and the seed alone, never on the run that uses it."""
    capacity = most_per_h(section, weights, Streams(seed, 0))
    progress(f"most: {capacity:.0f} parcels/h")
    windows = []
    for share in shares:
        for replication in range(replications):
            windows.append(
                sample(section, weights, share * capacity, window_s, Streams(seed, 1 + replication))
            )
            progress(
                f"load {windows[-1].load_per_h:.0f}/h: {windows[-1].throughput_per_h:.0f} sorted, p95 "
                f"{windows[-1].sort_s[P95]:.1f} s"
            )
    return LoadCurve.of(capacity, windows)


@lru_cache(maxsize=64)
def _fitted(section: str, weights: tuple[float, ...]) -> LoadCurve:
    return fit(SortingSection.model_validate_json(section), weights)


def fitted(section: SortingSection, weights: Sequence[float]) -> LoadCurve:
    """The curve of a floor, fitted once in a process; sites of the same plan share it.

    Shares of destinations are rounded to hundredths, so that runs of one scenario share it too.
    """
    total = float(np.sum(weights))
    rounded = tuple(sorted((max(0.01, round(w / total, 2)) for w in weights), reverse=True))
    return _fitted(section.model_dump_json(), rounded)


class CurveSorter:
    """Sorts by a curve, with the face of the other sorters. Missorts and damage are drawn parcel by parcel."""

    def __init__(
        self, section: SortingSection, parcels: SortParcels, curve: LoadCurve, streams: Streams
    ) -> None:
        self.section, self.parcels, self.curve = section, parcels, curve
        self.times = ParcelTimes.of(len(parcels))
        self.now_s = 0.0
        self._draws = {
            p: RowDraws(streams, "sorting", p) for p in ("sort time", "again", "missort", "damage")
        }
        self._paced_s = -np.inf
        self._recent: FloatArray = np.empty(0)

    def submit(self, parcels: IntArray, arrive_s: FloatArray) -> None:
        """Parcels come, ascending, not before those told earlier: their times are known at once."""
        if not len(parcels):
            return
        times, errors, curve = self.times, self.section.errors, self.curve
        times.arrive_s[parcels] = arrive_s
        # First come, first served at a steady pace: the latest of all arrivals before, plus a pace for each since.
        pace = HOUR_S / curve.capacity_per_h
        steps = pace * np.arange(len(parcels))
        paced = np.maximum.accumulate(np.maximum(arrive_s, self._paced_s + pace) - steps) + steps
        self._paced_s = float(paced[-1])
        gate = np.maximum(arrive_s, paced - curve.queueing_s)
        passed = np.concatenate((self._recent, gate))
        first = np.searchsorted(passed, gate - RATE_S, side="right")
        seconds = np.clip(gate, RATE_S / 10, RATE_S)
        load = (np.arange(len(self._recent), len(passed)) + 1 - first) * HOUR_S / seconds
        self._recent = passed[passed > gate[-1] - RATE_S]
        keys = self.parcels.keys[parcels]
        spent = curve.draw(load, self._draws["sort time"].uniform(keys))
        wrong = self._draws["missort"].uniform(keys) < errors.missort
        again = errors.missort_found_s + curve.draw(load, self._draws["again"].uniform(keys))
        times.load_s[parcels] = gate
        times.missorts[parcels] = wrong
        times.damaged[parcels] = self._draws["damage"].uniform(keys) < errors.damage
        times.sorted_s[parcels] = gate + spent + np.where(wrong, again, 0.0)

    def advance(self, until_s: float) -> None:
        """All is known already."""
        self.now_s = max(self.now_s, until_s)

    def run(self, limit_s: float = np.inf) -> SortingResult:
        """What is known after all that was told is sorted, at most at `limit_s`."""
        self.now_s = min(limit_s, float(np.nanmax(self.times.sorted_s, initial=0.0)))
        return self.result()

    def result(self) -> SortingResult:
        errors = self.section.errors
        unknown = ("recirculations", "recirculated_pct", "blocked_mean_s", "wait_for_induction_mean_s")
        figures = dict.fromkeys(unknown, float("nan")) | {"capacity_per_h": self.curve.capacity_per_h}
        return SortingResult(
            self.times, {}, [], self.now_s, errors.missort_minor, errors.damage_minor, figures
        )


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """The same parcels through the full simulation and through the curve; `load_per_h` is the mean load.

    Of several full simulations, figures are means, and `half_width_s` is that of the 95 % interval of their p95.
    """

    load_per_h: float
    full_per_h: float
    curve_per_h: float
    full_p95_s: float
    curve_p95_s: float
    half_width_s: float = 0.0

    @property
    def throughput_error_pct(self) -> float:
        return 100.0 * (self.curve_per_h / self.full_per_h - 1.0)

    @property
    def p95_error_pct(self) -> float:
        return 100.0 * (self.curve_p95_s / self.full_p95_s - 1.0)


def measure_error(
    section: SortingSection,
    weights: Sequence[float],
    curve: LoadCurve,
    share: float,
    window_s: float,
    streams: Streams,
) -> ErrorRow:
    """Common random numbers: the same arrivals through both, measured after the warm-up."""
    load, end_s = share * curve.capacity_per_h, WARM_S + window_s
    floor, arrive_s = sample_floor(section, weights, load, window_s, streams)
    full = floor.result().throughput_per_h(WARM_S, end_s)
    floor.run()
    quick = CurveSorter(section, floor.parcels, curve, streams)
    quick.submit(np.arange(len(arrive_s)), arrive_s)
    cut = quick.run()
    return ErrorRow(
        load,
        full,
        cut.throughput_per_h(WARM_S, end_s),
        float(np.quantile(floor.result().sort_times(WARM_S, end_s), 0.95)),
        float(np.quantile(cut.sort_times(WARM_S, end_s), 0.95)),
    )


def measure_day(
    section: SortingSection, curve: LoadCurve, day: Day, streams: Callable[[int], Streams], floors: int = 1
) -> ErrorRow:
    """A whole day of parcels through both, measured from the first to the last of them.

    `streams` gives the luck of each of so many floors, all of which meet the same parcels.
    """
    number = section.robots.chute_rows * section.robots.chute_columns
    chutes = allot_chutes(np.bincount(day.destination), number)
    parcels, rows = SortParcels.of(day.destination), np.arange(len(day.arrive_s))
    full = []
    for luck in range(floors):
        floor = RobotSorter(section, parcels, chutes, streams(luck))
        floor.submit(rows, day.arrive_s)
        full.append(floor.run().kpis())
    quick = CurveSorter(section, parcels, curve, streams(0))
    quick.submit(rows, day.arrive_s)
    cut = quick.run().kpis()
    p95 = mean_interval([each["sort_p95_s"] for each in full]) if floors > 1 else None
    return ErrorRow(
        len(rows) * HOUR_S / float(day.arrive_s[-1] - day.arrive_s[0]),
        float(np.mean([each["parcels_per_h"] for each in full])),
        cut["parcels_per_h"],
        p95.mean if p95 else full[0]["sort_p95_s"],
        cut["sort_p95_s"],
        p95.half_width if p95 else 0.0,
    )
