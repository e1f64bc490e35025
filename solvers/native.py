"""The native files: problem.json and solution.json, with their JSON Schemas; and loading by file type.

`load_problem` reads any problem file this package knows, `load_solution` and `dump_solution` likewise.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from solvers.builder import ALWAYS, ProblemBuilder
from solvers.check import check
from solvers.constraints import skill_names
from solvers.errors import Fault, InvalidInputError
from solvers.problem import UNLIMITED, Problem
from solvers.readers import read, read_sol, sol_text
from solvers.solution import Route, Solution
from solvers.travel import Metric, Travel

PROBLEM_FORMAT = "logistics-problem/1"
SOLUTION_FORMAT = "logistics-solution/1"

Amount = Annotated[int, Field(ge=0, lt=2**60)]
Time = Annotated[int, Field(gt=-(2**60), lt=2**60)]
Window = tuple[Time, Time | None]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class DepotPart(_Part):
    """Where routes start and end. `tw`: earliest departure, latest return (null: any time)."""

    x: FiniteFloat | None = None
    y: FiniteFloat | None = None
    tw: Window = (0, None)
    name: str = ""


class VisitPart(_Part):
    """A place to serve; loads are listed by dimension. `tw`: earliest and latest start of service."""

    x: FiniteFloat | None = None
    y: FiniteFloat | None = None
    delivery: list[Amount] = []
    pickup: list[Amount] = []
    service: Amount = 0
    tw: Window = (0, None)
    release: Amount = 0
    required: bool = True
    prize: Amount = 0
    skills: list[str] = []
    priority: Time = 0
    name: str = ""


class VehicleTypePart(_Part):
    """Vehicles of one kind. Depots and the travel profile are positions in their lists, from 0."""

    count: Amount = 1
    capacity: list[Amount] = []
    fixed_cost: Amount = 0
    distance_cost: Amount = 1
    time_cost: Amount = 0
    start_depot: Amount = 0
    end_depot: Amount | None = None
    shift: Window = (0, None)
    max_distance: Amount | None = None
    max_duration: Amount | None = None
    skills: list[str] = []
    profile: Amount = 0
    name: str = ""


class MatrixPart(_Part):
    """Travel between all nodes, depots first: a row per origin. Durations default to the distances."""

    metric: Literal["matrix"]
    distance: list[list[Amount]]
    duration: list[list[Amount]] | None = None


class MetricPart(_Part):
    """Travel computed from the coordinates; x and y are longitude and latitude for `haversine`."""

    metric: Literal["euclidean_round", "euclidean_truncate", "haversine"]
    scale: Annotated[FiniteFloat, Field(gt=0)] = 1.0
    duration_per_distance: Annotated[FiniteFloat, Field(ge=0)] = 1.0


class ProblemFile(_Part):
    """A routing problem. All quantities are integers in units that its maker chooses."""

    format: Literal["logistics-problem/1"]
    name: str = ""
    cost_scale: Annotated[int, Field(ge=1)] = 1
    depots: list[DepotPart]
    visits: list[VisitPart]
    vehicle_types: list[VehicleTypePart]
    travel: list[Annotated[MatrixPart | MetricPart, Field(discriminator="metric")]] = []


class RoutePart(_Part):
    """One vehicle's visits in order; all are positions in the problem's lists, from 0."""

    vehicle_type: Amount = 0
    visits: list[Amount]


class SolutionFile(_Part):
    """Routes for a problem. `cost` and `unserved` are what the checker found when the file was written."""

    format: Literal["logistics-solution/1"]
    problem: str = ""
    cost: int | None = None
    unserved: list[Amount] = []
    routes: list[RoutePart]


def problem_schema() -> dict[str, Any]:
    """JSON Schema of problem.json."""
    return ProblemFile.model_json_schema()


def solution_schema() -> dict[str, Any]:
    """JSON Schema of solution.json."""
    return SolutionFile.model_json_schema()


def load_problem(path: Path | str, rounding: str | None = None) -> Problem:
    """The problem in a .json (native), .vrp (VRPLIB) or .txt (Solomon) file.

    `rounding` names the convention for benchmark files (solvers/readers/rounding.py); None takes the usual one
    of the file's family. Raises `InvalidInputError` with every fault of the file.
    """
    path = Path(path)
    kinds = {".json": "native", ".vrp": "vrplib", ".txt": "solomon"}
    if path.suffix.lower() not in kinds:
        fault = Fault(
            str(path), "", path.suffix, "unknown-file-type", "not a problem file", f"use {', '.join(kinds)}"
        )
        raise InvalidInputError((fault,))
    if path.suffix.lower() != ".json":
        return read(path, rounding or "family")
    return problem_of(_parse(path, ProblemFile), str(path))


def problem_of(content: ProblemFile, file: str = "problem") -> Problem:
    """The problem that a file's content describes; faults name `file`."""
    b = ProblemBuilder(name=content.name, cost_scale=content.cost_scale)
    for depot in content.depots:
        b.depot(*_place(depot), tw=_window(depot.tw), name=depot.name)
    for visit in content.visits:
        details = visit.model_dump(exclude={"x", "y", "tw"})
        b.visit(*_place(visit), tw=_window(visit.tw), **details)
    for kind in content.vehicle_types:
        details = kind.model_dump(exclude={"shift", "max_distance", "max_duration"})
        limits: dict[str, Any] = {key: _limit(getattr(kind, key)) for key in ("max_distance", "max_duration")}
        b.vehicle_type(shift=_window(kind.shift), **limits, **details)
    faults = []
    for i, profile in enumerate(content.travel):
        if isinstance(profile, MetricPart):
            metric = Metric[profile.metric.upper()]
            b.travel(Travel(None, None, metric, profile.scale, profile.duration_per_distance))
            continue
        tables = {"distance": profile.distance, "duration": profile.duration or profile.distance}
        ragged = [key for key, rows in tables.items() if len({len(row) for row in rows} | {len(rows)}) > 1]
        for key in ragged:
            place = f"travel[{i}].{key}"
            faults.append(Fault(file, place, "", "matrix-shape", f"{key} is not square", "one row per node"))
        if not ragged:
            b.travel(Travel.of_matrices(tables["distance"], tables["duration"]))
    if faults:
        raise InvalidInputError(tuple(faults))
    try:
        return b.build()
    except InvalidInputError as error:
        raise InvalidInputError(tuple(dataclasses.replace(f, file=file) for f in error.faults)) from None


