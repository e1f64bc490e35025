"""Measuring strategies on League instances: what `logistics bench robots` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sim.robots.check import check_actions
from sim.robots.league import best_known, find_instance
from sim.robots.registry import make
from solvers.errors import Fault, InvalidInputError
from solvers.stop import MaxIterations

DEFAULT_MS = 90.0
"""Planning budget of a step for strategies that heed one: leaves room below the League's 100 ms."""


@dataclass(frozen=True, slots=True)
class RobotRow:
    """One instance, as the checker saw the run.

    Attributes:
        errands, conflicts: counted by `sim.robots.check`.
        ms_per_step, ms_per_step_max: processor time of the one core used, planning and bookkeeping, without
            preparation; wall_ms_per_step: the same by the wall clock, longer where the core is shared.
        prepare_s: wall clock before the first step: distance tables of all goals, compiled code.
        best_known: best published errands, None where not known.
    """

    errands: int
    ms_per_step: float
    conflicts: int
    ms_per_step_max: float
    wall_ms_per_step: float
    prepare_s: float
    robots: int
    steps: int
    strategy: str
    seed: int
    best_known: int | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def measure(
    directory: Path,
    name: str,
    strategy: str,
    *,
    seed: int = 1,
    steps: int | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> RobotRow:
    """Run `strategy` on the instance called `name` and check every step.

    Args:
        steps: shorten the run to so many steps.
        settings: the strategy's, see `sim.robots.strategies`.

    Raises:
        InvalidInputError: the instance or a setting is wrong.
    """
    problem = find_instance(directory, name)
    if steps is not None:
        problem = problem.replace(steps=min(steps, problem.steps))
    try:
        solver = make(strategy, settings)
    except (TypeError, ValueError) as error:
        fault = Fault(
            "", "--set", str(dict(settings or {})), "robot-setting", str(error), "see docs/robots.md"
        )
        raise InvalidInputError([fault]) from error
    progress(f"{name}: preparing {problem.n_robots} robots")
    result = solver.solve(
        problem,
        MaxIterations(problem.steps),
        seed=seed,
        on_best=lambda best: progress(
            f"{name}: step {best.iteration} of {problem.steps}, {-best.cost:,} errands"
        ),
    )
    progress(f"{name}: checking")
    found = check_actions(problem, result.solution.actions)
    step_ms = result.solution.cpu_s * 1000
    return RobotRow(
        errands=found.errands,
        ms_per_step=round(float(step_ms.mean()), 2),
        conflicts=found.conflicts,
        ms_per_step_max=round(float(step_ms.max()), 2),
        wall_ms_per_step=round(float(result.solution.wall_s.mean()) * 1000, 2),
        prepare_s=round(result.solution.prepare_s, 1),
        robots=problem.n_robots,
        steps=len(step_ms),
        strategy=strategy,
        seed=seed,
        best_known=best_known(directory).get(name.removeprefix("MR23-")),
    )


def settings_of(pairs: tuple[str, ...], ms_per_step: float | None, iterations: int | None) -> dict[str, Any]:
    """Settings from `key=value` words; a budget in chains a step makes a run reproducible.

    Raises:
        InvalidInputError: a word is not KEY=NUMBER.
    """
    settings: dict[str, Any] = {}
    faults = []
    for pair in pairs:
        key, _, text = pair.partition("=")
        try:
            settings[key.strip()] = float(text) if "." in text else int(text)
        except ValueError:
            faults.append(Fault("", "--set", pair, "robot-setting", "not KEY=NUMBER", "write like window=6"))
    if faults:
        raise InvalidInputError(faults)
    if iterations is not None:
        settings["chains"] = iterations
    else:
        settings.setdefault("ms_per_step", ms_per_step if ms_per_step is not None else DEFAULT_MS)
    return settings
