"""The vehicles of the fleet one by one, from the counts in the scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logistics.network import RowArray, rows
from logistics.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Fleet:
    """Vans and drones, one row each, in the order of the scenario's `fleet`. Times are clock seconds."""

    id: tuple[str, ...]  # "st-1:van:1", ...
    kind: RowArray  # row of the scenario's vehicles
    site: RowArray  # row of the station it is based at
    opens_s: NDArray[np.int64]  # its daily shift, local clock
    closes_s: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.id)

    def at(self, site: int) -> NDArray[np.int64]:
        """Rows of the vehicles based at a site."""
        return np.flatnonzero(self.site == site)

    @classmethod
    def of(cls, scenario: Scenario) -> Fleet:
        """All vehicles of a checked scenario, its counts times `fleet_scale`."""
        site, vehicle = rows(scenario.sites), rows(scenario.vehicles)
        ids: list[str] = []
        kinds: list[int] = []
        sites: list[int] = []
        opens: list[int] = []
        closes: list[int] = []
        numbers: dict[tuple[str, str], int] = {}
        for section, count in zip(scenario.fleet, scaled_counts(scenario), strict=True):
            for _ in range(count):
                number = numbers.get((section.site, section.vehicle), 0) + 1
                numbers[section.site, section.vehicle] = number
                ids.append(f"{section.site}:{section.vehicle}:{number}")
                kinds.append(vehicle[section.vehicle])
                sites.append(site[section.site])
                opens.append(section.shift.opens)
                closes.append(section.shift.closes)
        return cls(
            tuple(ids),
            np.array(kinds, dtype=np.int32),
            np.array(sites, dtype=np.int32),
            np.array(opens, dtype=np.int64),
            np.array(closes, dtype=np.int64),
        )


def scaled_counts(scenario: Scenario) -> list[int]:
    """Vehicles per `fleet` row after scaling.

    Rounding is carried from row to row of the same vehicle, so that the total of each kind is what the scale
    says: ten stations with one van each keep eight vans, not ten, at 0.8.
    """
    wanted: dict[str, float] = {}
    given: dict[str, int] = {}
    counts = []
    for section in scenario.fleet:
        kind = section.vehicle
        wanted[kind] = wanted.get(kind, 0.0) + section.count * scenario.fleet_scale
        count = math.floor(wanted[kind] + 0.5 + 1e-9) - given.get(kind, 0)
        given[kind] = given.get(kind, 0) + count
        counts.append(count)
    return counts
