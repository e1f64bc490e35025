"""Statistics of simulation output: intervals over replications, warm-up, step functions, binned occupancy.

Observations of one run depend on each other; replications do not. Intervals are therefore taken over one number
per replication, never over the observations of one run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a mean over `n` replications; the half-width is infinite for a single one."""

    mean: float
    half_width: float
    level: float
    n: int

    @property
    def low(self) -> float:
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        return self.mean + self.half_width

    def covers(self, value: float) -> bool:
        return self.low <= value <= self.high


def mean_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Student's t interval of the mean of independent values, one per replication.

    Raises `ValueError` without values or for a level outside (0, 1).
    """
    sample = np.asarray(values, np.float64)
    if sample.ndim != 1 or not sample.size:
        raise ValueError(f"an interval needs a list of one value per replication, not shape {sample.shape}")
    n = int(sample.size)
    factor = _t(level, max(n, 2))
    error = float(sample.std(ddof=1) / np.sqrt(n)) if n > 1 else float("inf")
    return Interval(float(sample.mean()), factor * error, level, n)


def paired_difference(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Interval:
    """Interval of the mean of `second - first`, replication by replication.

    With common random numbers, what both share cancels before the spread is taken. Raises `ValueError` when the
    lengths differ.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"pairs need the same replications: shapes {a.shape} and {b.shape} differ")
    return mean_interval(b - a, level)


def replications_for(pilot: ArrayLike, half_width: float, level: float = 0.95) -> int:
    """Replications in all, at least the pilot's, for that half-width if the pilot's variance is the true one.

    Raises `ValueError` for fewer than two pilot values or a half-width that is not positive.
    """
    sample = np.asarray(pilot, np.float64)
    if sample.size < 2 or not half_width > 0:
        raise ValueError(
            f"{sample.size} pilot replications, half-width {half_width}; give two or more and a positive width"
        )
    deviation = float(sample.std(ddof=1))

    def enough(n: int) -> bool:
        return _t(level, n) * deviation / float(np.sqrt(n)) <= half_width

    low = high = int(sample.size)
    while not enough(high):
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return high


