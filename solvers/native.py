"""The native files: problem.json and solution.json, with their JSON Schemas; and loading by file type.

`load_problem` reads any problem file this package knows, `load_solution` and `dump_solution` likewise.
"""

from __future__ import annotations

import dataclasses
import json
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from solvers.battery import Battery, battery_of
from solvers.builder import ALWAYS, ProblemBuilder
from solvers.check import check
from solvers.constraints import skill_names
from solvers.duty import DutyRule, rule_of
from solvers.errors import Fault, InvalidInputError
from solvers.json_faults import json_faults
from solvers.native_parts import (
    AmountPart,
    DepotPart,
    HaltPart,
    MetricPart,
    ProblemFile,
    RoutePart,
    SolutionFile,
    SpeedsPart,
    VisitPart,
    Window,
)
from solvers.problem import UNLIMITED, Objective, Problem, VehicleTypes
from solvers.readers import read, read_sol, sol_text
from solvers.solution import Halt, Part, Route, Solution
from solvers.speeds import Speeds
from solvers.travel import Metric, Travel

PROBLEM_FORMAT: Final = "logistics-problem/1"
SOLUTION_FORMAT: Final = "logistics-solution/1"


def problem_schema() -> dict[str, Any]:
    """JSON Schema of problem.json."""
    return ProblemFile.model_json_schema()


def solution_schema() -> dict[str, Any]:
    """JSON Schema of solution.json."""
    return SolutionFile.model_json_schema()


def load_problem(path: Path | str, rounding: str | None = None) -> Problem:
    """The problem in a .json (native), .vrp (VRPLIB), .txt (VRPLIB, Solomon, Li and Lim) or .vrp.json (MAMUT) file.

    `rounding` names the convention for benchmark files (solvers/readers/rounding.py); None takes the usual one
    of the file's family. Raises `InvalidInputError` with every fault of the file.
    """
    path = Path(path)
    kinds = (".json", ".vrp", ".txt")
    if path.name.lower().endswith(".vrp.json"):
        return read(path, rounding or "family")
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
    b.objective, b.backhauls_alone = Objective(content.objective), content.backhauls_alone
    for depot in content.depots:
        b.depot(*_place(depot), tw=_window(depot.tw), name=depot.name)
    faults: list[Fault] = []
    for i, visit in enumerate(content.visits):
        windows = [_window(window) for window in visit.windows or [visit.tw]]
        if "tw" in visit.model_fields_set and _window(visit.tw) != (windows[0][0], windows[-1][1]):
            message, repair = "tw is another time than the windows", "use one of tw and windows"
            faults.append(Fault(file, f"visits[{i}].tw", str(visit.tw), "tw-and-windows", message, repair))
        details = visit.model_dump(exclude={"x", "y", "tw", "windows", "due"})
        b.visit(*_place(visit), tw=windows, due=_limit(visit.due), **details)
    for kind in content.vehicle_types:
        bounds = ("count", "max_distance", "max_duration", "overtime_after", "max_reloads")
        details = kind.model_dump(exclude={"capacity", "shift", "duty", "battery", *bounds})
        duty = None if kind.duty is None else DutyRule(**kind.duty.model_dump())
        battery = None if kind.battery is None else Battery(**kind.battery.model_dump(exclude_none=True))
        limits: dict[str, Any] = {key: _limit(getattr(kind, key)) for key in bounds}
        room = [_limit(amount) for amount in kind.capacity]
        b.vehicle_type(
            capacity=room, shift=_window(kind.shift), duty=duty, battery=battery, **limits, **details
        )
    broken = []
    for i, profile in enumerate(content.travel):
        if isinstance(profile, MetricPart):
            metric = Metric[profile.metric.upper()]
            pace = profile.duration_per_distance
            b.travel(
                Travel(None, None, metric, profile.scale, pace, _speeds(profile.speeds, file, i, faults))
            )
            continue
        tables = {"distance": profile.distance}
        if profile.duration is not None:
            tables["duration"] = profile.duration
        ragged = [key for key, rows in tables.items() if len({len(row) for row in rows} | {len(rows)}) > 1]
        for key in ragged:
            place = f"travel[{i}].{key}"
            faults.append(Fault(file, place, "", "matrix-shape", f"{key} is not square", "one row per node"))
        speeds = _speeds(profile.speeds, file, i, faults)
        if ragged:
            broken.append(f"travel[{i}]")
            b.travel(Travel(metric=Metric.EUCLIDEAN_ROUND))  # keeps its number for what else is to be found
        else:
            made = Travel.of_matrices(**tables)
            b.travel(dataclasses.replace(made, speeds=speeds))
    try:
        problem = b.build()
    except InvalidInputError as error:
        later = [dataclasses.replace(f, file=file) for f in error.faults if f.place not in broken]
        raise InvalidInputError((*faults, *later)) from None
    if faults:
        raise InvalidInputError(tuple(faults))
    return problem


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
        if part is v and i in problem.closed_times:
            del values["tw"]  # its windows say it
        return {**values, "skills": list(skill_names(problem, int(part.skills[i]))), "name": part.names[i]}

    content: dict[str, Any] = {
        "format": PROBLEM_FORMAT,
        "name": problem.name,
        "cost_scale": problem.cost_scale,
        **({} if problem.objective is Objective.COST else {"objective": str(problem.objective)}),
        **({} if problem.backhauls_alone else {"backhauls_alone": False}),
        "depots": [
            {**place(i), "tw": _open_ended(problem.depots.tw[i].tolist()), "name": problem.depots.names[i]}
            for i in range(problem.num_depots)
        ],
        "visits": [
            {**place(problem.num_depots + i), **row(v, fields["visits"], i), **_rare_of_visit(problem, i)}
            for i in range(problem.num_visits)
        ],
        "vehicle_types": [
            {**row(t, (*fields["types"], *more), i), **_rare_of_type(t, i)} for i in range(len(t.count))
        ],
        "travel": [_travel_part(travel) for travel in problem.travel],
    }
    _write(path, json.dumps(content, ensure_ascii=False) + "\n")


