"""The vehicles of the fleet one by one, from the counts in the scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass

from logistics.network import rows
from logistics.scenario import ClockWindow, Scenario


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One van or drone."""

    id: str  # "st-1:van:1", ...
    kind: str  # id of the scenario's vehicle
    site: int  # row of the station it is based at
    shift: ClockWindow


def fleet_of(scenario: Scenario) -> tuple[Vehicle, ...]:
    """All vehicles of a checked scenario in the order of its `fleet`, counts times `fleet_scale`."""
    site = rows(scenario.sites)
    vehicles: list[Vehicle] = []
    numbers: dict[tuple[str, str], int] = {}
    for section, count in zip(scenario.fleet, scaled_counts(scenario), strict=True):
        for _ in range(count):
            number = numbers.get((section.site, section.vehicle), 0) + 1
            numbers[section.site, section.vehicle] = number
            name = f"{section.site}:{section.vehicle}:{number}"
            vehicles.append(Vehicle(name, section.vehicle, site[section.site], section.shift))
    return tuple(vehicles)


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