def dump_problem(problem: Problem, path: Path | str) -> None:
    """Write problem.json; reading it back gives the same problem."""
    t, v = problem.vehicle_types, problem.visits
    fields = {
        "visits": ("delivery", "pickup", "service", "tw", "release", "required", "prize", "priority"),
        "types": (
            "count",
            "capacity",
            "fixed_cost",
            "distance_cost",
            "time_cost",
            "start_depot",
            "end_depot",
        ),
    }
    more = ("shift", "max_distance", "max_duration", "profile")

    def place(node: int) -> dict[str, float]:
        xy = problem.coords
        return {} if xy is None else {"x": float(xy[node, 0]), "y": float(xy[node, 1])}

    def row(part: Any, keys: tuple[str, ...], i: int) -> dict[str, Any]:
        values = {key: _open_ended(getattr(part, key)[i].tolist()) for key in keys}
        return {**values, "skills": list(skill_names(problem, int(part.skills[i]))), "name": part.names[i]}

    content = {
        "format": PROBLEM_FORMAT,
        "name": problem.name,
        "cost_scale": problem.cost_scale,
        "depots": [
            {**place(i), "tw": _open_ended(problem.depots.tw[i].tolist()), "name": problem.depots.names[i]}
            for i in range(problem.num_depots)
        ],
        "visits": [
            {**place(problem.num_depots + i), **row(v, fields["visits"], i)}
            for i in range(problem.num_visits)
        ],
        "vehicle_types": [row(t, (*fields["types"], *more), i) for i in range(len(t.count))],
        "travel": [_travel_part(travel) for travel in problem.travel],
    }
    _write(path, json.dumps(content, ensure_ascii=False) + "\n")


def load_solution(path: Path | str, problem: Problem) -> Solution:
    """The solution in a .json (native) or .sol (CVRPLIB) file; whether it is sound is the checker's business."""
    path = Path(path)
    if path.suffix.lower() != ".json":
        return read_sol(path, problem)[0]
    content = _parse(path, SolutionFile)
    return Solution.of(Route(route.vehicle_type, tuple(route.visits)) for route in content.routes)


def dump_solution(problem: Problem, solution: Solution, path: Path | str) -> None:
    """Write the solution, as .sol where `path` ends so, as native JSON otherwise."""
    report = check(problem, solution)
    if Path(path).suffix.lower() == ".sol":
        _write(path, sol_text(problem, solution, report.cost.total))
        return
    content = SolutionFile(
        format="logistics-solution/1",
        problem=problem.name,
        cost=report.cost.total,
        unserved=list(report.unserved),
        routes=[RoutePart(vehicle_type=r.vehicle_type, visits=list(r.visits)) for r in solution.routes],
    )
    _write(path, content.model_dump_json(indent=1) + "\n")


def _parse(path: Path, model: type[Any]) -> Any:
    """The validated content of a JSON file; raises `InvalidInputError` with every fault."""
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        found = [
            Fault(
                str(path),
                "",
                "",
                "unreadable",
                f"the file cannot be read: {error.strerror}",
                "check the path",
            )
        ]
    except ValidationError as error:
        found = [_fault(path, dict(item)) for item in error.errors(include_url=False)]
    raise InvalidInputError(tuple(found))


def _fault(path: Path, item: dict[str, Any]) -> Fault:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"]).lstrip(".")
    value = "" if isinstance(item["input"], dict | list | bytes) else str(item["input"])[:80]
    repair = "remove it or correct its name" if item["type"] == "extra_forbidden" else "see the JSON Schema"
    return Fault(str(path), place, value, item["type"].replace("_", "-"), item["msg"], repair)


def _write(path: Path | str, text: str) -> None:
    """Whole or not at all."""
    part = Path(path).with_name(Path(path).name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _place(part: DepotPart | VisitPart) -> tuple[float, float]:
    return (np.nan if part.x is None else part.x, np.nan if part.y is None else part.y)


def _window(window: Window) -> tuple[int, int]:
    return window[0], ALWAYS[1] if window[1] is None else window[1]


def _limit(value: int | None) -> int:
    return int(UNLIMITED) if value is None else value


def _open_ended(value: Any) -> Any:
    """None for no limit, also inside windows."""
    if isinstance(value, list):
        return [_open_ended(x) for x in value]
    return None if type(value) is int and value >= UNLIMITED else value


def _travel_part(travel: Travel) -> dict[str, Any]:
    if travel.distance is not None and travel.duration is not None:
        tables = {"metric": "matrix", "distance": travel.distance.tolist()}
        same = travel.duration is travel.distance or np.array_equal(travel.duration, travel.distance)
        return tables if same else {**tables, "duration": travel.duration.tolist()}
    pace = travel.duration_per_distance
    return {"metric": travel.metric.name.lower(), "scale": travel.scale, "duration_per_distance": pace}
