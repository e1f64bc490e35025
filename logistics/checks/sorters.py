"""Whether sorters can be built as declared, and whether what goes wrong inside them can be simulated."""

from __future__ import annotations

from logistics.checks.findings import Findings, check_equipment
from logistics.scenario import SiteSection
from logistics.schema_faults import Location
from logistics.sorting import SORTING_KINDS, SortingSection, belt_cells, floor_limits

_INSIDE = ("chute_blocked", "induction_closed", "robot_stopped")


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


def check_sorter_disruptions(findings: Findings) -> None:
    """Disruptions inside sorters: there is one of that kind, it is simulated in full, the number exists."""
    sites = {site.id: site for site in findings.scenario.sites}
    for i, disruption in enumerate(findings.scenario.disruptions):
        if disruption.kind not in _INSIDE or disruption.target not in sites:
            continue
        sorting = sites[disruption.target].sorting
        place: Location = ("disruptions", i)
        if sorting is None or (disruption.kind == "robot_stopped" and sorting.kind != "robots"):
            lacks = "a sorter" if sorting is None else "robots"
            findings.add(
                (*place, "target"),
                "no-sorter",
                f"{disruption.kind} needs {lacks} there",
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
        most = _number(sorting, disruption.kind)
        if disruption.number >= most:
            findings.add(
                (*place, "number"),
                "too-few-chutes",
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
