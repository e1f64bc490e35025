"""Problem files of the League of Robot Runners 2023: a map, start cells and an endless list of errands."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.robots.grid import Grid, read_map, unreadable
from sim.robots.problem import RobotProblem
from solvers.errors import Fault, InvalidInputError

STEPS_FILE = "simulation_time.json"
BEST_KNOWN_FILE = "best-known.csv"


def read_problem(path: Path, *, steps: int) -> RobotProblem:
    """Read a League 2023 problem (`.json`) with the map, agent and task files that it names.

    Args:
        path: the JSON file; the paths inside are relative to it.
        steps: length of the run, which the format leaves to the caller.

    Raises:
        InvalidInputError: every fault found in the problem file, or in the files that it names.
    """
    document = _read_json(path)
    faults: list[Fault] = []
    files: dict[str, Path] = {}
    for key in ("mapFile", "agentFile", "taskFile"):
        value = document.get(key)
        if isinstance(value, str) and value:
            files[key] = path.parent / value
        else:
            faults.append(
                _field_fault(path, key, value, "no file named", "give a path relative to this file")
            )
    team = document.get("teamSize")
    if not isinstance(team, int) or isinstance(team, bool) or team < 1:
        faults.append(
            _field_fault(path, "teamSize", team, "not a team size", "give an integer of at least 1")
        )
        team = 0
    reveal = document.get("numTasksReveal", 1)
    if reveal != 1:
        repair = "set it to 1 (the 2023 rules)"
        faults.append(_field_fault(path, "numTasksReveal", reveal, "only one errand is revealed", repair))
    strategy = document.get("taskAssignmentStrategy", "roundrobin")
    if strategy != "roundrobin":
        repair = "set it to roundrobin (the 2023 rules)"
        faults.append(_field_fault(path, "taskAssignmentStrategy", strategy, "unknown strategy", repair))
    if faults:
        raise InvalidInputError(faults)

    grid: Grid | None = None
    try:
        grid = read_map(files["mapFile"])
    except InvalidInputError as error:
        faults.extend(error.faults)
    starts = _read_locations(files["agentFile"], grid, faults)
    errands = _read_locations(files["taskFile"], grid, faults)
    if not faults:
        if len(starts) < team:
            faults.append(_field_fault(path, "teamSize", team, f"only {len(starts)} starts", "reduce it"))
        if len(errands) < team:
            faults.append(_field_fault(path, "teamSize", team, f"only {len(errands)} errands", "reduce it"))
        starts = starts[:team]
        first: dict[int, int] = {}
        for row, location in enumerate(starts.tolist()):
            if location in first:
                message = f"same start cell as line {first[location] + 2}"
                repair = "give every robot its own cell"
                place = f"line {row + 2}"
                faults.append(
                    Fault(str(files["agentFile"]), place, str(location), "start-shared", message, repair)
                )
            first.setdefault(location, row)
    if faults or grid is None:
        raise InvalidInputError(faults)
    return RobotProblem(path.stem, grid, starts, errands, steps)


def find_instance(directory: Path, name: str) -> RobotProblem:
    """The instance called `name` below `directory`, with its steps from `simulation_time.json`.

    Args:
        directory: folder holding the League's files at any depth.
        name: `I-04`, `MR23-I-04` or any other problem's file name without suffix.

    Raises:
        InvalidInputError: no such instance, or no number of steps for it, or faults in its files.
    """
    wanted = {name, f"MR23-{name}"}
    for path in sorted(directory.rglob("*.json")):
        if path.stem in wanted:
            return read_problem(path, steps=_steps_of(directory, path))
    known = ", ".join(instance_names(directory)) or "none"
    fault = Fault(
        str(directory),
        "",
        name,
        "instance-unknown",
        "no such instance",
        f"choose one of those found: {known}",
    )
    raise InvalidInputError([fault])


def instance_names(directory: Path) -> list[str]:
    """Names of the problem files below `directory` whose number of steps is known, sorted."""
    known = _all_steps(directory)
    stems = {path.stem.removeprefix("MR23-") for path in directory.rglob("*.json")}
    return sorted(stems & set(known))


def best_known(directory: Path, year: int = 2023) -> dict[str, int]:
    """Errands finished by the best published solutions: `{"I-04": 1741, ...}`; empty without the table."""
    result: dict[str, int] = {}
    for path in sorted(directory.rglob(BEST_KNOWN_FILE)):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                if row["year"] == str(year):
                    result[row["instance"].removeprefix("MR23-")] = int(row["errands"])
    return result


def _all_steps(directory: Path) -> dict[str, int]:
    steps: dict[str, int] = {}
    for path in sorted(directory.rglob(STEPS_FILE)):
        document = _read_json(path)
        faults = [
            _field_fault(path, key, value, "not a number of steps", "give an integer of at least 1")
            for key, value in document.items()
            if not isinstance(value, int) or value < 1
        ]
        if faults:
            raise InvalidInputError(faults)
        steps.update(document)
    return steps


def _steps_of(directory: Path, path: Path) -> int:
    steps = _all_steps(directory).get(path.stem.removeprefix("MR23-"))
    if steps is None:
        fault = Fault(
            str(path), "", path.stem, "steps-unknown", "no number of steps", f"add it to {STEPS_FILE}"
        )
        raise InvalidInputError([fault])
    return steps


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        fault = Fault(str(path), f"line {error.lineno}", "", "json-syntax", error.msg, "write valid JSON")
        raise InvalidInputError([fault]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError([unreadable(path, error)]) from error
    if not isinstance(document, dict):
        fault = Fault(str(path), "", "", "json-shape", "not a JSON object", "write one object")
        raise InvalidInputError([fault])
    return document


def _read_locations(path: Path, grid: Grid | None, faults: list[Fault]) -> NDArray[np.int32]:
    """Locations of a file whose first line is their number, or fewer where faults are added."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(unreadable(path, error))
        return np.empty(0, np.int32)
    while lines and not lines[-1].strip():
        lines.pop()
    count = lines[0].strip() if lines else ""
    if not count.isdecimal():
        faults.append(
            Fault(str(path), "line 1", count, "count-missing", "no number of lines", "write it on line 1")
        )
    elif int(count) != len(lines) - 1:
        message = f"{len(lines) - 1} lines follow"
        faults.append(Fault(str(path), "line 1", count, "count-wrong", message, "correct the number"))
    locations = []
    for number, text in enumerate(lines[1:], start=2):
        word = text.strip()
        location = int(word) if word.isdecimal() else -1
        message = ""
        if location < 0:
            message = "not a location"
        elif grid is not None and location >= len(grid.free):
            message = f"beyond the map's {len(grid.free)} cells"
        elif grid is not None and not grid.free[location]:
            message = "a blocked cell"
        if message:
            repair = "give row * width + column of a free cell"
            faults.append(Fault(str(path), f"line {number}", word, "location-invalid", message, repair))
        else:
            locations.append(location)
    return np.array(locations, np.int32)


def _field_fault(path: Path, key: str, value: object, message: str, repair: str) -> Fault:
    return Fault(str(path), key, repr(value), "problem-field", message, repair)
