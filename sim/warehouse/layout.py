"""One block of parallel aisles between a front and a back cross aisle: places, distances, ranks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.warehouse.orders import FloatArray, IntArray, RowArray


@dataclass(frozen=True, slots=True)
class AisleBlock:
    """`aisles` parallel aisles with `bays` on each of two sides and `levels` shelves in reach above each
    other.

    Aisles are narrow: both sides are picked without crossing. The way along an aisle is measured from the
    middle of the front cross aisle (0) to that of the back one (`length_m`). The depot stands in the front
    cross aisle before aisle `depot_aisle`. Location `l` lies in aisle `l // per_aisle`.
    """

    aisles: int
    bays: int
    levels: int = 1
    aisle_pitch_m: float = 4.0
    bay_m: float = 1.2
    cross_aisle_m: float = 3.0
    depot_aisle: int = 0

    def __post_init__(self) -> None:
        if min(self.aisles, self.bays, self.levels) < 1 or not 0 <= self.depot_aisle < self.aisles:
            raise ValueError(
                f"{self.aisles} aisles of {self.bays} bays and {self.levels} levels, depot before aisle "
                f"{self.depot_aisle}; give at least one of each and a depot before one of the aisles"
            )

    @property
    def per_aisle(self) -> int:
        return 2 * self.bays * self.levels

    @property
    def locations(self) -> int:
        return self.aisles * self.per_aisle

    @property
    def length_m(self) -> float:
        return self.bays * self.bay_m + self.cross_aisle_m

    @property
    def aisle(self) -> RowArray:
        """(locations,) aisle of each location."""
        return np.repeat(np.arange(self.aisles, dtype=np.int32), self.per_aisle)

    @property
    def along_m(self) -> FloatArray:
        """(locations,) way from the front cross aisle to each location, nearest bays first within an aisle."""
        bay = np.repeat(np.arange(self.bays), 2 * self.levels)
        way = self.cross_aisle_m / 2 + (bay + 0.5) * self.bay_m
        return np.tile(way, self.aisles)

    @property
    def from_depot_m(self) -> FloatArray:
        """(locations,) shortest way from the depot."""
        return np.abs(self.aisle - self.depot_aisle) * self.aisle_pitch_m + self.along_m

    def by_distance(self) -> IntArray:
        """Locations from the nearest to the depot to the farthest."""
        return np.argsort(self.from_depot_m, kind="stable")

    def by_aisle(self) -> IntArray:
        """Locations aisle by aisle, the aisle nearest to the depot first, its nearest bays first."""
        away = np.abs(self.aisle - self.depot_aisle)
        return np.lexsort((np.arange(self.locations), self.along_m, self.aisle, away))


def expected_aisles_visited(aisles: int, picks: int) -> float:
    """Aisles that a tour of `picks` picks enters when each falls into any aisle alike: M(1 − (1 − 1/M)^n)."""
    return aisles * (1.0 - (1.0 - 1.0 / aisles) ** picks)
