"""The default solver: looks at the problem and the stop, and hands them to the solver that suits."""

from __future__ import annotations

from pathlib import Path

from solvers.choice import DEFAULT_RULES, features_of_rules, load_rules, pick, usable_cores
from solvers.problem import Problem
from solvers.registry import enough_iterations, make
from solvers.result import OnBest, Result
from solvers.solution import Solution
from solvers.stop import MaxIterations, Stop


class AutoSolver:
    """Picks a solver by rules (solvers/choice.toml); the result names it.

    rules    a TOML file of rules in place of the built-in ones
    cores    cores to reckon with, 0 for those that the process may use

    With a stop on iterations the choice depends on the problem alone, so the result repeats elsewhere.
    """

    name = "auto"

    def __init__(self, rules: str = "", cores: int = 0) -> None:
        self.rules = load_rules(Path(rules) if rules else DEFAULT_RULES)
        self.cores = cores

    @property
    def features(self) -> frozenset[str]:
        """What some solver that the rules lead to supports."""
        return features_of_rules(r for r in self.rules.rule if r.solver != "portfolio")

    def enough(self, problem: Problem) -> int:
        """What is enough for the solver picked where the stop is on iterations."""
        rule = pick(problem, MaxIterations(1), self.rules, self.cores or usable_cores())
        return enough_iterations(make(rule.solver, rule.parameters), problem)

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
        rule = pick(problem, stop, self.rules, self.cores or usable_cores())
        return make(rule.solver, rule.parameters).solve(
            problem, stop, seed=seed, start=start, on_best=on_best
        )