def load_solution(path: Path | str, problem: Problem) -> Solution:
    """The solution in a .json (native) or .sol (CVRPLIB) file; whether it is sound is the checker's business."""
    path = Path(path)
    if path.suffix.lower() != ".json" or path.name.lower().endswith(".bks.duration.json"):
        return read_sol(path, problem)[0]
    content = _parse(path, SolutionFile)
    return Solution.of(
        Route(
            r.vehicle_type,
            tuple(r.visits),
            tuple(Halt(h.before, h.place, h.charge) for h in r.halts),
            tuple(Part(p.position, tuple(p.amount)) for p in r.parts),
        )
        for r in content.routes
    )


def dump_solution(problem: Problem, solution: Solution, path: Path | str) -> None:
    """Write the solution, as .sol where `path` ends so, as native JSON otherwise."""
    report = check(problem, solution)
    if Path(path).suffix.lower() == ".sol":
        _write(path, sol_text(problem, solution, report.cost.total))
        return
    content = SolutionFile(
        format=SOLUTION_FORMAT,
        problem=problem.name,
        cost=report.cost.total,
        unserved=list(report.unserved),
        routes=[
            RoutePart(
                vehicle_type=r.vehicle_type,
                visits=list(r.visits),
                halts=[HaltPart(before=h.before, place=h.place, charge=h.charge) for h in r.halts],
                parts=[AmountPart(position=p.position, amount=list(p.amount)) for p in r.parts],
            )
            for r in solution.routes
        ],
    )
    _write(path, content.model_dump_json(indent=1) + "\n")


def _parse(path: Path, model: type[Any]) -> Any:
    """The validated content of a JSON file; raises `InvalidInputError` with every fault."""
    try:
        return model.model_validate_json(path.read_bytes().removeprefix(BOM_UTF8))
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise InvalidInputError(
            (Fault(str(path), "", "", "unreadable", message, "check the path"),)
        ) from None
    except ValidationError as error:
        of = "solution" if model is SolutionFile else "problem"
        raise InvalidInputError(json_faults(path, error, f"see logistics solvers --schema {of}")) from None


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


