"""Which instances a benchmark takes, and the best-known cost of each."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from solvers.check import check
from solvers.errors import Fault, InvalidInputError, LogisticsError
from solvers.problem import Problem
from solvers.readers import family_of, read_sol

SUFFIXES = (".vrp", ".txt", ".json")


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance file. `set_name` is the folder that was named, `name` the file within it without its ending."""

    path: Path
    set_name: str
    name: str


def choose(
    folders: Sequence[Path],
    *,
    match: Sequence[str] = (),
    every: int | None = None,
    not_every: int | None = None,
    limit: int | None = None,
) -> list[Instance]:
    """The instances of `folders` (or single files), by name.

    `match` keeps names that fit one of the patterns. Of what is left in each folder, `every` k keeps the
    instances 0, k, 2k, … and `not_every` k all but those, so that tuning and reporting can be kept apart;
    `limit` then keeps so many, spread evenly. Raises `InvalidInputError` where nothing is left.
    """
    chosen, faults = [], []
    for folder in folders:
        if folder.is_file():
            chosen.append(Instance(folder, folder.resolve().parent.name, folder.stem))
            continue
        found = _in_folder(folder)
        if not found:
            faults.append(
                Fault(str(folder), "", "", "no-instances", "no instance files here", "name a folder of them")
            )
        if match:
            found = [i for i in found if any(fnmatch(i.name, pattern) for pattern in match)]
        if every:
            found = found[::every]
        if not_every:
            found = [i for position, i in enumerate(found) if position % not_every]
        if limit and len(found) > limit:
            found = [found[position * len(found) // limit] for position in range(limit)]
        chosen += found
    if not chosen and not faults:
        place = " ".join(str(f) for f in folders)
        faults.append(Fault(place, "", "", "no-instances", "no instance is left", "choose less narrowly"))
    if faults:
        raise InvalidInputError(tuple(faults))
    return chosen


def _in_folder(folder: Path) -> list[Instance]:
    files = [f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES and _is_instance(f)]
    named = [
        Instance(f, folder.resolve().name, f.relative_to(folder).with_suffix("").as_posix()) for f in files
    ]
    return sorted(named, key=lambda instance: instance.name)


def _is_instance(file: Path) -> bool:
    """Native problems are told from other JSON, Solomon files from other texts."""
    if not file.is_file() or file.suffix.lower() == ".vrp":
        return file.is_file()
    with file.open("rb") as opened:
        head = opened.read(400)
    if file.suffix.lower() == ".json":
        return b"logistics-problem/" in head
    return not file.name.lower().startswith(("readme", "license"))


def best_known(instance: Instance, problem: Problem) -> tuple[float | None, int | None]:
    """Best-known cost in the problem's units, and its number of routes; None where none is known.

    From the .sol file beside the instance: the checker's cost of its routes, or the cost that it states where
    the checker finds fault with them. Otherwise from best-known.csv (columns instance, and routes, distance
    or cost, in units of the file).
    """
    solution_file = instance.path.with_suffix(".sol")
    if solution_file.exists():
        try:
            solution, stated = read_sol(solution_file, problem)
        except LogisticsError:
            return None, None
        report = check(problem, solution)
        if report.feasible:
            return float(report.cost.total), len(solution.routes)
        return (None if stated is None else stated * family_of(instance.path).unit), len(solution.routes)
    table = instance.path.parent / "best-known.csv"
    if table.exists():
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row.get("instance") == instance.path.stem:
                    return _of_row(row, problem)
    return None, None


def _of_row(row: dict[str, str], problem: Problem) -> tuple[float | None, int | None]:
    cost, routes = row.get("cost") or row.get("distance"), row.get("routes")
    return (float(cost) * problem.cost_scale if cost else None), (int(routes) if routes else None)
