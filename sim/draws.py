"""Draws addressed by row: the same row, purpose and seed give the same number, whatever else is drawn.

A counter-based generator (the SplitMix64 finaliser of Steele, Lea and Flood 2014, over key + row) makes
vectors of draws for any rows in any order, so that two policies face the same luck parcel by parcel (common
random numbers) without an array per purpose in memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from sim.random_streams import Streams

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


class RowDraws:
    """Draws for one purpose, such as "first attempt" or "service time of sort at hub-1"."""

    def __init__(self, streams: Streams, entity: str, purpose: str) -> None:
        self._key = np.uint64(streams.spawn_seed(entity, purpose) & 0xFFFFFFFFFFFFFFFF)

    def uniform(self, rows: Any) -> NDArray[np.float64]:
        """Uniform draws in (0, 1), one per row number."""
        with np.errstate(over="ignore"):
            z = self._key + (np.asarray(rows).astype(np.uint64) + np.uint64(1)) * _GOLDEN
            z = (z ^ (z >> np.uint64(30))) * _MIX_1
            z = (z ^ (z >> np.uint64(27))) * _MIX_2
            z ^= z >> np.uint64(31)
        return ((z >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53

    def multiplier(self, rows: Any, cv: float) -> NDArray[np.float64]:
        """Lognormal factors with mean 1 and coefficient of variation `cv`, one per row number."""
        if cv == 0:
            return np.ones(np.shape(rows))
        variance = np.log1p(cv * cv)
        return np.asarray(np.exp(np.sqrt(variance) * ndtri(self.uniform(rows)) - variance / 2))
