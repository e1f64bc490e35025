"""The sort plan: at a site, where a parcel for an area and a service class goes next, and in what container.

The twin obeys this table; nothing else decides about a parcel's way. Rows come from the scenario (the most
specific row wins, an area counts more than a service) and, for what no row covers, from the lanes: the way of
least mean scheduled time to the area's station.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np

from logistics.network import Network, RowArray
from logistics.scenario import Scenario, SortRow
from logistics.tables import NOBODY

COLUMNS = ("site", "area", "service", "next", "container")
ANY = "*"


@dataclass(frozen=True, slots=True)
class SortPlan:
    """The plan as arrays over (site, area, service) rows, int32.

    `next_site` is the row of the next site, the site itself where it delivers to the area, NOBODY where the
    plan knows no way. `container` is the row of the container used, NOBODY where none is.
    """

    next_site: RowArray
    container: RowArray

    @classmethod
    def of(cls, network: Network) -> SortPlan:
        """The plan of a checked scenario: its rows, its CSV file and what the lanes add."""
        return compile_plan(network, list(plan_rows(network.scenario)))

    def way(self, site: int, area: int, service: int) -> list[int]:
        """Site rows a parcel passes from `site` to the delivering station, both included.

        Ends early, at the site without a next, or where the plan comes back to a site passed before (that
        site is then the last element again).
        """
        passed = [site]
        while True:
            following = int(self.next_site[passed[-1], area, service])
            if following in (NOBODY, passed[-1]):
                return passed
            passed.append(following)
            if following in passed[:-1]:
                return passed

    def ends(self) -> tuple[RowArray, RowArray]:
        """Where following the plan leads, over (site, area, service): the last site, and whether it loops.

        `ends[0]` is the delivering station, or the site at which the plan stops, or NOBODY in a loop;
        `ends[1]` is 1 in a loop.
        """
        sites, areas, services = self.next_site.shape
        area = np.arange(areas)[None, :, None]
        service = np.arange(services)[None, None, :]
        here = np.broadcast_to(np.arange(sites, dtype=np.int32)[:, None, None], self.next_site.shape).copy()
        for _ in range(sites):
            following = self.next_site[here, area, service]
            moved = np.where(following == NOBODY, here, following)
            if (moved == here).all():
                return here, np.zeros_like(here)
            here = moved
        following = self.next_site[here, area, service]
        loops = (following != NOBODY) & (following != here)
        return np.where(loops, NOBODY, here).astype(np.int32), loops.astype(np.int32)


def plan_rows(scenario: Scenario) -> Iterator[SortRow]:
    """All explicit rows: those in the scenario, then those of its CSV file."""
    yield from scenario.sort_plan.rows
    if scenario.sort_plan.path is not None:
        for _, row in read_rows(scenario.path(scenario.sort_plan.path)):
            yield SortRow(**row)


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, row) of a sort plan CSV; an empty area or service means all."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restval="")
        for row in reader:
            text = {column: (row.get(column) or "").strip() for column in COLUMNS}
            text["area"] = text["area"] or ANY
            text["service"] = text["service"] or ANY
            yield reader.line_num, text


def specificity(row: SortRow) -> int:
    """How much a row names: rows that name more win."""
    return 2 * (row.area != ANY) + (row.service != ANY)


def compile_plan(network: Network, plan: list[SortRow]) -> SortPlan:
    """Lay derived ways, then rows from the least to the most specific, then the delivering stations."""
    shape = (len(network.site), len(network.area), len(network.service))
    next_site = np.full(shape, NOBODY, dtype=np.int32)
    container = np.full(shape, NOBODY, dtype=np.int32)
    section = network.scenario.sort_plan
    if section.derive:
        usual = network.container[section.container] if section.container is not None else 0
        for station in np.unique(network.station_of_area).tolist():
            served = network.station_of_area == station
            for site, following in _ways_to(network, station).items():
                next_site[site, served, :] = following
                container[site, served, :] = usual
    everything = slice(None)
    for row in sorted(plan, key=specificity):  # stable: of equals the later wins
        where = (
            network.site[row.site],
            everything if row.area == ANY else network.area[row.area],
            everything if row.service == ANY else network.service[row.service],
        )
        next_site[where] = network.site[row.next]
        container[where] = network.container[row.container]
    for merchant in np.flatnonzero(network.home != NOBODY).tolist():
        if network.graph.nodes[merchant]["kind"] == "merchant":
            next_site[merchant] = network.home[merchant]
    areas = np.arange(shape[1])
    next_site[network.station_of_area, areas, :] = network.station_of_area[:, None]
    container[network.station_of_area, areas, :] = NOBODY
    return SortPlan(next_site, container)


def _ways_to(network: Network, station: int) -> dict[int, int]:
    """Next site towards `station` for every site that reaches it over lanes, by least scheduled time.

    Parcels change trucks only where they are sorted, and never in another warehouse.
    """
    kinds = nx.get_node_attributes(network.graph, "kind")

    def passable(origin: int, _destination: int, edges: dict[str, dict[str, float]]) -> float | None:
        # The search runs backwards from the station: `origin` is nearer to it.
        through = origin
        if through != station and (
            kinds[through] == "warehouse" or "sort" not in network.stage_names(through)
        ):
            return None
        times = [edge["time_s"] for edge in edges.values() if edge["lane"] != NOBODY]
        return min(times) if times else None

    reverse = network.graph.reverse(copy=False)
    paths: dict[int, list[int]] = nx.single_source_dijkstra_path(reverse, station, weight=passable)
    return {site: path[-2] for site, path in paths.items() if len(path) > 1}
