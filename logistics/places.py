"""Where parcels are handed over: generated addresses, lockers, merchants and customers' buildings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from logistics.scenario import AreaSection, Scenario
from logistics.tables import HOME, LOCKER, MERCHANT, NOBODY, FloatArray, IntArray, Places, RowArray

Random = Callable[[str, str], np.random.Generator]

METRES_PER_DEGREE = 6_371_008.8 * np.pi / 180.0
_SIGMA_PER_RADIUS = 1.0 / np.sqrt(2.0 * np.log(3.0))  # two thirds of a round Gaussian lie within the radius


@dataclass(frozen=True, slots=True)
class Addresses:
    """The generated places of a scenario: homes by area, then lockers, then merchants.

    Homes of area a are rows first_home[a] : first_home[a + 1]; `locker` is the place of each home's nearest
    locker of its area's station, NOBODY where there is none.
    """

    places: Places
    first_home: IntArray
    locker: RowArray


def addresses(scenario: Scenario, random: Random) -> Addresses:
    """All generated places. Each area draws from its own stream, address by address: neither other areas nor
    the amount of demand move an address, and more places only add to those there were."""
    areas = scenario.areas
    homes = [home_points(area, random(f"area:{area.id}", "places")) for area in areas]
    first_home = np.cumsum([0, *(len(points) for points in homes)]).astype(np.int64)
    rows = [row for row, site in enumerate(scenario.sites) if site.kind == "locker"]
    rows += [row for row, site in enumerate(scenario.sites) if site.kind == "merchant"]
    handover = np.array([[scenario.sites[row].lon, scenario.sites[row].lat] for row in rows]).reshape(-1, 2)
    kinds = [LOCKER if scenario.sites[row].kind == "locker" else MERCHANT for row in rows]
    points = np.concatenate([*homes, handover])
    area = [np.full(len(points), row) for row, points in enumerate(homes)]
    stations = [scenario.sites[row].station for row in rows]
    area.append(
        np.array(
            [
                nearest_area(areas, point[None, :], station)[0]
                for point, station in zip(handover, stations, strict=True)
            ],
            dtype=np.int64,
        )
    )
    places = Places(
        lon=points[:, 0].copy(),
        lat=points[:, 1].copy(),
        kind=np.concatenate([np.full(first_home[-1], HOME), np.array(kinds, dtype=np.int64)]).astype(
            np.int32
        ),
        area=np.concatenate(area).astype(np.int32),
        site=np.concatenate([np.full(first_home[-1], NOBODY), np.array(rows, dtype=np.int64)]).astype(
            np.int32
        ),
    )
    return Addresses(
        places, first_home, _nearest_locker(scenario, homes, rows, handover, int(first_home[-1]))
    )


def home_points(area: AreaSection, random: np.random.Generator) -> FloatArray:
    """(area.places, 2) lon, lat around the centre; two thirds are expected within `radius_m`."""
    metres = random.standard_normal((area.places, 2)) * (area.radius_m * _SIGMA_PER_RADIUS)
    per_degree = METRES_PER_DEGREE * np.array([np.cos(np.radians(area.lat)), 1.0])
    points: FloatArray = np.array([area.lon, area.lat]) + metres / per_degree
    return points


def nearest_area(areas: list[AreaSection], points: FloatArray, station: str | None = None) -> IntArray:
    """The area with the nearest centre to each point; only areas of `station` where it has any."""
    rows = np.array([row for row, area in enumerate(areas) if area.station == station], dtype=np.int64)
    if not len(rows):
        rows = np.arange(len(areas))
    centres = np.array([[areas[row].lon, areas[row].lat] for row in rows])
    nearest: IntArray = rows[nearest_point(points, centres)]
    return nearest


def nearest_point(points: FloatArray, targets: FloatArray) -> IntArray:
    """Row of the target nearest to each point ((n, 2) lon, lat); flat-earth, good within a region."""
    best = np.full(len(points), np.inf)
    nearest = np.zeros(len(points), dtype=np.int64)
    shrink = np.cos(np.radians(points[:, 1]))
    for row, target in enumerate(targets):  # one column at a time: no points × targets array
        distance = ((points[:, 0] - target[0]) * shrink) ** 2 + (points[:, 1] - target[1]) ** 2
        closer = distance < best
        best[closer] = distance[closer]
        nearest[closer] = row
    return nearest


def with_customers(addresses: Places, points: FloatArray, area: IntArray) -> Places:
    """The places with homes of known customers added behind."""
    count = len(points)
    return Places(
        lon=np.concatenate([addresses.lon, points[:, 0]]),
        lat=np.concatenate([addresses.lat, points[:, 1]]),
        kind=np.concatenate([addresses.kind, np.full(count, HOME, dtype=np.int32)]),
        area=np.concatenate([addresses.area, area.astype(np.int32)]),
        site=np.concatenate([addresses.site, np.full(count, NOBODY, dtype=np.int32)]),
    )


def _nearest_locker(
    scenario: Scenario, homes: list[FloatArray], rows: list[int], handover: FloatArray, first: int
) -> RowArray:
    nearest = []
    for area, points in zip(scenario.areas, homes, strict=True):
        near = [
            number
            for number, row in enumerate(rows)
            if scenario.sites[row].kind == "locker" and scenario.sites[row].station == area.station
        ]
        if near:
            nearest.append(first + np.array(near)[nearest_point(points, handover[near])])
        else:
            nearest.append(np.full(len(points), NOBODY))
    return np.concatenate(nearest).astype(np.int32)
