"""Readers of benchmark files, with line numbers in every fault and the rounding convention named by the caller.

>>> from solvers.readers import read, read_sol
>>> problem = read("X-n106-k14.vrp", rounding="round")          # doctest: +SKIP
>>> solution, cost = read_sol("X-n106-k14.sol", problem)        # doctest: +SKIP
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from solvers.problem import Problem
from solvers.readers.build import build_problem
from solvers.readers.families import FAMILIES, Family, family
from solvers.readers.li_lim import BestKnown, is_li_lim, read_best_known, read_li_lim
from solvers.readers.lines import read_lines
from solvers.readers.mamut import PROBLEM_SUFFIX, SOLUTION_SUFFIX, read_mamut, read_mamut_solution
from solvers.readers.rounding import ROUNDINGS, Rounding, rounding_of
from solvers.readers.sol import beyond_sol, sol_text
from solvers.readers.sol import read_sol as read_routes
from solvers.readers.solomon import read_solomon
from solvers.readers.vrplib import is_vrplib, parse_vrplib
from solvers.solution import Solution

__all__ = [
    "FAMILIES",
    "ROUNDINGS",
    "BestKnown",
    "Family",
    "Rounding",
    "beyond_sol",
    "family_of",
    "read",
    "read_best_known",
    "read_sol",
    "sol_text",
]


def read(path: Path | str, rounding: str) -> Problem:
    """The problem in a VRPLIB, Solomon, Li and Lim or MAMUT (.vrp.json) file.

    VRPLIB files end in .vrp, or in .txt and start with a header.
    `rounding` is a name of `ROUNDINGS`, or "family" for the usual convention of the file's declared type.
    Raises `InvalidInputError` with every fault of the file.
    """
    path = Path(path)
    if rounding != "family":
        rounding_of(rounding)  # a wrong name is told before the file is read
    if path.name.lower().endswith(PROBLEM_SUFFIX):
        return read_mamut(path, rounding_of(FAMILIES["MAMUT"].rounding if rounding == "family" else rounding))
    lines = read_lines(path)
    if path.suffix.lower() == ".txt" and not is_vrplib(lines):
        name, parse = ("LI-LIM", read_li_lim) if is_li_lim(lines) else ("SOLOMON", read_solomon)
        return parse(path, lines, rounding_of(FAMILIES[name].rounding if rounding == "family" else rounding))
    raw = parse_vrplib(path, lines)
    if rounding == "family":
        rounding = family(raw.headers["TYPE"]).rounding
    return build_problem(raw, rounding_of(rounding), path.stem)


def family_of(path: Path | str) -> Family:
    """The conventions of a benchmark file's family, by the TYPE that it declares near its top."""
    path = Path(path)
    if path.name.lower().endswith(PROBLEM_SUFFIX):
        return FAMILIES["MAMUT"]
    if path.suffix.lower() == ".txt" and not is_vrplib(lines := read_lines(path)):
        return FAMILIES["LI-LIM" if is_li_lim(lines) else "SOLOMON"]
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in islice(file, 40):
            key, _, value = line.partition(":")
            if key.strip().upper() == "TYPE":
                return family(value.strip())
    return family("")


def read_sol(path: Path | str, problem: Problem) -> tuple[Solution, float | None]:
    """The solution in a .sol or .bks.Duration.json file, and the cost that the file states.

    Raises `InvalidInputError` with every fault found. Visits served twice and the like are not faults of the
    file: they are for the checker to find.
    """
    path = Path(path)
    if path.name.lower().endswith(SOLUTION_SUFFIX):
        return read_mamut_solution(path, problem)
    return read_routes(path, problem)
