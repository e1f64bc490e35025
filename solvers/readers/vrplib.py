"""VRPLIB files (.vrp): headers `KEY: value`, sections of numbered rows, PyVRP's sections for rich variants.

Reads CVRP, VRPTW, heterogeneous fleets, several depots, prizes, release times, site dependence, backhauls
and reloads. All faults of a file are found in one pass, each with its line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from solvers.readers.families import VRPLIB_TYPES
from solvers.readers.lines import LARGEST, Faults, Line
from solvers.travel import FloatArray

TEXT_HEADERS = (
    "NAME",
    "COMMENT",
    "TYPE",
    "EDGE_WEIGHT_TYPE",
    "EDGE_WEIGHT_FORMAT",
    "NODE_COORD_TYPE",
    "DISPLAY_DATA_TYPE",
)
NUMBER_HEADERS = (
    "DIMENSION",
    "CAPACITY",
    "VEHICLES",
    "DISTANCE",
    "SERVICE_TIME",
    "VEHICLES_MAX_DURATION",
    "VEHICLES_MAX_DISTANCE",
    "VEHICLES_MAX_RELOADS",
)

DIRECTED = ("ACVRP", "VRPTW")  # types whose full matrices may differ by direction, as roads do


@dataclass(frozen=True, slots=True)
class Shape:
    """A section of numbered rows: one per node or per vehicle, with so many columns (None: any number)."""

    per: str
    columns: int | None = 1
    least: float | None = 0
    whole: bool = False


SECTIONS: dict[str, Shape] = {
    "NODE_COORD_SECTION": Shape("node", 2, least=None),
    "DEMAND_SECTION": Shape("node", None, whole=True),
    "SERVICE_TIME_SECTION": Shape("node"),
    "TIME_WINDOW_SECTION": Shape("node", 2),
    "RELEASE_TIME_SECTION": Shape("node"),
    "PRIZE_SECTION": Shape("node"),
    "BACKHAUL_SECTION": Shape("node", whole=True),
    "CAPACITY_SECTION": Shape("vehicle", None, whole=True),
    "VEHICLES_DEPOT_SECTION": Shape("vehicle", least=1, whole=True),
    "VEHICLES_FIXED_COST_SECTION": Shape("vehicle"),
    "VEHICLES_UNIT_DISTANCE_COST_SECTION": Shape("vehicle", whole=True),
    "VEHICLES_MAX_DURATION_SECTION": Shape("vehicle"),
    "VEHICLES_MAX_DISTANCE_SECTION": Shape("vehicle"),
    "VEHICLES_ALLOWED_CLIENTS_SECTION": Shape("vehicle", None, least=1, whole=True),
    "VEHICLES_RELOAD_DEPOT_SECTION": Shape("vehicle", None, least=1, whole=True),
    "VEHICLES_MAX_RELOADS_SECTION": Shape("vehicle", whole=True),
}
LIST_SECTIONS = ("DEPOT_SECTION", "EDGE_WEIGHT_SECTION")
MOST_ROWS = 1e6  # nodes, or vehicles
MOST_CEIL_NODES = 10_000  # of CEIL_2D, whose distances are held as a matrix
# a triangle by columns is the other one by rows, as half a matrix stands for symmetric weights
BY_COLUMNS = {
    "LOWER_COL": "UPPER_ROW",
    "UPPER_COL": "LOWER_ROW",
    "LOWER_DIAG_COL": "UPPER_DIAG_ROW",
    "UPPER_DIAG_COL": "LOWER_DIAG_ROW",
}
BY_ROWS = ("FULL_MATRIX", "LOWER_ROW", "UPPER_ROW", "LOWER_DIAG_ROW", "UPPER_DIAG_ROW")
WEIGHT_FORMATS = (*BY_ROWS, *BY_COLUMNS)
WEIGHT_TYPES = ("EUC_2D", "CEIL_2D", "EXPLICIT")


@dataclass(slots=True)
class RawInstance:
    """A file as it stands: headers, numbered rows by section (0-based), depot nodes, and weights that no rule on
    coordinates gives. `line_of` tells where headers and sections are, `lines_of` where the rows of amounts."""

    headers: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    rows: dict[str, dict[int, tuple[float, ...]]] = field(default_factory=dict)
    depots: list[int] = field(default_factory=list)
    weights: FloatArray | None = None
    line_of: dict[str, int] = field(default_factory=dict)
    lines_of: dict[str, dict[int, int]] = field(default_factory=dict)

    @property
    def dimension(self) -> int:
        return int(self.numbers["DIMENSION"])


def _is_section(line: Line) -> bool:
    return line.words[0].rstrip(":").endswith("_SECTION")


def is_vrplib(lines: list[Line]) -> bool:
    """Whether the file starts with one of the headers of this format."""
    key, colon, _ = lines[0].text.partition(":")
    return bool(colon) and key.strip().upper() in (*TEXT_HEADERS, *NUMBER_HEADERS)


def parse_vrplib(path: Path, lines: list[Line]) -> RawInstance:
    """The content of the file's lines; raises `InvalidInputError` with every fault."""
    faults = Faults(path)
    raw = RawInstance()
    blocks = _split(lines, raw, faults)
    for key in ("TYPE", "EDGE_WEIGHT_TYPE"):
        if key not in raw.headers:
            faults.add(None, "", "missing-header", f"{key} is missing", f"add the line {key}: ...")
    if "DIMENSION" not in raw.numbers:
        faults.add(
            None, "", "missing-header", "DIMENSION is missing", "add the line DIMENSION: number of nodes"
        )
        faults.check()
    for name, body in blocks.items():
        if name == "DEPOT_SECTION":
            _read_depots(body, raw, faults)
        elif name == "EDGE_WEIGHT_SECTION":
            _read_weights(body, raw, faults)
        elif name in SECTIONS:
            _read_rows(name, body, raw, faults)
    _check_whole(raw, blocks, faults)
    faults.check()
    return raw