def warm_up(series: ArrayLike, batch: int = 5) -> int:
    """Observations to delete from the start of `series` by MSER-5.

    Batch means of five; the cut minimises the squared standard error of the mean of what is left, and is sought
    in the first half. A cut near the end of that half says that the run is too short to tell. Best
    applied to the mean over replications of the k-th observation. Raises `ValueError` for fewer than four
    batches. Source: White, Cobb and Spratt, A comparison of five steady-state truncation heuristics for
    simulation, WSC 2000.
    """
    observations = np.asarray(series, np.float64)
    batches = observations.size // batch
    if batches < 4:
        raise ValueError(
            f"{observations.size} observations make {batches} batches of {batch}; give 4 or more"
        )
    means = observations[: batches * batch].reshape(batches, batch).mean(axis=1)
    # Sums over the tails; centred, because they are differences of squares.
    means = means - means.mean()
    left = batches - np.arange(batches // 2 + 1)
    total = np.cumsum(means[::-1])[::-1][: left.size]
    squares = np.cumsum(means[::-1] ** 2)[::-1][: left.size]
    return int(np.argmin((squares - total**2 / left) / left**2)) * batch


def time_average(times_s: ArrayLike, levels: ArrayLike, from_s: float, to_s: float) -> float:
    """Average over [`from_s`, `to_s`] of the step function with `levels[i]` from `times_s[i]` on, 0 before.

    Raises `ValueError` for an empty span or times that descend.
    """
    times = np.asarray(times_s, np.float64)
    if not to_s > from_s or (np.diff(times) < 0).any():
        raise ValueError(f"an average over [{from_s}, {to_s}] needs a span and times that do not descend")
    begin = np.clip(times, from_s, to_s)
    end = np.append(begin[1:], to_s)
    return float(np.asarray(levels, np.float64) @ (end - begin)) / (to_s - from_s)


def weighted_quantile(values: ArrayLike, weights: ArrayLike, quantile: float) -> float:
    """Smallest value at or below which lies at least that share of the weight.

    With equal weights this is the sample quantile without interpolation. Raises `ValueError` for a quantile
    outside [0, 1], negative weights or no weight at all.
    """
    sample, weight = np.asarray(values, np.float64), np.asarray(weights, np.float64)
    if not 0 <= quantile <= 1 or sample.shape != weight.shape or not weight.sum() > 0 or weight.min() < 0:
        raise ValueError(f"quantile {quantile} needs values with weights that are not negative nor all zero")
    order = np.argsort(sample, kind="stable")
    order = order[weight[order] > 0]
    share = np.cumsum(weight[order])
    # Rounding in the sum must not push a share that is met exactly to the next value.
    target = quantile * share[-1] * (1 - 1e-12)
    return float(sample[order][np.searchsorted(share, target)])


@dataclass(frozen=True, slots=True, eq=False)
class Occupancy:
    """Per bin: time average (float64) and peak (int64) of how many were present."""

    mean: FloatArray
    peak: NDArray[np.int64]


def occupancy(enter_s: ArrayLike, leave_s: ArrayLike, edges_s: ArrayLike) -> Occupancy:
    """Presence in each bin [`edges_s[i]`, `edges_s[i + 1]`) of intervals [enter, leave), exact.

    Queue lengths from (arrive, start), jobs in service from (start, finish), space from (in, out). NaN in
    `enter_s` means never came, NaN or infinity in `leave_s` still there. Whoever leaves frees the place before
    one who enters at that instant takes it; a stay of length zero is none. Raises `ValueError` for edges that do
    not ascend or a leave before its enter.
    """
    enter, leave = np.asarray(enter_s, np.float64), np.asarray(leave_s, np.float64)
    edges = np.asarray(edges_s, np.float64)
    if edges.size < 2 or not (np.diff(edges) > 0).all():
        raise ValueError("bins need two or more edges that ascend strictly")
    came = ~np.isnan(enter)
    enter, leave = enter[came], leave[came]
    leave = np.where(np.isnan(leave), np.inf, leave)
    if (leave < enter).any():
        at = int(np.argmax(leave < enter))
        raise ValueError(f"interval {at} enters at {enter[at]} and leaves before, at {leave[at]}")
    enter, leave = np.clip(enter, edges[0], edges[-1]), np.clip(leave, edges[0], edges[-1])
    present = leave > enter
    enter, leave = enter[present], leave[present]

    bins = edges.size - 1
    first = np.searchsorted(edges, enter, side="right") - 1
    last = np.searchsorted(edges, leave, side="left") - 1  # bin of the last moment present
    # Time in the first and the last bin; bins in between are covered in full and counted by differences.
    whole = np.zeros(bins + 1, np.int64)
    area = np.bincount(first, np.minimum(leave, edges[first + 1]) - enter, minlength=bins)
    several = last > first
    area += np.bincount(last[several], leave[several] - edges[last[several]], minlength=bins)
    whole += np.bincount(first[several] + 1, minlength=bins + 1)
    whole -= np.bincount(last[several], minlength=bins + 1)
    width = np.diff(edges)
    mean = area / width + np.cumsum(whole)[:bins]

    times, changes = _net_changes(enter, leave)
    level = np.concatenate(([0], np.cumsum(changes), [0]))  # level[j] from times[j - 1] on
    begin = np.searchsorted(times, edges[:-1], side="right")
    end = np.searchsorted(times, edges[1:], side="left") + 1
    peak = np.maximum.reduceat(level, np.column_stack((begin, end)).ravel())[::2]
    return Occupancy(mean, peak.astype(np.int64))


@dataclass(frozen=True, slots=True)
class LittlesLaw:
    """Both sides of L = λW on one sample path that begins and ends empty."""

    number: float  # time-average number present, from the step function
    rate_per_s: float
    stay_s: float  # mean stay, from the intervals

    @property
    def relative_error(self) -> float:
        """Of the order of rounding when every interval is counted once, whatever the distributions."""
        return abs(self.number - self.rate_per_s * self.stay_s) / max(self.number, np.finfo(float).tiny)


def littles_law(enter_s: ArrayLike, leave_s: ArrayLike) -> LittlesLaw:
    """L, λ and W from the first enter to the last leave. Raises `ValueError` where that span is empty."""
    enter, leave = np.asarray(enter_s, np.float64), np.asarray(leave_s, np.float64)
    if not enter.size or not np.isfinite(leave - enter).all() or not leave.max() > enter.min():
        raise ValueError("Little's law needs finished intervals over a span of time")
    from_s, to_s = float(enter.min()), float(leave.max())
    times, changes = _net_changes(enter, leave)
    number = time_average(times, np.cumsum(changes), from_s, to_s)
    return LittlesLaw(number, enter.size / (to_s - from_s), float((leave - enter).mean()))


def _net_changes(enter: FloatArray, leave: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Distinct times at which the number present changes, and by how much."""
    times, inverse = np.unique(np.concatenate((enter, leave)), return_inverse=True)
    up = np.bincount(inverse[: enter.size], minlength=times.size)
    down = np.bincount(inverse[enter.size :], minlength=times.size)
    return times, (up - down).astype(np.int64)


def _t(level: float, n: int) -> float:
    if not 0 < level < 1:
        raise ValueError(f"confidence level {level}; it lies between 0 and 1, such as 0.95")
    return float(stdtrit(n - 1, 0.5 + level / 2))
