"""What a solution file states beside its routes, and what of it the checker does not find."""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from solvers.check import CheckReport, claims
from solvers.native_parts import SolutionFile
from solvers.problem import Problem
from solvers.readers import family_of, read_sol
from solvers.readers.sol import COST
from solvers.result import Result
from solvers.solution import Solution

_WHO = "the file"


@dataclass(frozen=True, slots=True)
class Stated:
    """None for what the file does not state. `cost` is a number of the problem's units in a native file; in the
    others it is in units of the instance, and keeps its decimals."""

    cost: int | Decimal | None = None
    unserved: tuple[int, ...] | None = None
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Only what is stated."""
        cost = float(self.cost) if isinstance(self.cost, Decimal) else self.cost
        unserved = None if self.unserved is None else list(self.unserved)
        known = {"problem": self.problem, "cost": cost, "unserved": unserved}
        return {key: value for key, value in known.items() if value is not None}


def stated_in(path: Path | str, problem: Problem) -> Stated:
    """What the solution file states; for one that `native.load_solution` reads without a fault."""
    path = Path(path)
    if path.suffix.lower() == ".json" and not path.name.lower().endswith(".bks.duration.json"):
        content = SolutionFile.model_validate_json(path.read_bytes().removeprefix(BOM_UTF8))
        unserved = tuple(content.unserved) if "unserved" in content.model_fields_set else None
        return Stated(content.cost, unserved, content.problem or None)
    cost = read_sol(path, problem)[1]
    if cost is None:
        return Stated()
    if path.suffix.lower() == ".json":
        return Stated(Decimal(repr(cost)))
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    words = [match[1] for line in lines if (match := COST.match(line.strip()))]
    return Stated(Decimal(words[-1]))


def differences(
    said: Stated, problem: Problem, report: CheckReport, file: Path | str, rounding: str | None = None
) -> list[str]:
    """What the file states and the checker does not find, in words; `file` is the problem's, read by `rounding`."""
    found = []
    if said.problem is not None and problem.name and said.problem != problem.name:
        found.append(f"{_WHO} was written for problem {said.problem!r}, this is {problem.name!r}")
    total = cost = report.cost.total
    if isinstance(said.cost, Decimal):
        if not any(_agree(said.cost, total, *unit) for unit in _units(problem, file, rounding)):
            scale, here = problem.cost_scale, f"{total:,}"
            if scale != 1:
                here = f"{total / scale:,} ({here} in the problem's units)"
            found.append(f"{_WHO} states cost {said.cost:,}, the checker finds {here}")
    elif said.cost is not None:
        cost = said.cost
    unserved = report.unserved if said.unserved is None else said.unserved
    claim = Result(
        report.status, Solution(), cost, unserved, solver=_WHO, seed=0, iterations=0, runtime_s=0.0
    )
    return found + claims(claim, report)


def _units(problem: Problem, file: Path | str, rounding: str | None) -> list[tuple[int, int | None]]:
    """In how many units of the problem's cost the file's may be, and to how many decimals at most: as this
    package writes it, and as published files of the problem's family do."""
    units: list[tuple[int, int | None]] = [(problem.cost_scale, None)]
    native = Path(file).suffix.lower() == ".json" and not Path(file).name.lower().endswith(".vrp.json")
    if not native and rounding in (None, (family := family_of(file)).rounding):
        units.append((family.unit, family.decimals))
    return units


def _agree(stated: Decimal, found: int, unit: int, decimals: int | None) -> bool:
    """Whether the two are the same at the precision of the file; sums of legs that were rounded one by one may
    be a billionth apart."""
    exponent = int(stated.as_tuple().exponent)
    if decimals is not None:
        exponent = max(exponent, -decimals)
    return abs(stated * unit - found) <= max(Decimal(unit).scaleb(exponent) / 2, Decimal(found).scaleb(-9))