def _split(lines: list[Line], raw: RawInstance, faults: Faults) -> dict[str, list[Line]]:
    """Fill in the headers; return the lines of each section."""
    blocks: dict[str, list[Line]] = {}
    body: list[Line] | None = None
    for line in lines:
        word = line.words[0]
        if word == "EOF":
            break
        if _is_section(line):
            name, body = word.rstrip(":"), []
            if name not in SECTIONS and name not in LIST_SECTIONS:
                faults.add(
                    line.number, name, "unknown-section", "unknown section", "remove it or correct its name"
                )
            elif name in blocks:
                faults.add(
                    line.number, name, "duplicate-section", "the section appears twice", "keep one of them"
                )
            else:
                blocks[name] = body
                raw.line_of[name] = line.number
        elif ":" in line.text and not _is_number(word):
            key, _, value = (part.strip() for part in line.text.partition(":"))
            _read_header(key, value, line, raw, faults)
            body = None
        elif body is not None:
            body.append(line)
        else:
            faults.add(line.number, line.text[:40], "stray-line", "neither header nor section", "remove it")
    return blocks


def _is_number(word: str) -> bool:
    return word.lstrip("+-.")[:1].isdigit()


def _read_header(key: str, value: str, line: Line, raw: RawInstance, faults: Faults) -> None:
    if key in raw.headers or key in raw.numbers:
        faults.add(line.number, key, "duplicate-header", "the header appears twice", "keep one of them")
    elif key in TEXT_HEADERS:
        raw.headers[key] = value.strip('"')
        raw.line_of[key] = line.number
    elif key in NUMBER_HEADERS:
        raw.line_of[key] = line.number
        whole = key in ("DIMENSION", "CAPACITY", "VEHICLES")
        least = 1 if key in ("DIMENSION", "VEHICLES") else 0
        read = faults.integer if whole else faults.number
        most = MOST_ROWS if key in ("DIMENSION", "VEHICLES") else LARGEST
        raw.numbers[key] = read(line.number, value, key, least=least, most=most)
    else:
        faults.add(line.number, key, "unknown-header", "unknown header", "remove it or correct its name")


