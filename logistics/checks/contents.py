"""What takes long to read: the files of roads and buildings, as a run would read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from logistics.checks.files import Tables
from logistics.checks.findings import Findings
from logistics.order_file import building_points
from logistics.roads import load_roads
from solvers.errors import Fault, InvalidInputError, MissingExtraError


def check_contents(findings: Findings, tables: Tables) -> None:
    """Read what is there; a file that is not has been reported."""
    scenario = findings.scenario
    roads, path = scenario.roads, tables.roads
    if roads is not None and path is not None and roads.kind != "great-circle" and findings.sound("roads"):
        kmh = roads.speeds_kmh
        speeds = None if kmh is None else [speed / 3.6 for speed in kmh]
        _read(findings, "roads", lambda: load_roads(roads.kind, path=path, speeds_mps=speeds))
    orders = None if scenario.demand is None else scenario.demand.order_file
    if orders is not None and orders.places == "buildings" and tables.buildings is not None:
        place = "demand.order_file.buildings_path"
        _read(findings, place, lambda: building_points(orders, scenario._folder))


def _read(findings: Findings, place: str, read: Callable[[], object]) -> None:
    try:
        read()
    except InvalidInputError as error:
        findings.faults += [
            fault if fault.file else dataclasses.replace(fault, file=findings.file, place=place)
            for fault in error.faults
        ]
    except MissingExtraError as error:
        repair = "install it, or name files of another kind"
        findings.faults.append(Fault(findings.file, place, "", "missing-extra", str(error), repair))
