"""Statistics of benchmark runs: paired bootstrap, primal integral, performance profile, anytime curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from solvers.travel import FloatArray

RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the bounds of its confidence interval; no bounds where there is only one instance."""

    mean: float
    low: float | None
    high: float | None

    @property
    def significant(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def bootstrap_mean(groups: Sequence[Sequence[float]], level: float = 0.95, seed: int = 0) -> Interval:
    """Mean over groups (instances) of the mean within each (seeds), with a percentile bootstrap interval.

    Resamples instances and, within each instance drawn, its seeds (two-stage: Davison & Hinkley 1997, §3.8),
    since runs on one instance are alike. The same input gives the same interval.
    """
    means = np.array([float(np.mean(g)) for g in groups])
    if not len(means):
        raise ValueError("no groups")
    mean = float(means.mean())
    if len(means) < 2:
        return Interval(mean, None, None)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(groups), size=(RESAMPLES, len(groups)))
    within = np.empty((RESAMPLES, len(groups)))
    for i, group in enumerate(groups):
        values, hit = np.asarray(group, dtype=float), drawn == i
        count = int(hit.sum())
        picks = rng.integers(len(values), size=(count, len(values)))
        within[hit] = values[picks].mean(axis=1)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(within.mean(axis=1), [tail, 1.0 - tail])
    return Interval(mean, float(low), float(high))


def primal_integral(history: Sequence[Sequence[float]], reference: float, horizon_s: float) -> float:
    """Mean primal gap over the run in per cent (Berthold 2013): 0 is best-known at once, 100 is nothing found.

    The gap is 1 without a complete solution, (c − c*) / max(c, c*) with one of cost c, and 0 with one below c*.
    """
    total, since, gap = 0.0, 0.0, 1.0
    for seconds, cost, unserved in history:
        at = min(max(seconds, since), horizon_s)
        total += gap * (at - since)
        since = at
        if unserved == 0:
            gap = max(0.0, cost - reference) / max(cost, reference, 1e-12)
    return 100.0 * (total + gap * (horizon_s - since)) / horizon_s


def gaps_over_time(history: Sequence[Sequence[float]], reference: float, times: FloatArray) -> FloatArray:
    """Gap in per cent at each of `times`; NaN before the first complete solution."""
    found = [
        (seconds, 100.0 * (cost / reference - 1.0)) for seconds, cost, unserved in history if unserved == 0
    ]
    if not found:
        return np.full(len(times), np.nan)
    at = np.array([seconds for seconds, _ in found])
    gaps = np.minimum.accumulate(np.array([gap for _, gap in found]))
    place = np.searchsorted(at, times, side="right") - 1
    return np.where(place >= 0, gaps[np.maximum(place, 0)], np.nan)


def performance_profile(
    costs: Mapping[str, Mapping[tuple[str, ...], float]], excess_pct: FloatArray
) -> dict[str, FloatArray]:
    """Share of cases in which each solver's cost is within `excess_pct` of the best among all (Dolan & Moré 2002).

    `costs`: solver -> case -> cost; a case that a solver lacks counts as never solved by it.
    """
    cases = sorted({case for own in costs.values() for case in own})
    best = {case: min(own[case] for own in costs.values() if case in own) for case in cases}
    profile = {}
    for solver, own in costs.items():
        excess = np.array(
            [100.0 * (own[c] / best[c] - 1.0) if c in own and best[c] > 0 else np.inf for c in cases]
        )
        profile[solver] = np.array([float((excess <= x + 1e-9).mean()) for x in excess_pct])
    return profile
