"""Whether a machine can simulate a scenario of that size: a digit too many is found before the memory is full."""

from __future__ import annotations

from logistics.checks.files import Tables
from logistics.checks.findings import Findings

LARGEST_DEMAND = 10_000_000  # parcels; a million take about 3 GB
LARGEST_FLEET = 100_000  # vehicles


def check_sizes(findings: Findings, tables: Tables) -> None:
    """Parcels of streams and volumes, vehicles of the fleet, both after scaling."""
    scenario = findings.scenario
    demand = scenario.demand
    if demand is not None and findings.sound("demand"):
        parcels = sum(stream.per_day * stream.days for stream in demand.streams)
        parcels += 0.0 if tables.volumes is None else float(tables.volumes.parcels.sum())
        if parcels * demand.scale > LARGEST_DEMAND:
            largest = (
                f"about {parcels * demand.scale:,.0f} parcels are ordered; at most {LARGEST_DEMAND:,} fit"
            )
            findings.add(
                ("demand", "scale"), "too-large", largest, "lower scale, per_day or days", value=demand.scale
            )
    if findings.sound("fleet", "fleet_scale"):
        vehicles = sum(section.count for section in scenario.fleet) * scenario.fleet_scale
        if vehicles > LARGEST_FLEET:
            largest = f"there are {vehicles:,.0f} vehicles; at most {LARGEST_FLEET:,} fit"
            findings.add(
                ("fleet_scale",), "too-large", largest, "lower it or the counts", value=scenario.fleet_scale
            )
