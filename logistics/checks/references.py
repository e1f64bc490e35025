"""References between the parts of a scenario, and ids that are given twice."""

from __future__ import annotations

from logistics.checks.findings import Findings
from logistics.schema_faults import Location

_LISTS = ("sites", "areas", "vehicles", "lanes", "containers", "services", "demand.sizes")
ANY = "*"


def check_references(findings: Findings) -> None:
    """Every name that stands for something else must be its id, and ids must be unique."""
    for section in _LISTS:
        _unique(findings, section)
    scenario = findings.scenario
    for i, site in enumerate(scenario.sites):
        if site.station is not None:
            findings.known("sites", site.station, ("sites", i, "station"))
    for i, area in enumerate(scenario.areas):
        findings.known("sites", area.station, ("areas", i, "station"))
    for i, fleet in enumerate(scenario.fleet):
        findings.known("sites", fleet.site, ("fleet", i, "site"))
        findings.known("vehicles", fleet.vehicle, ("fleet", i, "vehicle"))
    for i, lane in enumerate(scenario.lanes):
        findings.known("sites", lane.origin, ("lanes", i, "origin"))
        findings.known("sites", lane.destination, ("lanes", i, "destination"))
        findings.known("vehicles", lane.vehicle, ("lanes", i, "vehicle"))
    for i, disruption in enumerate(scenario.disruptions):
        if disruption.kind == "slow_roads":
            continue
        section = "lanes" if disruption.kind == "lane_closed" else "sites"
        if disruption.target is None:
            place: Location = ("disruptions", i)
            findings.add(place, "missing-key", '"target" is missing here', f"add target = an id of {section}")
        elif findings.known(section, disruption.target, ("disruptions", i, "target")):
            _closable(findings, i, disruption.target)
    _sort_plan(findings)
    _demand(findings)
    _dispatch(findings)


def _closable(findings: Findings, i: int, target: str) -> None:
    """Report the closing of a site at which nobody works: it would change nothing."""
    disruption = findings.scenario.disruptions[i]
    kind = next((site.kind for site in findings.scenario.sites if site.id == target), "hub")
    if disruption.kind == "site_closed" and kind not in ("warehouse", "hub", "station"):
        findings.add(
            ("disruptions", i, "target"),
            "wrong-kind",
            f"this is a {kind}; only warehouses, hubs and stations can close",
            "name one of those",
            value=target,
        )


def _unique(findings: Findings, section: str) -> None:
    seen: set[str] = set()
    keys = section.split(".")
    items = findings.scenario.demand if keys[0] == "demand" else getattr(findings.scenario, keys[0])
    if keys[0] == "demand":
        items = items.sizes if items is not None else []
    for i, item in enumerate(items):
        if item.id in seen:
            findings.broken.add(keys[0])
            findings.add(
                (*keys, i, "id"),
                "duplicate-id",
                "this id is given twice",
                "rename or remove one of the two",
                value=item.id,
            )
        seen.add(item.id)


def _sort_plan(findings: Findings) -> None:
    plan = findings.scenario.sort_plan
    if plan is None:
        return
    if plan.container is not None:
        findings.known("containers", plan.container, ("sort_plan", "container"))
    elif plan.derive and len(findings.ids("containers")) > 1:
        findings.add(
            ("sort_plan",),
            "missing-key",
            '"container" is missing: derived rows need one of the containers',
            f"add container = one of {', '.join(findings.ids('containers'))}",
        )
    seen: set[tuple[str, str, str]] = set()
    for i, row in enumerate(plan.rows):
        place: Location = ("sort_plan", "rows", i)
        findings.known("sites", row.site, (*place, "site"))
        findings.known("sites", row.next, (*place, "next"))
        findings.known("containers", row.container, (*place, "container"))
        if row.area != ANY:
            findings.known("areas", row.area, (*place, "area"))
        if row.service != ANY:
            findings.known("services", row.service, (*place, "service"))
        key = (row.site, row.area, row.service)
        if key in seen:
            findings.add(
                place,
                "duplicate-row",
                "another row has the same site, area and service",
                "keep one of the two",
                value=" ".join(key),
            )
        seen.add(key)


def _demand(findings: Findings) -> None:
    demand = findings.scenario.demand
    if demand is None:
        return
    for i, stream in enumerate(demand.streams):
        place: Location = ("demand", "streams", i)
        for key, section in (
            ("origins", "sites"),
            ("services", "services"),
            ("areas", "areas"),
            ("sizes", "demand.sizes"),
        ):
            for name in getattr(stream, key):
                findings.known(section, name, (*place, key, name))
    if demand.order_file is not None:
        findings.known("sites", demand.order_file.warehouse, ("demand", "order_file", "warehouse"))
        findings.known("services", demand.order_file.service, ("demand", "order_file", "service"))


def _dispatch(findings: Findings) -> None:
    dispatch = findings.scenario.dispatch
    if dispatch is None:
        return
    for key in ("warehouse_waves", "delivery_waves", "collection_waves"):
        for i, wave in enumerate(getattr(dispatch, key)):
            for k, name in enumerate(wave.services):
                findings.known("services", name, ("dispatch", key, i, "services", k))
