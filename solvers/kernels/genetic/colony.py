"""A population at work as an ant colony: as `Evolution`, with ants instead of crossovers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.kernels.genetic import ants as A
from solvers.kernels.genetic import layout as L
from solvers.kernels.genetic.data import Packed
from solvers.kernels.genetic.engine import Evolution, Tuning


@dataclass(frozen=True, slots=True)
class AntTuning:
    """Parameters of the ants, see `solvers.ant_colony.AntColonySolver`."""

    trails: int
    floor: float
    nearness: float
    home: float

    def array(self) -> np.ndarray:
        """The kernels' vector of the ants' parameters."""
        own = np.zeros(8)
        for place, value in (
            (A.FLOOR, self.floor),
            (A.TRAILS, self.trails),
            (A.HOME, self.home),
        ):
            own[place] = value
        return own


class Colony(Evolution):
    """A population of solutions of one packed problem, whose routes are the pheromone of its ants."""

    def __init__(self, packed: Packed, seed: int, tuning: Tuning, ants: AntTuning) -> None:
        super().__init__(packed, seed, tuning)
        head = packed.ints
        starts = head[head[L.NEAR_AT] : head[L.NEAR_AT] + packed.nodes + 1]
        lengths = np.diff(starts)
        rank = np.arange(lengths.sum()) - np.repeat(starts[:-1] - starts[0], lengths)
        self.nearness = (1.0 + rank) ** -ants.nearness
        self.own = ants.array()
        self.ant = np.zeros(A.MOST_TRAILS + max(1, 2 * int(head[L.DIMS])), dtype=np.int64)

    def _call(self, generations: int, given: int) -> None:
        """So many ants, see `solvers.kernels.genetic.ants`."""
        A.colony(
            *self._arrays, self.scratch, self.tune, self.nearness, self.ant, self.own, generations, given
        )
