"""Chutes above containers: they fill, close while the container is exchanged, and open again; or are blocked."""

from __future__ import annotations

import numpy as np

from logistics.sorting import ChutesSection


class Chutes:
    """State of all chutes of a robot floor.

    A robot that begins to tip has its place in the container (`begin`); the parcel is in it when `take` says so.
    """

    def __init__(self, section: ChutesSection, number: int) -> None:
        self.capacity = section.capacity_parcels
        self.exchange_s = section.exchange_s
        self.inside = np.zeros(number, np.int64)  # parcels in the present container
        self.tipping = np.zeros(number, np.int64)
        self.taken = np.zeros(number, np.int64)  # parcels in all
        self.exchanges = np.zeros(number, np.int64)
        self.exchanging = np.zeros(number, np.bool_)
        self.blocked = np.zeros(number, np.bool_)
        self.closed_s = np.zeros(number)  # seconds in which it took nothing
        self._closed_from = np.full(number, np.nan)

    def is_open(self, chute: int) -> bool:
        return not (self.exchanging[chute] or self.blocked[chute])

    def accepts(self, chute: int) -> bool:
        """Whether a robot may begin to tip."""
        return self.is_open(chute) and bool(self.inside[chute] + self.tipping[chute] < self.capacity)

    def begin(self, chute: int) -> None:
        self.tipping[chute] += 1

    def take(self, chute: int, at_s: float) -> float | None:
        """A parcel falls; when the exchange ends that now begins, if the container is full."""
        self.tipping[chute] -= 1
        self.inside[chute] += 1
        self.taken[chute] += 1
        if self.inside[chute] < self.capacity:
            return None
        self.exchanging[chute] = True
        self._mark(chute, at_s)
        return at_s + self.exchange_s

    def exchanged(self, chute: int, at_s: float) -> None:
        """An empty container stands below."""
        self.exchanging[chute] = False
        self.exchanges[chute] += 1
        self.inside[chute] = 0
        self._mark(chute, at_s)

    def block(self, chute: int, blocked: bool, at_s: float) -> None:
        self.blocked[chute] = blocked
        self._mark(chute, at_s)

    def closed_until(self, at_s: float) -> float:
        """Chute seconds closed so far, those still closed included."""
        since = at_s - self._closed_from
        return float(self.closed_s.sum() + since[~np.isnan(since)].sum())

    def _mark(self, chute: int, at_s: float) -> None:
        begun = self._closed_from[chute]
        if self.is_open(chute):
            if not np.isnan(begun):
                self.closed_s[chute] += at_s - begun
                self._closed_from[chute] = np.nan
        elif np.isnan(begun):
            self._closed_from[chute] = at_s
