"""What comes to be sorted: moments, destinations, and which chutes belong to which destination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.draws import KeyArray
from sim.random_streams import Streams

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

HOUR_S = 3600.0
NONE = -1
DAY_PROFILE = (3, 2, 2, 2, 3, 5, 6, 6, 5, 4, 3, 3, 3, 4, 5, 6, 7, 8, 8, 7, 5, 4, 3, 3)
"""Weights of the hours of a made-up sorting day: a morning wave and a larger one in the evening."""


@dataclass(frozen=True, slots=True, eq=False)
class SortParcels:
    """Parcels that may come: `destination` int64 (n,), and uint64 (n,) `keys` that name them in draws of luck."""

    destination: IntArray
    keys: KeyArray

    def __len__(self) -> int:
        return len(self.destination)

    @classmethod
    def of(cls, destination: IntArray) -> SortParcels:
        """Parcels named by their number."""
        return cls(destination, np.arange(len(destination), dtype=np.uint64))


def steady_arrivals(rate_per_h: float, hours: float, streams: Streams) -> FloatArray:
    """Moments of a Poisson stream, ascending, in seconds."""
    draw = streams.generator("sorting", "arrivals")
    number = int(draw.poisson(rate_per_h * hours))
    return np.sort(draw.uniform(0, hours * HOUR_S, number))


def day_arrivals(parcels: int, streams: Streams) -> FloatArray:
    """Moments of that many parcels over 24 hours by `DAY_PROFILE`, ascending, in seconds."""
    draw = streams.generator("sorting", "arrivals")
    weights = np.array(DAY_PROFILE, np.float64)
    hour = draw.choice(24, parcels, p=weights / weights.sum())
    return np.sort((hour + draw.uniform(0, 1, parcels)) * HOUR_S)


def drawn_destinations(parcels: int, destinations: int, skew: float, streams: Streams) -> IntArray:
    """Destinations whose popularity falls with their rank to the power of `-skew`."""
    weights = np.arange(1, destinations + 1, dtype=np.float64) ** -skew
    draw = streams.generator("sorting", "destinations")
    return draw.choice(destinations, parcels, p=weights / weights.sum()).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """A made-up day: moments of arrival, ascending, and destination of each parcel."""

    arrive_s: FloatArray
    destination: IntArray

    @classmethod
    def of(cls, parcels: int, destinations: int, skew: float, streams: Streams) -> Day:
        """See `day_arrivals` and `drawn_destinations`."""
        arrive_s = day_arrivals(parcels, streams)
        return cls(arrive_s, drawn_destinations(parcels, destinations, skew, streams))


def allot_chutes(volumes: IntArray, chutes: int) -> list[IntArray]:
    """Chutes of each destination: one each and the rest by volume; shared where destinations outnumber chutes.

    Each further chute goes to the destination with the most parcels per chute (as seats by D'Hondt). Chutes of one
    destination lie apart, so that its robots do not meet. Destinations that share a chute need a second sort, which
    is not simulated.
    """
    order = np.argsort(-volumes, kind="stable")
    if len(volumes) >= chutes:
        number = np.empty(len(volumes), np.int64)
        number[order] = np.arange(len(volumes)) % chutes
        return [np.array([k], np.int64) for k in number.tolist()]
    has = np.ones(len(volumes), np.int64)
    for _ in range(chutes - len(volumes)):
        has[int(np.argmax(volumes / has))] += 1
    # A step that shares no factor with their number visits all chutes, far from each other.
    step = next(s for s in range(max(1, round(chutes * 0.618)), chutes + 1) if np.gcd(s, chutes) == 1)
    place = (np.arange(chutes) * step) % chutes
    ends = np.cumsum(has)
    return [np.sort(place[end - n : end]) for end, n in zip(ends.tolist(), has.tolist(), strict=True)]