def _read_rows(name: str, body: list[Line], raw: RawInstance, faults: Faults) -> None:
    shape = SECTIONS[name]
    rows: dict[int, tuple[float, ...]] = {}
    lines: dict[int, int] = {}
    count = raw.dimension if shape.per == "node" else int(raw.numbers.get("VEHICLES", 0))
    width: int | None = shape.columns
    for line in body:
        number = faults.index(line.number, line.words[0], f"{shape.per} number in {name}")
        if shape.columns is None and name in ("DEMAND_SECTION", "CAPACITY_SECTION") and width is None:
            width = max(1, len(line.words) - 1)
        if width is not None and faults.row(line, width + 1, name) is None:
            continue
        index = -1 if number is None else number - 1
        if number is not None and not 0 <= index < count:
            faults.add(
                line.number, line.words[0], "bad-index", f"{name}: no such {shape.per}", f"use 1 to {count}"
            )
        elif number is not None and index in rows:
            faults.add(
                line.number, line.words[0], "duplicate-row", f"{name}: the row appears twice", "keep one"
            )
        least = int(shape.least) if shape.least is not None else None
        read = faults.integer if shape.whole else faults.number
        rows[index] = tuple(
            float(read(line.number, w, f"value in {name}", least=least)) for w in line.words[1:]
        )
        lines[index] = line.number
        if name == "TIME_WINDOW_SECTION" and rows[index][0] > rows[index][1]:
            faults.add(
                line.number,
                line.text,
                "window-reversed",
                "the window closes before it opens",
                "swap its ends",
            )
    if len(body) < count and name not in (
        "VEHICLES_ALLOWED_CLIENTS_SECTION",
        "VEHICLES_RELOAD_DEPOT_SECTION",
    ):
        last = body[-1].number if body else raw.line_of[name]
        faults.add(last, len(body), "wrong-count", f"{name} should have {count} rows", "is the file cut off?")
    raw.rows[name] = rows
    if name in ("DEMAND_SECTION", "BACKHAUL_SECTION"):
        raw.lines_of[name] = lines


def _read_depots(body: list[Line], raw: RawInstance, faults: Faults) -> None:
    for line in body:
        if line.words[0] == "-1":
            break
        for word in line.words:
            depot = faults.index(line.number, word, "depot")
            if depot is None:
                continue
            if not 1 <= depot <= raw.dimension:
                faults.add(line.number, word, "bad-index", "no such node", f"use 1 to {raw.dimension}")
            elif depot - 1 in raw.depots:
                faults.add(line.number, word, "duplicate-row", "the depot appears twice", "keep one")
            else:
                raw.depots.append(depot - 1)


def _read_weights(body: list[Line], raw: RawInstance, faults: Faults) -> None:
    n, form = raw.dimension, raw.headers.get("EDGE_WEIGHT_FORMAT", "")
    form = BY_COLUMNS.get(form, form)
    if form not in WEIGHT_FORMATS:
        listed = ", ".join(WEIGHT_FORMATS)
        faults.add(
            raw.line_of["EDGE_WEIGHT_SECTION"],
            form,
            "weight-format",
            "unknown EDGE_WEIGHT_FORMAT",
            f"use one of {listed}",
        )
        return
    values = [
        (line.number, faults.number(line.number, w, "edge weight", least=0))
        for line in body
        for w in line.words
    ]
    half = n * (n - 1) // 2
    count = n * n if form == "FULL_MATRIX" else half + n if "DIAG" in form else half
    if len(values) != count:
        last = body[-1].number if body else raw.line_of["EDGE_WEIGHT_SECTION"]
        expected = f"{raw.headers['EDGE_WEIGHT_FORMAT']} of {n} nodes has {count} weights"
        faults.add(last, len(values), "wrong-count", expected, "is the file cut off?")
        return
    cells: dict[str, Callable[[], Any]] = {
        "FULL_MATRIX": lambda: tuple(a.ravel() for a in np.indices((n, n))),
        "LOWER_ROW": lambda: np.tril_indices(n, -1),
        "UPPER_ROW": lambda: np.triu_indices(n, 1),
        "LOWER_DIAG_ROW": lambda: np.tril_indices(n),
        "UPPER_DIAG_ROW": lambda: np.triu_indices(n),
    }
    matrix = np.zeros((n, n))
    matrix[cells[form]()] = [value for _, value in values]
    if form != "FULL_MATRIX":
        matrix = np.maximum(matrix, matrix.T)
    elif raw.headers.get("TYPE", "").upper() not in DIRECTED and (matrix != matrix.T).any():
        i, j = (int(x) for x in np.argwhere(matrix != matrix.T)[0])
        found = f"({i + 1}, {j + 1}): {matrix[i, j]:g}, ({j + 1}, {i + 1}): {matrix[j, i]:g}"
        faults.add(
            values[i * n + j][0], found, "asymmetric", "the weights differ by direction", "use TYPE: ACVRP"
        )
    raw.weights = matrix


