"""Travel at speeds that are constant within each hour of the day (Ichoua, Gendreau & Potvin 2003).

A way is an amount of `work`: metres where `rate` holds metres per second, or free-flow seconds where it holds
the share of free-flow speed. Integrating the rate over the clock, instead of pricing the way at the rate of
its departure, is what makes travel first-in-first-out.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

HOUR_S = 3600.0


@numba.njit(cache=True)
def elapsed(clock_s: float, work: float, rate: NDArray[np.float64]) -> float:
    """Seconds to get through `work` from clock time `clock_s` (0 = local midnight, may exceed a day).

    `rate`: (24,) float64, positive work per second in each hour of the day; the day wraps round.
    """
    if not work < np.inf:
        return np.inf
    block = math.floor(clock_s / HOUR_S)
    left = (block + 1) * HOUR_S - clock_s
    hour = int(block) % 24
    total = 0.0
    while work > rate[hour] * left:
        work -= rate[hour] * left
        total += left
        left = HOUR_S
        hour = (hour + 1) % 24
    return total + work / rate[hour]


@numba.njit(cache=True)
def follow(
    work: NDArray[np.float64],
    rate: NDArray[np.float64],
    clock_offset_s: float,
    depart_s: float,
    dwell_s: NDArray[np.float64],
    earliest_s: NDArray[np.float64],
    arrive_s: NDArray[np.float64],
    leave_s: NDArray[np.float64],
) -> None:
    """Fill `arrive_s` and `leave_s` (n,) along a route whose k-th leg, `work[k]`, ends at stop k (k ≥ 1)."""
    now = depart_s
    arrive_s[0] = now
    leave_s[0] = now
    for k in range(1, len(work)):
        now += elapsed(clock_offset_s + now, work[k], rate)
        arrive_s[k] = now
        now = max(now, earliest_s[k]) + dwell_s[k]
        leave_s[k] = now


def warp(work: NDArray[np.float64], rate: NDArray[np.float64], clock_s: float) -> NDArray[np.float64]:
    """`elapsed` for each item of a flat array, all leaving at `clock_s`."""
    seconds = np.empty_like(work)
    _warp(work, rate, clock_s, seconds)
    return seconds


@numba.njit(cache=True)
def _warp(
    work: NDArray[np.float64], rate: NDArray[np.float64], clock_s: float, seconds: NDArray[np.float64]
) -> None:
    for k in range(len(work)):
        seconds[k] = elapsed(clock_s, work[k], rate)
