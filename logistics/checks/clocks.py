"""Whether moments, promises and waves fit together."""

from __future__ import annotations

from datetime import timedelta

from logistics.checks.files import Tables
from logistics.checks.findings import Findings

DAY_S = 86_400


def check_clocks(findings: Findings, tables: Tables) -> None:
    """The measuring window and disruptions inside the horizon, promises that can be kept, waves for all."""
    _moments(findings)
    for i, service in enumerate(findings.scenario.services):
        if (
            service.promise_day == 0
            and service.promise_clock is not None
            and service.promise_clock <= service.order_cutoff
        ):
            findings.add(
                ("services", i, "promise_clock"),
                "promise-before-order",
                "orders placed up to the cut-off are promised for a time already past",
                "set order_cutoff earlier than promise_clock, or promise_day = 1",
                value=f"{service.promise_clock // 3600:02d}:{service.promise_clock // 60 % 60:02d}",
            )
    _doors(findings)
    _waves(findings, tables)


def _doors(findings: Findings) -> None:
    """Report stations whose vans and drones are all off duty while doors are open."""
    scenario = findings.scenario
    if scenario.delivery is None or not findings.sound("fleet", "vehicles", "delivery", "areas"):
        return
    doors = scenario.delivery.window
    roles = {vehicle.id: vehicle.role for vehicle in scenario.vehicles}
    for station in sorted({area.station for area in scenario.areas}):
        shifts = [
            fleet.shift
            for fleet in scenario.fleet
            if fleet.site == station and roles.get(fleet.vehicle) in ("delivery", "drone")
        ]
        met = (
            shift.opens + days * DAY_S < doors.closes and doors.opens < shift.closes + days * DAY_S
            for shift in shifts
            for days in (-1, 0, 1)  # either may go on past midnight
        )
        if shifts and not any(met):
            findings.add(
                ("delivery", "window"),
                "doors-closed",
                f"no van or drone of station {station} is on duty while doors are open",
                "move the window, or the shifts of its fleet",
                value=f"{doors.opens // 3600:02d}:{doors.opens // 60 % 60:02d}",
            )


def _moments(findings: Findings) -> None:
    general = findings.scenario.scenario
    if general is None:
        return
    end = general.start + timedelta(days=general.horizon_days)
    inside = f"write a moment from {general.start.isoformat()} to {end.isoformat()}"
    for key in ("measure_from", "measure_to"):
        moment = getattr(general, key)
        if moment is not None and not general.start <= moment <= end:
            findings.add(
                ("scenario", key),
                "outside-horizon",
                "the measuring window leaves the simulated time",
                inside,
                value=moment,
            )
    if general.stop_at is not None and general.stop_at <= general.start:
        findings.add(
            ("scenario", "stop_at"),
            "window-order",
            "the run stops before it starts",
            "put stop_at after start",
            value=general.stop_at,
        )
    first, last = general.measure_from, general.measure_to
    if first is not None and last is not None and last <= first:
        findings.add(
            ("scenario", "measure_to"),
            "window-order",
            "the measuring window closes before it opens",
            "put measure_from before measure_to",
            value=last,
        )
    for i, disruption in enumerate(findings.scenario.disruptions):
        if disruption.ends <= general.start or disruption.starts >= end:
            findings.add(
                ("disruptions", i, "starts"),
                "outside-horizon",
                "the disruption never falls into the simulated time",
                inside,
                value=disruption.starts,
            )


def _waves(findings: Findings, tables: Tables) -> None:
    dispatch, demand = findings.scenario.dispatch, findings.scenario.demand
    if dispatch is None or demand is None or not findings.sound("sites", "services"):
        return
    kinds = {site.id: site.kind for site in findings.scenario.sites}
    used: dict[str, set[str]] = {"delivery_waves": set()}
    for stream in demand.streams:
        services = {name for name, weight in stream.services.items() if weight > 0}
        used["delivery_waves"] |= services
        origins = {kinds.get(name) for name, weight in stream.origins.items() if weight > 0}
        if "warehouse" in origins:
            used.setdefault("warehouse_waves", set()).update(services)
        if "merchant" in origins:
            used.setdefault("collection_waves", set()).update(services)
    if demand.order_file is not None:
        for key in ("delivery_waves", "warehouse_waves"):
            used.setdefault(key, set()).add(demand.order_file.service)
    if tables.volumes is not None:
        ids, volumes = findings.ids("services"), tables.volumes
        for origin, service in set(zip(volumes.origin.tolist(), volumes.service.tolist(), strict=True)):
            used["delivery_waves"].add(ids[service])
            if findings.scenario.sites[origin].kind == "merchant":
                used.setdefault("collection_waves", set()).add(ids[service])
    for key, services in used.items():
        waves = getattr(dispatch, key)
        covered = {name for wave in waves for name in wave.services or findings.ids("services")}
        for name in sorted(services & set(findings.ids("services")) - covered):
            findings.add(
                ("dispatch", key),
                "service-without-wave",
                f"no wave takes parcels of this service: they would wait for ever in {key}",
                f"add a [[dispatch.{key}]] for it, or one without services",
                value=name,
            )
