"""The files a scenario names: there, readable, with the right columns and known ids."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from logistics.catalogue import catalogue_faults
from logistics.checks.findings import Findings, meant
from logistics.csv_header import doubled_columns
from logistics.importing.column_map import load_map
from logistics.paths import resolve
from logistics.scenario import SortRow
from logistics.schema_faults import Location
from logistics.sort_plan import ANY, COLUMNS, read_rows
from logistics.volumes import Volumes, read_volumes, volume_faults
from solvers.errors import Fault, InvalidInputError

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(slots=True)
class Tables:
    """What later checks need of the files: None or empty where a file is absent or has faults."""

    roads: Path | None = None
    buildings: Path | None = None
    volumes: Volumes | None = None
    plan: list[SortRow] = field(default_factory=list)


def check_files(findings: Findings) -> Tables:
    """Check all files that the scenario names; the sound ones come back as tables."""
    scenario = findings.scenario
    folder = scenario._folder
    tables = Tables()
    if scenario.roads is not None and scenario.roads.path is not None:
        tables.roads = _file(findings, ("roads", "path"), scenario.roads.path)
    if scenario.catalogue is not None and scenario.catalogue.path is not None:
        path = _file(findings, ("catalogue", "path"), scenario.catalogue.path)
        if path is not None:
            findings.faults += _read(path, catalogue_faults)
    if scenario.sort_plan is not None and scenario.sort_plan.path is not None:
        path = _file(findings, ("sort_plan", "path"), scenario.sort_plan.path)
        if path is not None:
            faults = _read(path, lambda path: _plan_faults(findings, path, tables.plan))
            findings.faults += faults
            if faults:
                findings.broken.add("sort_plan")
                tables.plan.clear()
    if scenario.demand is None:
        return tables
    if scenario.demand.volumes is not None:
        path = _file(findings, ("demand", "volumes"), scenario.demand.volumes)
        if path is not None and findings.sound("sites", "areas", "services", "demand"):
            faults = _read(path, lambda _path: volume_faults(scenario, folder))
            findings.faults += faults
            if not faults:
                tables.volumes = read_volumes(scenario, folder)
    order_file = scenario.demand.order_file
    if order_file is not None:
        _file(findings, ("demand", "order_file", "path"), order_file.path)
        try:
            load_map(order_file.map, folder)
        except InvalidInputError as error:
            findings.faults += error.faults
        if order_file.buildings_path is not None:
            tables.buildings = _file(
                findings, ("demand", "order_file", "buildings_path"), order_file.buildings_path
            )
    return tables


def _file(findings: Findings, location: Location, text: str) -> Path | None:
    """The file, if it is there; reports it otherwise."""
    unset = [a or b for a, b in _VARIABLE.findall(text) if (a or b) not in os.environ]
    if unset:
        findings.add(
            location,
            "unset-variable",
            f"the environment variable {unset[0]} is not set",
            f"set {unset[0]}, or write the path without it",
            value=text,
        )
        return None
    try:
        path = resolve(text, findings.scenario._folder)
        if path.is_file():
            return path
        is_folder = path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, a NUL, an unknown ~user
        findings.add(location, "unreadable-file", f"not a path: {error}", "write a path", value=text)
        return None
    if is_folder:
        findings.add(location, "unreadable-file", "this is a folder", "name a file in it", value=text)
    else:
        repair = "mend the path; relative ones start at the scenario's folder"
        findings.add(location, "missing-file", f"there is no file {path}", repair, value=text)
    return None


def _read(path: Path, faults: Callable[[Path], list[Fault]]) -> list[Fault]:
    try:
        return faults(path)
    except (OSError, ValueError, csv.Error) as error:
        return [
            Fault(str(path), "", "", "unreadable-file", f"cannot read it: {error}", "save it as UTF-8 CSV")
        ]


def _plan_faults(findings: Findings, path: Path, rows: list[SortRow]) -> list[Fault]:
    """What is wrong with a sort plan CSV; its rows are added to `rows`."""
    file = str(path)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = [name.strip() for name in next(csv.reader(stream), [])]
    absent = [name for name in COLUMNS if name not in header]
    if absent:
        return [
            Fault(
                file,
                "header",
                ",".join(header)[:80],
                "absent-column",
                f"the column {name} is absent",
                f"add {name}",
            )
            for name in absent
        ]
    faults = doubled_columns(path, COLUMNS)
    seen: set[tuple[str, str, str]] = set()
    sections = {
        "site": "sites",
        "next": "sites",
        "area": "areas",
        "service": "services",
        "container": "containers",
    }
    for number, row in read_rows(path):
        for column, section in sections.items():
            name = row[column]
            if name in findings.ids(section) or (name == ANY and column in ("area", "service")):
                continue
            thing = section.removesuffix("s")
            message = f"the scenario has no such {thing}" if name else f"the {thing} is empty"
            place = f"row {number}, column {column}"
            faults.append(
                Fault(file, place, name, f"unknown-{thing}", message, meant(name, findings.ids(section)))
            )
        key = (row["site"], row["area"], row["service"])
        if key in seen:
            message = "another row has the same site, area and service"
            faults.append(
                Fault(file, f"row {number}", " ".join(key), "duplicate-row", message, "keep one of the two")
            )
        seen.add(key)
        rows.append(SortRow.model_construct(None, **row))
    return faults
