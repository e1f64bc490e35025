"""The parcel network: sites and the ways between them, by row number and as a networkx graph."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from logistics.scenario import LaneSection, Scenario
from logistics.tables import NOBODY
from logistics.timetable import mean_wait_s

RowArray = NDArray[np.int32]

EARTH_RADIUS_M = 6_371_008.8  # mean radius (IUGG)
_DEFAULT_SPEED_KMH = 50.0  # where a scenario's roads bring their own speeds


class _Named(Protocol):
    @property
    def id(self) -> str: ...


def rows(items: Iterable[_Named]) -> dict[str, int]:
    """Row number by id."""
    return {item.id: row for row, item in enumerate(items)}


@dataclass(frozen=True, slots=True)
class Network:
    """Sites, areas, lanes and the other named things of a scenario by row number.

    `graph` has a node per site row (attributes `id`, `kind`, `lon`, `lat`) and an edge per lane, keyed by the
    lane's id (attributes `lane`: its row, `time_s`: mean scheduled time). Vans connect lockers and merchants
    with their stations: edges with the key "vans" and `lane` -1.
    """

    scenario: Scenario
    graph: nx.MultiDiGraph
    site: dict[str, int]
    area: dict[str, int]
    lane: dict[str, int]
    service: dict[str, int]
    vehicle: dict[str, int]
    container: dict[str, int]
    station_of_area: RowArray  # (areas,) site row of the station that delivers there
    home: RowArray  # (sites,) station row of lockers and merchants, else NOBODY
    lane_origin: RowArray  # (lanes,) site rows
    lane_destination: RowArray

    @classmethod
    def of(cls, scenario: Scenario) -> Network:
        """The network of a checked scenario; raises KeyError on references that `validate` would report."""
        site = rows(scenario.sites)
        graph: nx.MultiDiGraph = nx.MultiDiGraph()
        for row, place in enumerate(scenario.sites):
            graph.add_node(row, id=place.id, kind=place.kind, lon=place.lon, lat=place.lat)
        for row, lane in enumerate(scenario.lanes):
            graph.add_edge(
                site[lane.origin],
                site[lane.destination],
                key=lane.id,
                lane=row,
                time_s=scheduled_time_s(scenario, lane),
            )
        home = np.full(len(scenario.sites), NOBODY, dtype=np.int32)
        for row, place in enumerate(scenario.sites):
            if place.kind in ("locker", "merchant") and place.station is not None:
                home[row] = site[place.station]
                ends = (home[row], row) if place.kind == "locker" else (row, home[row])
                graph.add_edge(int(ends[0]), int(ends[1]), key="vans", lane=NOBODY, time_s=0.0)
        return cls(
            scenario=scenario,
            graph=graph,
            site=site,
            area=rows(scenario.areas),
            lane=rows(scenario.lanes),
            service=rows(scenario.services),
            vehicle=rows(scenario.vehicles),
            container=rows(scenario.containers),
            station_of_area=np.array([site[area.station] for area in scenario.areas], dtype=np.int32),
            home=home,
            lane_origin=np.array([site[lane.origin] for lane in scenario.lanes], dtype=np.int32),
            lane_destination=np.array([site[lane.destination] for lane in scenario.lanes], dtype=np.int32),
        )

    def lanes_between(self, origin: int, destination: int) -> tuple[int, ...]:
        """Rows of the lanes from one site to another, in the order of the scenario."""
        if not self.graph.has_edge(origin, destination):
            return ()
        edges = self.graph[origin][destination].values()
        return tuple(sorted(edge["lane"] for edge in edges if edge["lane"] != NOBODY))

    def stage_names(self, site: int) -> tuple[str, ...]:
        """The working steps of a site, in order."""
        return tuple(stage.name for stage in self.scenario.sites[site].stages)


def great_circle_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Metres along the great circle between two places in degrees (haversine)."""
    phi, other_phi = math.radians(lat), math.radians(other_lat)
    half = (
        math.sin((other_phi - phi) / 2) ** 2
        + math.cos(phi) * math.cos(other_phi) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def scheduled_time_s(scenario: Scenario, lane: LaneSection) -> float:
    """Mean time of a parcel over a lane: wait for the next departure, cut-off, drive at mean speed, and the
    work at the sorting stage it reaches. It ranks ways for the sort plan; the twin keeps its own times."""
    origin = next(site for site in scenario.sites if site.id == lane.origin)
    destination = next(site for site in scenario.sites if site.id == lane.destination)
    speeds = scenario.roads.linehaul_speeds_kmh or scenario.roads.speeds_kmh
    speed_mps = (sum(speeds) / len(speeds) if speeds else _DEFAULT_SPEED_KMH) / 3.6
    metres = scenario.roads.detour_factor * great_circle_m(
        origin.lon, origin.lat, destination.lon, destination.lat
    )
    work_s = sum(stage.service_s + stage.transfer_s for stage in destination.stages if stage.name == "sort")
    return mean_wait_s(lane) + lane.cutoff_s + metres / max(speed_mps, 0.1) + work_s
