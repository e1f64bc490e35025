"""Whether sorters can be built as declared, and what goes wrong in them and in storages be simulated."""

from __future__ import annotations

from logistics.checks.findings import Findings, check_equipment
from logistics.scenario import DisruptionSection, SiteSection
from logistics.schema_faults import Location
from logistics.sorting import SORTING_KINDS, SortingSection, belt_cells, floor_limits

_IN_SORTERS = ("chute_blocked", "induction_closed", "robot_stopped")
_IN_STORAGES = ("robot_stopped", "station_closed", "stock_wrong")


def check_sorting(findings: Findings, place: Location, site: SiteSection) -> None:
    """Sorters only at hubs and stations, with parameters of their own kind and room."""
    sorting = site.sorting
    if sorting is None:
        return
    where = (*place, "sorting")
    if not check_equipment(
        findings, place, "sorting", SORTING_KINDS, ("hub", "station"), "sorting-not-for-kind"
    ):
        return
    if sorting.kind == "robots":
        for name, most in floor_limits(sorting.robots).items():
            asked = getattr(sorting.robots, name)
            if asked > most:
                findings.add(
                    (*where, "robots", name),
                    "sorter-too-small",
                    f"so many chutes leave room for {most}",
                    f"write at most {most}, or more chute_rows or chute_columns",
                    value=asked,
                )
    else:
        belt, cells = sorting.cross_belt, belt_cells(sorting.cross_belt)
        if belt.chutes + belt.inductions > cells:
            findings.add(
                (*where, "cross_belt", "length_m"),
                "sorter-too-small",
                f"{belt.chutes} chutes and {belt.inductions} inductions do not fit beside {cells} cells",
                f"write at least {(belt.chutes + belt.inductions) * belt.pitch_m:g}, or fewer chutes",
                value=belt.length_m,
            )


def check_inside_disruptions(findings: Findings) -> None:
    """Disruptions inside sorters and storages: there is one of that kind, simulated in full, the number exists."""
    sites = {site.id: site for site in findings.scenario.sites}
    for i, disruption in enumerate(findings.scenario.disruptions):
        kind, site = disruption.kind, sites.get(disruption.target or "")
        if site is None or kind not in _IN_SORTERS + _IN_STORAGES:
            continue
        place: Location = ("disruptions", i)
        if kind in _IN_STORAGES and (kind not in _IN_SORTERS or site.kind == "warehouse"):
            _in_storage(findings, place, disruption, site)
            continue
        sorting = site.sorting
        if sorting is None or (kind == "robot_stopped" and sorting.kind != "robots"):
            lacks = "a sorter" if sorting is None else "robots"
            findings.add(
                (*place, "target"),
                "no-sorter",
                f"{kind} needs {lacks} there",
                "name a site with [sites.sorting]" + (' of kind "robots"' if sorting else ""),
                value=disruption.target,
            )
            continue
        if sorting.kind == "robots" and not sorting.full:
            findings.add(
                (*place, "target"),
                "sorting-needs-full",
                "the day-long curve knows no single chute, induction or robot",
                f"write sorting.full = true at site {disruption.target}",
                value=disruption.target,
            )
        _exists(findings, place, disruption, _number(sorting, kind), "too-few-chutes")


def _in_storage(
    findings: Findings, place: Location, disruption: DisruptionSection, site: SiteSection
) -> None:
    storage = site.storage
    systems = {
        "robot_stopped": ("goods_to_person",),
        "station_closed": ("goods_to_person", "picker_to_parts"),
        "stock_wrong": ("goods_to_person", "picker_to_parts"),
    }[disruption.kind]
    if storage is None or storage.kind not in systems:
        findings.add(
            (*place, "target"),
            "no-storage",
            f"{disruption.kind} needs {' or '.join(systems)} there",
            "name a site with such [sites.storage]",
            value=disruption.target,
        )
    elif disruption.kind == "stock_wrong":
        if not disruption.units:
            findings.add((*place, "units"), "missing-key", "no unit vanishes", "add units = their number")
    else:
        robots, walk = storage.goods_to_person, storage.picker_to_parts
        stations = robots.stations if storage.kind == "goods_to_person" else walk.zones
        most = robots.robots if disruption.kind == "robot_stopped" else stations
        _exists(findings, place, disruption, most, "too-few-stations")


def _exists(findings: Findings, place: Location, disruption: DisruptionSection, most: int, code: str) -> None:
    if disruption.number >= most:
        findings.add(
            (*place, "number"),
            code,
            f"{disruption.target} has {most} of them",
            f"write 0 to {most - 1}",
            value=disruption.number,
        )


def _number(sorting: SortingSection, kind: str) -> int:
    robots, belt = sorting.robots, sorting.cross_belt
    if kind == "robot_stopped":
        return robots.robots
    if kind == "induction_closed":
        return robots.inductions if sorting.kind == "robots" else belt.inductions
    return robots.chute_rows * robots.chute_columns if sorting.kind == "robots" else belt.chutes
