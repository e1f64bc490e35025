"""How the numbers of a benchmark file become integers. Each set has its own convention; name it explicitly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solvers.travel import FloatArray, IntArray, Metric, Travel


@dataclass(frozen=True, slots=True)
class Rounding:
    """`scale` units per unit of the file; distances, times and prizes are cut off or rounded to nearest."""

    name: str
    scale: int
    truncate: bool

    def whole(self, value: float) -> int:
        """A time, prize or fixed cost in the problem's units."""
        scaled = value * self.scale
        return math.floor(scaled) if self.truncate else math.floor(scaled + 0.5)

    def matrix(self, values: FloatArray) -> IntArray:
        scaled = values * self.scale
        out: IntArray = np.floor(scaled if self.truncate else scaled + 0.5).astype(np.int64)
        return out

    def travel(self) -> Travel:
        """Euclidean travel under this convention; durations equal distances."""
        metric = Metric.EUCLIDEAN_TRUNCATE if self.truncate else Metric.EUCLIDEAN_ROUND
        return Travel(metric=metric, scale=float(self.scale))


ROUNDINGS: dict[str, Rounding] = {
    "round": Rounding("round", 1, False),  # CVRPLIB: nearest integer
    "dimacs": Rounding("dimacs", 10, True),  # DIMACS VRPTW: one decimal, truncated
    "exact": Rounding("exact", 1000, False),  # three decimals
    "fine": Rounding("fine", 10_000, False),  # four decimals, where files are in double precision
    "finest": Rounding("finest", 10_000_000, False),  # seven decimals, where costs are compared to 1e-9
}


def rounding_of(name: str) -> Rounding:
    """The convention called `name`; raises ValueError, listing all."""
    if name not in ROUNDINGS:
        raise ValueError(f"no rounding {name!r}; there are: {', '.join(ROUNDINGS)}")
    return ROUNDINGS[name]
