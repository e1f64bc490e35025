"""Parcel lockers: compartments taken by deliveries and freed when customers collect."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from sim.draws import KeyArray, RowDraws


@dataclass
class Locker:
    """One locker bank. Customers collect after an exponential time of mean `dwell_s`."""

    compartments: int
    dwell_s: float
    draws: RowDraws
    _freed_s: list[float] = field(default_factory=list)

    def put(self, keys: KeyArray, now_s: float) -> int:
        """Put in as many of the parcels (by their keys) as there is room for, in order; returns how many."""
        while self._freed_s and self._freed_s[0] <= now_s:
            heapq.heappop(self._freed_s)
        fitting = min(len(keys), self.compartments - len(self._freed_s))
        for dwell in self.draws.exponential(keys[:fitting], self.dwell_s).tolist():
            heapq.heappush(self._freed_s, now_s + dwell)
        return fitting

    def freed_s(self, now_s: float) -> list[float]:
        """When the compartments taken after `now_s` will be free again, ascending."""
        return sorted(freed for freed in self._freed_s if freed > now_s)

    def fill(self, freed_s: list[float]) -> None:
        """Take compartments until those moments."""
        self._freed_s = sorted([*self._freed_s, *freed_s])
