"""What a solver returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S")


class Status(StrEnum):
    """How a solve ended. Infeasible is an answer, not an error."""

    OPTIMAL = "optimal"  # proven
    FEASIBLE = "feasible"  # every constraint holds and every mandatory visit is served
    INCOMPLETE = "incomplete"  # every constraint holds, but mandatory visits stay unserved
    INFEASIBLE = "infeasible"  # nothing could be served, or it is proven that not all can

    @property
    def feasible(self) -> bool:
        """Whether a solution comes with it that serves all."""
        return self in (Status.OPTIMAL, Status.FEASIBLE)


@dataclass(frozen=True, slots=True)
class Incumbent(Generic[S]):
    """A new best solution, as reported to `on_best` while the solver runs."""

    solution: S
    cost: int
    unserved: int
    elapsed_s: float
    iteration: int


OnBest = Callable[[Incumbent[S]], None]


@dataclass(frozen=True, slots=True)
class Result(Generic[S]):
    """The best solution found, always free of violations, with how it was found.

    `cost` is the objective as the checker computes it (penalty for unserved mandatory visits excluded).
    `history` holds (elapsed seconds, cost, unserved mandatory visits) of each new best.
    `interrupted` is True when the run was cut short by Ctrl-C.
    """

    status: Status
    solution: S
    cost: int
    unserved: tuple[int, ...]
    solver: str
    seed: int
    iterations: int
    runtime_s: float
    history: tuple[tuple[float, int, int], ...] = ()
    interrupted: bool = False
