"""Records of runs: one JSON line each in runs.jsonl, only ever appended to, and sessions.jsonl beside it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from solvers.clock import Clock
from solvers.errors import Fault, InvalidInputError

RUNS, SESSIONS = "runs.jsonl", "sessions.jsonl"


@dataclass(frozen=True, slots=True)
class StopSpec:
    """When a run stops; what is None does not bound it. The time limit is one of `clock`."""

    time_limit_s: float | None = None
    iterations: int | None = None
    no_improvement: int | None = None
    clock: Clock = Clock.WALL

    @property
    def bounded(self) -> bool:
        """Whether anything bounds the run."""
        return (self.time_limit_s, self.iterations, self.no_improvement) != (None, None, None)


@dataclass(frozen=True)
class Record:
    """One run. Costs are in the problem's units; `error` says why there is no solution.

    feasible      the checker found no violation and no mandatory visit unserved
    best_known, best_known_routes    None where none is known
    vehicles      bound on the fleet that the run was given, None for the instance's own
    vehicles_first    fewest routes count before the cost
    longest       duration of the longest route where that counts before the cost, else None
    digest        of the instance file
    wall_s, cpu_s, peak_memory_mb    of the call of the solver, warm; memory of the whole process
    history       [seconds, cost, unserved] of each new best
    """

    key: str
    set_name: str
    instance: str
    visits: int
    label: str
    solver: str
    parameters: dict[str, Any]
    seed: int
    stop: dict[str, Any]
    cores: int
    vehicles: int | None = None
    session: int = 0
    error: str | None = None
    error_code: str | None = None
    status: str | None = None
    cost: int | None = None
    routes: int | None = None
    unserved: int | None = None
    feasible: bool | None = None
    violations: list[str] = field(default_factory=list)
    best_known: float | None = None
    best_known_routes: int | None = None
    vehicles_first: bool = False
    longest: int | None = None
    digest: str | None = None
    iterations: int | None = None
    wall_s: float | None = None
    cpu_s: float | None = None
    warm_s: float | None = None
    peak_memory_mb: float | None = None
    history: list[list[float]] = field(default_factory=list)

    @property
    def extra_routes(self) -> int | None:
        """Routes beyond the best-known number, where vehicles come first."""
        if (
            not (self.vehicles_first and self.feasible)
            or self.best_known_routes is None
            or self.routes is None
        ):
            return None
        return self.routes - self.best_known_routes

    @property
    def starved(self) -> bool:
        """Whether something else had the core for more than a tenth of the run: then it says little."""
        return (
            self.stop.get("clock", Clock.WALL) == Clock.WALL
            and self.wall_s is not None
            and self.cpu_s is not None
            and self.wall_s > 1
            and self.cpu_s < 0.9 * self.wall_s
        )

    @property
    def comparable(self) -> bool:
        """Whether the measure can be set beside the best-known one: where vehicles come first, with as many."""
        return bool(self.feasible) and not self.extra_routes

    @property
    def measure(self) -> int | None:
        """What gaps are of: the cost, or the longest route where that counts before it."""
        return self.cost if self.longest is None else self.longest

    @property
    def history_measured(self) -> bool:
        """Whether the history tells how the measure came down: it is of costs, and has no numbers of routes."""
        return self.longest is None and not self.vehicles_first

    @property
    def gap_pct(self) -> float | None:
        """100 × (measure / best-known − 1) of a feasible solution that is comparable."""
        if not self.comparable or self.measure is None or not self.best_known:
            return None
        return 100.0 * (self.measure / self.best_known - 1.0)


def run_key(
    set_name: str,
    instance: str,
    solver: str,
    parameters: Mapping[str, Any],
    seed: int,
    stop: StopSpec,
    cores: int,
    vehicles: int | None = None,
) -> str:
    """The identity of a run: everything that its result may depend on, save versions and machine."""
    parts = [set_name, instance, solver, parameters, seed, asdict(stop), cores]
    if vehicles is not None:
        parts.append(vehicles)
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def append_line(path: Path, content: Mapping[str, Any]) -> None:
    """Add one line and see it onto the disk, after dropping a last line that a kill cut off."""
    with path.open("ab+") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
            if whole != end:
                file.truncate(whole)
        file.write(json.dumps(content, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects in a file of JSON lines; raises `InvalidInputError` with each whole line that is none."""
    found, faults = _objects(path)
    if faults:
        raise InvalidInputError(tuple(faults))
    return [record for _, _, record in found]


def _objects(path: Path) -> tuple[list[tuple[int, bytes, dict[str, Any]]], list[Fault]]:
    """The objects with the numbers of their lines and those, and a fault for each line that is none."""
    if not path.exists():
        return [], []
    content = path.read_bytes()
    lines = content[: content.rfind(b"\n") + 1].splitlines()
    found: list[tuple[int, bytes, dict[str, Any]]] = []
    faults = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if isinstance(record, dict):
            found.append((number, line, record))
        else:
            faults.append(_bad_record(path, number, "not a JSON record"))
    return found, faults


def _bad_record(path: Path, number: int, what: str) -> Fault:
    return Fault(str(path), f"line {number}", "", "bad-record", what, "delete the line")


@cache
def _shape(of: type) -> TypeAdapter[Any]:
    """Made once it is needed, as making it takes time."""
    return TypeAdapter(of)


def _mistyped(of: type, text: bytes | str) -> list[str]:
    """Fields of an object whose values are of another type than `of` says; values beside its fields don't count."""
    try:
        _shape(of).validate_json(text, strict=True)
    except ValidationError as error:
        return sorted({str(item["loc"][0]) for item in error.errors(include_url=False)})
    return []


def _wrong(line: bytes, record: Mapping[str, Any]) -> list[str]:
    """The fields of a run's record that tables could not be made of."""
    if wrong := _mistyped(Record, line):
        return wrong
    wrong = [f"stop.{name}" for name in _mistyped(StopSpec, json.dumps(record["stop"]))]
    if any(len(entry) != 3 for entry in record.get("history", ())):
        wrong.append("history")
    return wrong


def load_records(folders: Iterable[Path]) -> list[Record]:
    """All runs of the folders; of those with one key the latest in the last folder counts.

    Raises `InvalidInputError` for folders without records, and with each line that is no record of a run.
    """
    known = {f.name for f in fields(Record)}
    needed = [f.name for f in fields(Record) if f.default is MISSING and f.default_factory is MISSING]
    faults: list[Fault] = []
    by_key: dict[str, Record] = {}
    for folder in folders:
        if not (folder / RUNS).exists():
            what = f"no {RUNS} here"
            repair = "name a folder that `bench run` wrote"
            raise InvalidInputError((Fault(str(folder), "", "", "no-records", what, repair),))
        found, bad = _objects(folder / RUNS)
        faults += bad
        for number, line, values in found:
            if lacking := [name for name in needed if name not in values]:
                what = f"no record of a run, it lacks {', '.join(lacking)}"
                faults.append(_bad_record(folder / RUNS, number, what))
                continue
            if wrong := _wrong(line, values):
                what = f"no record of a run, of another type than it should be: {', '.join(wrong)}"
                faults.append(_bad_record(folder / RUNS, number, what))
                continue
            record = Record(**{key: value for key, value in values.items() if key in known})
            by_key[f"{record.label} {record.key}"] = record
    if faults:
        raise InvalidInputError(tuple(faults))
    return list(by_key.values())


def load_sessions(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Machine and versions of each time that runs were made."""
    return [line for folder in folders for line in read_lines(folder / SESSIONS)]