def _check_whole(raw: RawInstance, blocks: dict[str, list[Line]], faults: Faults) -> None:
    """What can be told only once all is read."""

    def missing(name: str, why: str) -> None:
        faults.add(None, "", "missing-section", f"{name} is missing: {why}", "add it; is the file cut off?")

    declared = raw.headers.get("TYPE")
    if declared is not None and declared.upper() not in VRPLIB_TYPES:
        repair = f"use one of {', '.join(VRPLIB_TYPES)}"
        faults.add(raw.line_of["TYPE"], declared, "unknown-type", "unknown TYPE of problem", repair)
    kind = raw.headers.get("EDGE_WEIGHT_TYPE", "")
    if kind in ("EUC_2D", "CEIL_2D") and "NODE_COORD_SECTION" not in blocks:
        missing("NODE_COORD_SECTION", f"{kind} needs coordinates")
    elif kind == "CEIL_2D" and raw.dimension > MOST_CEIL_NODES:
        message = f"CEIL_2D is for {MOST_CEIL_NODES:,} nodes at most"
        faults.add(raw.line_of["DIMENSION"], raw.dimension, "too-large", message, "use EUC_2D")
    elif kind == "EXPLICIT" and "EDGE_WEIGHT_SECTION" not in blocks:
        missing("EDGE_WEIGHT_SECTION", "EXPLICIT weights are declared")
    elif kind and kind not in WEIGHT_TYPES:
        line, repair = raw.line_of["EDGE_WEIGHT_TYPE"], f"use one of {', '.join(WEIGHT_TYPES)}"
        faults.add(line, kind, "weight-type", "unknown EDGE_WEIGHT_TYPE", repair)
    if "DEMAND_SECTION" not in blocks:
        missing("DEMAND_SECTION", "every node has a demand")
    if "CAPACITY" not in raw.numbers and "CAPACITY_SECTION" not in blocks:
        faults.add(None, "", "missing-header", "CAPACITY is missing", "add CAPACITY or a CAPACITY_SECTION")
    per_vehicle = [name for name in blocks if name in SECTIONS and SECTIONS[name].per == "vehicle"]
    if per_vehicle and "VEHICLES" not in raw.numbers:
        faults.add(
            raw.line_of[per_vehicle[0]],
            per_vehicle[0],
            "missing-header",
            "VEHICLES is missing",
            "add VEHICLES: number",
        )
    if not raw.depots:
        if "DEPOT_SECTION" in blocks:
            faults.add(raw.line_of["DEPOT_SECTION"], "", "no-depot", "there is no depot", "name a node")
        raw.depots = [0]
    if sorted(raw.depots) != list(range(len(raw.depots))):
        faults.add(
            raw.line_of.get("DEPOT_SECTION"),
            [d + 1 for d in raw.depots],
            "depot-order",
            "depots must be the first nodes",
            "renumber",
        )
    else:
        _check_amounts(raw, faults)
    for name in ("VEHICLES_DEPOT_SECTION", "VEHICLES_RELOAD_DEPOT_SECTION"):
        wrong = [
            int(d) for row in raw.rows.get(name, {}).values() for d in row if int(d) - 1 not in raw.depots
        ]
        if wrong:
            message = f"{name} names a node that is no depot"
            faults.add(raw.line_of[name], wrong[0], "bad-index", message, "name a depot")
    demand = raw.rows.get("DEMAND_SECTION", {})
    for node, row in raw.rows.get("BACKHAUL_SECTION", {}).items():
        if any(row) and any(demand.get(node, ())):
            line, message = raw.line_of["BACKHAUL_SECTION"], f"node {node + 1} has a demand as well"
            faults.add(line, row[0], "backhaul-delivery", message, "make it two nodes")
    for row in raw.rows.get("VEHICLES_ALLOWED_CLIENTS_SECTION", {}).values():
        if any(not len(raw.depots) < c <= raw.dimension for c in row):
            line = raw.line_of["VEHICLES_ALLOWED_CLIENTS_SECTION"]
            faults.add(
                line,
                row,
                "bad-index",
                "VEHICLES_ALLOWED_CLIENTS_SECTION names a node that is no client",
                "name clients",
            )
            break


def _check_amounts(raw: RawInstance, faults: Faults) -> None:
    """Amounts that no vehicle could bring: those of depots, and of load dimensions without a capacity."""
    for name, lines in raw.lines_of.items():
        for depot in raw.depots:
            if amount := max(raw.rows[name].get(depot, ()), default=0):
                faults.depot_demand(lines[depot], amount)
    given = max((len(row) for row in raw.rows.get("DEMAND_SECTION", {}).values()), default=1)
    fleet = raw.rows.get("CAPACITY_SECTION", {0: (0.0,)})  # CAPACITY is one number
    room = max((len(row) for row in fleet.values()), default=given)
    if given > room:
        message = f"a node has more demands than a vehicle has capacities, {room}"
        repair = "give a capacity for each, in a CAPACITY_SECTION"
        faults.add(raw.line_of["DEMAND_SECTION"], given, "wrong-columns", message, repair)