def _rare_of_visit(problem: Problem, i: int) -> dict[str, Any]:
    """What few visits have, only where this one has it."""
    v = problem.visits
    out: dict[str, Any] = {}
    if i in problem.closed_times:
        edges = [int(v.tw[i, 0]), *(x for gap in problem.closed_times[i] for x in gap), int(v.tw[i, 1])]
        out["windows"] = [_open_ended(edges[k : k + 2]) for k in range(0, len(edges), 2)]
    if v.backhaul is not None and v.backhaul[i]:
        out["backhaul"] = True
    if v.service_by_type is not None:
        rows = zip(problem.vehicle_types.names, v.service_by_type[i].tolist(), strict=True)
        if others := {name: service for name, service in rows if service != v.service[i]}:
            out["service_by_type"] = others
    if v.group is not None and v.group[i] >= 0:
        out["group"] = str(v.group[i])
    if v.pair is not None and v.pair[i] >= 0:
        out["pickup_at"] = int(v.pair[i])
    if v.due is not None and v.due[i] < UNLIMITED:
        out["due"] = int(v.due[i])
    if v.late_cost is not None and v.late_cost[i]:
        out["late_cost"] = int(v.late_cost[i])
    if v.previous is not None and v.previous[i] >= 0:
        out["previous"] = problem.vehicle_types.names[int(v.previous[i])]
    if v.change_cost is not None and v.change_cost[i]:
        out["change_cost"] = int(v.change_cost[i])
    if v.split is not None and v.split[i]:
        out["split"] = True
    return out


def _rare_of_type(t: VehicleTypes, k: int) -> dict[str, Any]:
    """What few vehicle types have, only where some have it."""
    keys = ("open_end", "overtime_after", "overtime_cost", "lifo", "max_reloads", "reload_time")
    out = {key: _open_ended(getattr(t, key)[k].item()) for key in keys if getattr(t, key) is not None}
    if t.on_board is not None:
        out["on_board"] = t.on_board[k].tolist()
    if (rule := rule_of(t.duty, k)) is not None:
        out["duty"] = dataclasses.asdict(rule)
    if (battery := battery_of(t.battery, k)) is not None:
        out["battery"] = {**dataclasses.asdict(battery), "initial": battery.at_start}
    for key in ("reload_depots", "locked", "stations"):
        if (lists := getattr(t, key)) is not None:
            out[key] = list(lists[k])
    return out


def _speeds(part: SpeedsPart | None, file: str, i: int, faults: list[Fault]) -> Speeds | None:
    if part is None:
        return None
    where, rows, repair = f"travel[{i}].speeds", part.category or [], "see logistics solvers --schema problem"
    wrong = [
        k for k, row in enumerate(rows) if not (row.isascii() and row.isdigit()) or len(row) != len(rows)
    ]
    for k in wrong:
        message = f"a row of categories is not of {len(rows)} digits"
        faults.append(Fault(file, f"{where}.category[{k}]", rows[k][:80], "speeds", message, repair))
    table = None if part.category is None or wrong else [list(map(int, row)) for row in rows]
    try:
        if len({len(row) for row in part.values}) > 1:
            raise ValueError(f"each category needs {len(part.starts)} positive speeds")
        return Speeds.of(part.starts, part.values, table)
    except ValueError as error:
        faults.append(Fault(file, where, "", "speeds", str(error), repair))
        return None


def _speeds_part(travel: Travel) -> dict[str, Any]:
    if travel.speeds is None:
        return {}
    speeds = travel.speeds
    part = {"starts": speeds.starts.tolist(), "values": speeds.values.tolist()}
    if speeds.category is not None:
        part["category"] = ["".join(map(str, row)) for row in speeds.category.tolist()]
    return {"speeds": part}


def _travel_part(travel: Travel) -> dict[str, Any]:
    return {**_plain_travel_part(travel), **_speeds_part(travel)}


def _plain_travel_part(travel: Travel) -> dict[str, Any]:
    if travel.distance is not None and travel.duration is not None:
        tables = {"metric": "matrix", "distance": travel.distance.tolist()}
        same = travel.duration is travel.distance or np.array_equal(travel.duration, travel.distance)
        return tables if same else {**tables, "duration": travel.duration.tolist()}
    pace = travel.duration_per_distance
    return {"metric": travel.metric.name.lower(), "scale": travel.scale, "duration_per_distance": pace}
