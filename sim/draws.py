"""Draws addressed by number: the same number, purpose and seed give the same draw, whatever else is drawn.

A counter-based generator (the SplitMix64 finaliser of Steele, Lea and Flood 2014, over key + number) makes
vectors of draws for any numbers in any order, so that two policies face the same luck parcel by parcel (common
random numbers) without an array per purpose in memory.

Parcels are addressed by `parcel_keys`, which name the parcel itself and not its row: a parcel keeps its luck when
others are ordered too, or when another run goes on with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from logistics.marks import keys_of
from logistics.tables import Demand
from sim.random_streams import Streams

KeyArray = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def parcel_keys(demand: Demand, start_epoch_s: int) -> KeyArray:
    """(parcels,) uint64 keys: of each order's reference and moment, and of the parcel's number in it."""
    orders, order = demand.orders, demand.parcels.order
    with np.errstate(over="ignore"):
        of_order = keys_of(orders.reference) + (orders.placed_s + start_epoch_s).astype(np.uint64) * _MIX_1
        number = np.arange(len(order)) - np.searchsorted(order, order)
        keys: KeyArray = of_order[order] + number.astype(np.uint64) * _MIX_2
    return keys


def attempt_keys(keys: KeyArray, attempts: NDArray[np.int64]) -> KeyArray:
    """Keys of attempts at the door: each attempt of a parcel has its own luck."""
    with np.errstate(over="ignore"):
        return keys + attempts.astype(np.uint64) * _MIX_1


class RowDraws:
    """Draws for one purpose, such as "first attempt" or "service time of sort at hub-1"."""

    def __init__(self, streams: Streams, entity: str, purpose: str) -> None:
        self._key = np.uint64(streams.spawn_seed(entity, purpose) & 0xFFFFFFFFFFFFFFFF)

    def uniform(self, numbers: Any) -> NDArray[np.float64]:
        """Uniform draws in (0, 1), one per number (whole, read as uint64)."""
        with np.errstate(over="ignore"):
            z = self._key + (np.asarray(numbers).astype(np.uint64) + np.uint64(1)) * _GOLDEN
            z = (z ^ (z >> np.uint64(30))) * _MIX_1
            z = (z ^ (z >> np.uint64(27))) * _MIX_2
            z ^= z >> np.uint64(31)
        return ((z >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53

    def multiplier(self, numbers: Any, cv: float) -> NDArray[np.float64]:
        """Lognormal factors with mean 1 and coefficient of variation `cv`, one per number."""
        if cv == 0:
            return np.ones(np.shape(numbers))
        variance = np.log1p(cv * cv)
        power = np.asarray(np.sqrt(variance) * ndtri(self.uniform(numbers)) - variance / 2)
        # of doubles the last digit depends on the processor's vector unit
        return np.exp(power.astype(np.longdouble)).astype(np.float64)

    def exponential(self, numbers: Any, mean: float) -> NDArray[np.float64]:
        """Exponential draws of this mean, one per number; in long doubles as `multiplier`."""
        return -mean * np.log(self.uniform(numbers).astype(np.longdouble)).astype(np.float64)
