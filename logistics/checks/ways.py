"""Whether parcels can get from where they start to the areas they are for, by the sort plan and the lanes."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np

from logistics.checks.files import Tables
from logistics.checks.findings import Findings
from logistics.network import Network
from logistics.sort_plan import SortPlan, compile_plan
from logistics.tables import NOBODY

_LISTED = 6  # areas or sites named in one message


def check_ways(findings: Findings, tables: Tables) -> None:
    """Report loops of the sort plan, steps without a lane, and areas that demand can't reach.

    Only where all references between sites, areas, lanes and the plan hold: on a broken network everything
    would seem unreachable.
    """
    parts = ("sites", "areas", "lanes", "services", "containers", "sort_plan", "roads")
    if not findings.sound(*parts):
        return
    scenario = findings.scenario
    network = Network.of(scenario)
    plan = compile_plan(network, [*scenario.sort_plan.rows, *tables.plan])
    steps = _Steps(findings, network, plan)
    for (site, area), services in sorted(_wanted(findings, network, tables).items()):
        for service in sorted(services):
            steps.follow(site, area, service)
    steps.report()


def _wanted(findings: Findings, network: Network, tables: Tables) -> dict[tuple[int, int], set[int]]:
    """(first site, area) -> services of all parcels that may be ordered."""
    scenario = findings.scenario
    wanted: dict[tuple[int, int], set[int]] = defaultdict(set)
    demand = scenario.demand
    if demand is None:
        return wanted
    weighted = [area.id for area in scenario.areas if area.weight > 0]
    for stream in demand.streams:
        if stream.per_day == 0:
            continue
        areas = [name for name, weight in stream.areas.items() if weight > 0] or weighted
        services = {
            network.service[name]
            for name, weight in stream.services.items()
            if name in network.service and weight > 0
        }
        for origin, weight in stream.origins.items():
            if weight > 0 and origin in network.site:
                for area in areas:
                    if area in network.area:
                        wanted[network.site[origin], network.area[area]] |= services
    if tables.volumes is not None:
        volumes = tables.volumes
        some = volumes.parcels > 0
        keys = np.unique(np.stack([volumes.origin, volumes.area, volumes.service])[:, some], axis=1)
        for site, area, service in keys.T.tolist():
            wanted[site, area].add(service)
    order_file = demand.order_file
    if (
        order_file is not None
        and order_file.warehouse in network.site
        and order_file.service in network.service
    ):
        for row in range(len(scenario.areas)):
            wanted[network.site[order_file.warehouse], row].add(network.service[order_file.service])
    return wanted


class _Steps:
    """Follows the plan for each kind of parcel and gathers what is wrong, so that one cause is one fault."""

    def __init__(self, findings: Findings, network: Network, plan: SortPlan) -> None:
        self._findings = findings
        self._network = network
        self._plan = plan
        self._seen: set[tuple[int, int, int]] = set()
        self._loops: dict[frozenset[int], tuple[list[int], set[int]]] = {}
        self._without_lane: dict[tuple[int, int], set[int]] = defaultdict(set)
        # (site where the plan ends, delivering station) -> (areas, first sites)
        self._dead_ends: dict[tuple[int, int], tuple[set[int], set[int]]] = defaultdict(
            lambda: (set(), set())
        )

    def follow(self, site: int, area: int, service: int) -> None:
        if (site, area, service) in self._seen:
            return
        self._seen.add((site, area, service))
        way = self._plan.way(site, area, service)
        station = int(self._network.station_of_area[area])
        for origin, destination in pairwise(way):
            by_van = self._network.home[origin] == destination
            if not by_van and not self._network.lanes_between(origin, destination):
                self._without_lane[origin, destination].add(area)
        if way[-1] in way[:-1]:
            loop = way[way.index(way[-1]) :]
            self._loops.setdefault(frozenset(loop), (loop, set()))[1].add(area)
        elif way[-1] != station or self._plan.next_site[station, area, service] == NOBODY:
            areas, origins = self._dead_ends[way[-1], station]
            areas.add(area)
            origins.add(site)

    def report(self) -> None:
        findings, sites = self._findings, self._network.scenario.sites
        for loop, areas in self._loops.values():
            findings.add(
                ("sort_plan",),
                "sort-plan-loop",
                f"parcels for {self._areas(areas)} come back to a site they have passed",
                "mend the rows of these sites so that each step comes nearer to the area's station",
                value=" > ".join(sites[row].id for row in loop),
            )
        for (origin, destination), areas in self._without_lane.items():
            findings.add(
                ("sort_plan",),
                "step-without-lane",
                f"the plan sends parcels for {self._areas(areas)} from {sites[origin].id} to "
                f"{sites[destination].id}, but no lane goes there",
                f'add a lane from "{sites[origin].id}" to "{sites[destination].id}", or change the row',
                value=f"{sites[origin].id} > {sites[destination].id}",
            )
        for (end, station), (areas, origins) in self._dead_ends.items():
            findings.add(
                ("areas", min(areas), "station"),
                "unreachable-area",
                f"parcels for {self._areas(areas)} from {self._sites(origins)} get no further than "
                f"{sites[end].id} on their way to {sites[station].id}",
                f"add lanes (or a sort plan row) from {sites[end].id} towards {sites[station].id}",
                value=sites[station].id,
            )

    def _areas(self, rows: set[int]) -> str:
        return _listed([self._network.scenario.areas[row].id for row in sorted(rows)])

    def _sites(self, rows: set[int]) -> str:
        return _listed([self._network.scenario.sites[row].id for row in sorted(rows)])


def _listed(names: list[str]) -> str:
    text = ", ".join(names[:_LISTED])
    return text if len(names) <= _LISTED else f"{text} and {len(names) - _LISTED} more"
