"""Travel whose speed changes with the hour: piecewise constant speeds by category of arc (Ichoua et al. 2003).

A vehicle under way changes its speed at each period's start, so who leaves later never arrives earlier. Times
are float64 here; a schedule rounds them once, where it is written down.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

NOISE = 1e-3  # a limit on a time holds although floating point misses it by less


@dataclass(frozen=True, slots=True, eq=False)
class Speeds:
    """Speeds of one travel profile.

    starts    (p,)     when each period begins; the first holds before its start as well, the last for ever
    values    (c, p)   distance units per time unit, positive, by category of arc and period
    category  (N, N)   uint8, the category of each arc; None where all arcs are of category 0
    """

    starts: FloatArray
    values: FloatArray
    category: NDArray[np.uint8] | None = None

    @classmethod
    def of(cls, starts: Any, values: Any, category: Any | None = None) -> Speeds:
        """Speeds from sequences; raises ValueError with the first thing that is wrong."""
        begins = np.array(starts, dtype=np.float64)
        rows = np.atleast_2d(np.array(values, dtype=np.float64))
        if begins.ndim != 1 or len(begins) == 0 or (np.diff(begins) <= 0).any():
            raise ValueError("periods must start one after the other")
        if rows.shape[1] != len(begins) or not np.isfinite(rows).all() or (rows <= 0).any():
            raise ValueError(f"each category needs {len(begins)} positive speeds")
        if len(rows) > 10:
            raise ValueError("there may be ten categories at most")
        table = None
        if category is not None:
            table = np.ascontiguousarray(category, dtype=np.uint8)
            if table.ndim != 2 or table.shape[0] != table.shape[1] or table.max(initial=0) >= len(rows):
                raise ValueError(f"categories must be a square table of 0 to {len(rows) - 1}")
            table.setflags(write=False)
        begins.setflags(write=False)
        rows.setflags(write=False)
        return cls(begins, rows, table)

    def rule(self, category: int) -> SpeedRule:
        return SpeedRule(self.starts.tolist(), self.values[category].tolist())


class SpeedRule:
    """Arrival and departure times on arcs of one category, in plain Python."""

    def __init__(self, starts: list[float], values: list[float]) -> None:
        self.changes = starts[1:]
        self.values = values

    def arrive(self, leave: float, length: float) -> float:
        """When one arrives who leaves at `leave`."""
        period, now = bisect_right(self.changes, leave), leave
        for change in self.changes[period:]:
            reached = (change - now) * self.values[period]
            if reached >= length:
                break
            length -= reached
            now, period = change, period + 1
        return now + length / self.values[period]

    def leave(self, arrive: float, length: float) -> float:
        """When one has to leave who is to arrive at `arrive`."""
        period, now = bisect_left(self.changes, arrive), arrive
        while period > 0:
            reached = (now - self.changes[period - 1]) * self.values[period]
            if reached >= length:
                break
            length -= reached
            period -= 1
            now = self.changes[period]
        return now - length / self.values[period]

    def covered(self, leave: float, until: float) -> float:
        """The length driven from `leave` to `until`."""
        period, now, length = bisect_right(self.changes, leave), leave, 0.0
        for change in self.changes[period:]:
            if change >= until:
                break
            length += (change - now) * self.values[period]
            now, period = change, period + 1
        return length + (until - now) * self.values[period]

    def bends(self, length: float) -> list[float]:
        """The departures, ascending, at which the slope of the arrival changes."""
        return sorted({*self.changes, *(self.leave(change, length) for change in self.changes)})
