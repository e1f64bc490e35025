"""Which instances a benchmark takes, and the best-known cost of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from solvers.check import check
from solvers.errors import Fault, InvalidInputError, LogisticsError
from solvers.problem import Problem
from solvers.readers import family_of, read_best_known, read_sol
from solvers.readers.mamut import PROBLEM_SUFFIX

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

    Of each folder `every` k keeps the instances 0, k, 2k, … and `not_every` k all but those, so that tuning and
    reporting can be kept apart. Then `match` keeps names that fit one of the patterns, and `limit` so many,
    spread evenly. Raises `InvalidInputError` where nothing is left.
    """
    chosen, faults = [], []
    for folder in folders:
        if folder.is_file():
            chosen.append(Instance(folder, folder.resolve().parent.name, _stem(folder.name)))
            continue
        found = _in_folder(folder)
        if not found:
            faults.append(
                Fault(str(folder), "", "", "no-instances", "no instance files here", "name a folder of them")
            )
        if every:
            found = found[::every]
        if not_every:
            found = [i for position, i in enumerate(found) if position % not_every]
        if match:
            found = [i for i in found if any(fnmatch(i.name, pattern) for pattern in match)]
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
    named = [Instance(f, folder.resolve().name, _stem(f.relative_to(folder).as_posix())) for f in files]
    return sorted(named, key=lambda instance: instance.name)


def _stem(name: str) -> str:
    """The name without the ending of its format."""
    return (
        name[: -len(PROBLEM_SUFFIX)]
        if name.lower().endswith(PROBLEM_SUFFIX)
        else str(Path(name).with_suffix(""))
    )


def _is_instance(file: Path) -> bool:
    """Native and MAMUT problems are told from other JSON, Solomon files from other texts."""
    name = file.name.lower()
    if not file.is_file() or name.endswith((".vrp", PROBLEM_SUFFIX)):
        return file.is_file()
    if file.suffix.lower() == ".json":
        with file.open("rb") as opened:
            return b"logistics-problem/" in opened.read(400)
    return not name.startswith(("readme", "license"))


def best_known(instance: Instance, problem: Problem) -> tuple[float | None, int | None]:
    """Best-known cost in the problem's units, and its number of routes; None where none is known.

    From the solution file beside the instance (.sol or .bks.Duration.json): the checker's cost of its routes, or
    the cost that it states where the checker finds fault with them. Otherwise from best-known.csv.
    """
    unit = (
        family_of(instance.path).unit if instance.path.suffix.lower() != ".json" or _is_mamut(instance) else 1
    )
    beside = _stem(str(instance.path))
    for ending in (".sol", ".bks.Duration.json"):
        solution_file = Path(beside + ending)
        if not solution_file.exists():
            continue
        try:
            solution, stated = read_sol(solution_file, problem)
        except LogisticsError:
            return None, None
        report = check(problem, solution)
        if report.feasible:
            return float(report.cost.total), len(solution.routes)
        return (None if stated is None else stated * unit), len(solution.routes)
    table = instance.path.parent / "best-known.csv"
    if table.exists() and (known := read_best_known(table).get(instance.path.stem)) is not None:
        return known.distance * unit, known.routes
    return None, None


def _is_mamut(instance: Instance) -> bool:
    return instance.path.name.lower().endswith(PROBLEM_SUFFIX)
