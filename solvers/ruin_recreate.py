"""Ruin and recreate: string removals, greedy insertion with blinks, simulated annealing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from solvers.features import CLASSIC, require
from solvers.problem import Problem
from solvers.result import OnBest, Result
from solvers.solution import Solution
from solvers.stop import Stop


class RuinRecreateSolver:
    """Slack induction by string removals (Christiaens and Vanden Berghe 2020) from a savings start.

    Parameters
    ----------
    mean_removed, max_string, split, blink
        Mean visits removed per iteration, longest string, probability of sparing a piece inside a string,
        probability of overlooking a position.
    first_temperature, last_temperature
        Of the annealing, in units of the mean edge cost of the start.
    near, adjacent
        Lengths of the neighbour lists for insertion and for ruin.
    """

    name = "ruin_recreate"
    features = CLASSIC
    ablations: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "no annealing": {"first_temperature": 1e-9, "last_temperature": 1e-9},
        "no blinks": {"blink": 0.0},
        "whole strings only": {"split": 0.0},
        "single visits instead of strings": {"max_string": 1.0},
        "half the ruin": {"mean_removed": 5.0},
        "twice the ruin": {"mean_removed": 20.0},
        "half the neighbours": {"near": 20, "adjacent": 50},
    }

    def __init__(
        self,
        mean_removed: float = 10.0,
        max_string: float = 10.0,
        split: float = 0.5,
        blink: float = 0.01,
        whole_route: float = 0.0,
        first_temperature: float = 0.3,
        last_temperature: float = 0.005,
        near: int = 40,
        adjacent: int = 100,
    ) -> None:
        self.search = {
            "mean_removed": mean_removed,
            "max_string": max_string,
            "split": split,
            "blink": blink,
            "whole_route": whole_route,
            "first_temperature": first_temperature,
            "last_temperature": last_temperature,
        }
        self.near, self.adjacent = near, adjacent

    def solve(
        self,
        problem: Problem,
        stop: Stop,
        *,
        seed: int,
        start: Solution | None = None,
        on_best: OnBest[Solution] | None = None,
    ) -> Result[Solution]:
        """See `solvers.registry.Solver`."""
        from solvers.kernels.data import pack
        from solvers.kernels.run import Recorder, RuinTuning, anneal
        from solvers.kernels.session import Session

        began = time.monotonic()
        require(problem, self.features, self.name)
        session = Session(pack(problem, near=self.near, adjacent=self.adjacent), seed)
        recorder = Recorder(session, problem, began, on_best)
        if start is None:
            session.construct()
        else:
            session.start_from(start)
        iterations = anneal(session, recorder, stop, RuinTuning(**self.search))
        return recorder.result(self.name, seed, iterations)
