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

    evaporation: float
    floor: float
    fewest: int
    most: int
    laid_every: int
    nearness: float

    def array(self) -> np.ndarray:
        """The kernels' vector of the ants' parameters."""
        own = np.zeros(8)
        for place, value in (
            (A.EVAPORATION, self.evaporation),
            (A.FLOOR, self.floor),
            (A.FEWEST, self.fewest),
            (A.MOST, self.most),
            (A.LAID_EVERY, self.laid_every),
        ):
            own[place] = value
        return own


class Colony(Evolution):
    """A population of solutions of one packed problem, and the pheromone that it lays."""

    def __init__(self, packed: Packed, seed: int, tuning: Tuning, ants: AntTuning) -> None:
        super().__init__(packed, seed, tuning)
        head = packed.ints
        starts = head[head[L.NEAR_AT] : head[L.NEAR_AT] + packed.nodes + 1]
        lengths = np.diff(starts)
        rank = np.arange(lengths.sum()) - np.repeat(starts[:-1] - starts[0], lengths)
        nearness = (1.0 + rank) ** -ants.nearness
        level = np.full(len(rank), 0.1)
        self.pheromone = np.concatenate([level, nearness, level * nearness])
        self.own = ants.array()

    def _call(self, generations: int, given: int) -> None:
        """So many ants, see `solvers.kernels.genetic.ants`."""
        A.colony(*self._arrays, self.scratch, self.tune, self.pheromone, self.own, generations, given)
