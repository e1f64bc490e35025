"""What each part of a solver is worth: runs with one part switched off, paired with runs of the whole.

A solver class declares its parts as `ablations`: a mapping from a name, said of the solver without the part
(`"no SWAP*"`), to the parameters that switch it off or replace it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solvers.bench.comparison import Comparison
from solvers.bench.markdown import percent, table
from solvers.bench.specs import SolverSpec
from solvers.bench.stats import Interval
from solvers.errors import Fault, InvalidInputError
from solvers.registry import make

COLUMNS = ("variant", "instances", "runs", "mean gap %", "worth (points of gap)", "gap without / with")


@dataclass(frozen=True, slots=True)
class Worth:
    """What a part is worth: by how many points the gap grows without it, and the ratio of the gaps."""

    variant: str
    instances: int
    runs: int
    mean_gap_pct: float | None
    worth: Interval | None
    ratio: float | None

    def cells(self) -> list[str]:
        worth = "the whole" if self.worth is None else f"{self.worth.mean:+.3f}"
        if self.worth is not None and self.worth.low is not None and self.worth.high is not None:
            worth += (
                f" [{self.worth.low:+.3f}, {self.worth.high:+.3f}]{' *' if self.worth.significant else ''}"
            )
        counts = [str(self.instances), str(self.runs)]
        return [self.variant, *counts, percent(self.mean_gap_pct), worth, percent(self.ratio, 2)]

    def as_json(self) -> dict[str, Any]:
        return {
            "instances": self.instances,
            "runs": self.runs,
            "mean_gap_pct": self.mean_gap_pct,
            "worth_points": None if self.worth is None else self.worth.mean,
            "worth_low": None if self.worth is None else self.worth.low,
            "worth_high": None if self.worth is None else self.worth.high,
            "ratio": self.ratio,
        }


def variants(whole: SolverSpec, only: Sequence[str] = ()) -> list[SolverSpec]:
    """The solver as it is, then one variant per declared part; `only` names the parts wanted.

    Raises `InvalidInputError` where the solver declares none, or none of a name.
    """
    declared: Mapping[str, Mapping[str, Any]] = getattr(make(whole.name, whole.parameters), "ablations", {})
    faults = []
    if not declared:
        what, repair = "the solver declares no ablations", "give its class an attribute `ablations`"
        faults.append(Fault("--solver", "", whole.name, "no-ablations", what, repair))
    for name in only:
        if declared and name not in declared:
            what, repair = "no such part", f"there are: {', '.join(declared)}"
            faults.append(Fault("--only", "", name, "unknown-ablation", what, repair))
    if faults:
        raise InvalidInputError(tuple(faults))
    made = [whole]
    for name, changes in declared.items():
        if only and name not in only:
            continue
        parameters = {**whole.parameters, **changes}
        make(whole.name, parameters)  # a declaration that the solver does not take is told now
        made.append(SolverSpec(f"{whole.label}: {name}", whole.name, parameters))
    return made


def worths(found: Comparison, made: Sequence[SolverSpec]) -> list[Worth]:
    """The whole first, then the parts by what they are worth."""
    rows = []
    for spec in made:
        row = found.row(spec.label, found.cases())
        rows.append(
            Worth(
                spec.label, row.instances, row.runs, row.mean_gap_pct, row.difference, row.ratio_to_baseline
            )
        )
    return rows[:1] + sorted(rows[1:], key=lambda w: -(w.worth.mean if w.worth else float("-inf")))


def markdown_table(rows: Sequence[Worth]) -> str:
    return table(COLUMNS, [row.cells() for row in rows])
