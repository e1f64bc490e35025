"""Random numbers that belong to a thing, not to its turn: the same key and counter give the same number.

A stream of draws shifts for everyone behind a row that is added or left out; marks don't. They are a
counter-based generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) with the
finaliser of SplitMix64 (Steele, Lea & Flood 2014) as its bijection.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logistics.tables import FloatArray, IntArray

Keys = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_UNIT = 2.0**-53


class Marks:
    """Uniform marks of one run and purpose."""

    def __init__(self, random: np.random.Generator) -> None:
        self._seed = random.integers(0, 2**64, dtype=np.uint64)

    def uniform(self, keys: Keys, counter: IntArray | int, purpose: int) -> FloatArray:
        """Numbers in [0, 1) for keys and counters (broadcast); purposes are independent of one another."""
        with np.errstate(over="ignore"):
            state = _mixed(keys ^ _mixed(np.asarray(self._seed + np.uint64(purpose) * _GOLDEN)))
            state = _mixed(state + (np.asarray(counter, dtype=np.int64).astype(np.uint64)) * _GOLDEN)
        uniform: FloatArray = (state >> np.uint64(11)).astype(np.float64) * _UNIT
        return uniform


def keys_of(names: Sequence[str] | NDArray[np.object_]) -> Keys:
    """64-bit keys of names; equal names have equal keys on every machine."""
    return pd.util.hash_array(np.asarray(names, dtype=object)).astype(np.uint64)


def _mixed(state: Keys) -> Keys:
    with np.errstate(over="ignore"):
        state = state + _GOLDEN
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return state ^ (state >> np.uint64(31))
