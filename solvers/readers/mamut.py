"""The JSON files of the MAMUT-routing project: time-dependent problems with windows, and their solutions.

A problem `NAME.vrp.json` names its arc categories in a compressed sidecar file; speeds go by category and
period. The objective is the total duration of the routes, each leaving when it likes.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from codecs import BOM_UTF8
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from solvers.builder import ProblemBuilder
from solvers.errors import InvalidInputError
from solvers.json_faults import json_faults
from solvers.problem import Problem
from solvers.readers.lines import LARGEST, Faults
from solvers.readers.rounding import Rounding
from solvers.solution import Solution
from solvers.speeds import Speeds
from solvers.travel import Metric, Travel

PROBLEM_SUFFIX, SOLUTION_SUFFIX = ".vrp.json", ".bks.duration.json"

Count = Annotated[int, Field(ge=0, le=int(LARGEST))]
Duration = Annotated[FiniteFloat, Field(ge=0, le=LARGEST)]
Number = Annotated[FiniteFloat, Field(ge=-LARGEST, le=LARGEST)]
Pair = tuple[Number, Number]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Hours(_Part):
    model: Literal["igp-profile"]
    time_periods: list[Pair]
    speeds: list[list[FiniteFloat]]
    categories_path: str
    categories_sha256: str | None = None


class _Content(_Part):
    instance_name: str
    num_vehicles: Annotated[Count, Field(ge=1)]
    vehicle_capacity: Count
    coordinates: list[Pair]
    demands: list[Count]
    service_times: list[Duration]
    time_windows: list[Pair]
    depot: Literal[0] = 0
    td: _Hours


class _Categories(_Part):
    categories: list[str]


class _Routes(_Part):
    routes: list[list[int]]
    cost: FiniteFloat | None = None


def read_mamut(path: Path, rounding: Rounding) -> Problem:
    """The problem; raises `InvalidInputError` with every fault found."""
    faults = Faults(path)
    content: _Content = _parsed(faults, _bytes(faults, path), _Content)
    nodes = len(content.coordinates)
    for key in ("demands", "service_times", "time_windows"):
        if (found := len(getattr(content, key))) != nodes:
            faults.at(key, found, "wrong-count", f"{nodes} entries expected", "one for each coordinate")
    if content.demands and content.demands[0]:
        message, repair = "a depot has a demand, which nobody would serve", "set it to 0"
        faults.at("demands[0]", content.demands[0], "depot-demand", message, repair)
    for i, (opens, closes) in enumerate(content.time_windows):
        if opens > closes:
            place, message = f"time_windows[{i}]", "the window closes before it opens"
            faults.at(place, (opens, closes), "window-reversed", message, "swap its ends")
    for i, (before, after) in enumerate(
        zip(content.td.time_periods, content.td.time_periods[1:], strict=False)
    ):
        if before[1] != after[0]:
            place, message = f"td.time_periods[{i + 1}]", "the period does not begin where the last ends"
            faults.at(place, after[0], "period-gap", message, f"begin at {before[1]}")
    faults.check()
    scale = float(rounding.scale)
    speeds = None
    try:
        starts = [begin * scale for begin, _ in content.td.time_periods]
        speeds = Speeds.of(starts, content.td.speeds, _categories(faults, path, content.td, nodes))
    except ValueError as error:
        faults.at("td", "", "speeds", str(error), "mend the periods, speeds or categories")
    faults.check()
    b = ProblemBuilder(name=content.instance_name, cost_scale=rounding.scale)
    for i in range(nodes):
        opens, closes = (rounding.whole(edge) for edge in content.time_windows[i])
        if i == 0:
            b.depot(*content.coordinates[i], tw=(opens, closes))
            continue
        service = rounding.whole(content.service_times[i])
        where = content.coordinates[i]
        b.visit(*where, delivery=content.demands[i], service=service, tw=(opens, closes), name=str(i))
    b.travel(Travel(metric=Metric.EUCLIDEAN_ROUND, scale=scale, speeds=speeds))
    capacity = content.vehicle_capacity
    b.vehicle_type(count=content.num_vehicles, capacity=capacity, distance_cost=0, time_cost=1)
    return b.build()


def read_mamut_solution(path: Path, problem: Problem) -> tuple[Solution, float | None]:
    """The solution and the cost that the file states; raises `InvalidInputError` with every fault found."""
    faults = Faults(path)
    content: _Routes = _parsed(faults, _bytes(faults, path), _Routes)
    depots = problem.num_depots
    for i, route in enumerate(content.routes):
        for k, client in enumerate(route):
            if not depots <= client < problem.num_nodes:
                place, repair = f"routes[{i}][{k}]", f"use {depots} to {problem.num_nodes - 1}"
                faults.at(place, client, "bad-index", "no such client", repair)
    faults.check()
    return Solution.of([client - depots for client in route] for route in content.routes), content.cost


def _bytes(faults: Faults, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        faults.at("", "", "unreadable", f"the file cannot be read: {error.strerror}", "check the path")
    faults.check()
    return b""


def _parsed(faults: Faults, text: bytes, model: type[Any]) -> Any:
    try:
        return model.model_validate_json(text.removeprefix(BOM_UTF8))
    except ValidationError as error:
        raise InvalidInputError(json_faults(faults.path, error, "compare with a file of the set")) from None


def _categories(faults: Faults, path: Path, hours: _Hours, nodes: int) -> list[list[int]]:
    """The table of arc categories in the sidecar file."""
    side = path.parent / hours.categories_path
    packed = _bytes(Faults(side), side)
    try:
        text = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error):
        faults.at(
            "td.categories_path", hours.categories_path, "not-gzip", "not a gzip file", "fetch it again"
        )
        faults.check()
        return []
    if hours.categories_sha256 not in (None, hashlib.sha256(text).hexdigest()):
        message = f"{side.name} has another checksum"
        faults.at("td.categories_sha256", "", "checksum", message, "fetch both files again")
    rows = _parsed(Faults(side), text, _Categories).categories
    if len(rows) != nodes or any(len(row) != nodes or not (row.isascii() and row.isdigit()) for row in rows):
        message = f"{side.name} does not hold {nodes} rows of {nodes} digits"
        faults.at("td.categories_path", side.name, "matrix-shape", message, "fetch it again")
        faults.check()
    return [[int(digit) for digit in row] for row in rows]
