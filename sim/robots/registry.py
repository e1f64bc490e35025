"""Strategies for robots by name: the built-in ones, and those that other packages offer as entry points.

A package adds one by declaring an entry point in the group `logistics.robot_strategies` whose value is a class
or factory that takes settings by keyword and gives a `RobotStrategy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from sim.robots.problem import RobotProblem, RobotSolution
from solvers.errors import UnknownSolverError
from solvers.registry import HERE, Solver, SolverInfo, own_errors_told

GROUP = "logistics.robot_strategies"

RobotStrategy = Solver[RobotProblem, RobotSolution]

BUILT_IN: dict[str, str] = {
    "fast": "sim.robots.strategies:FastStrategy",
    "windowed": "sim.robots.strategies:WindowStrategy",
}


def registered() -> dict[str, SolverInfo]:
    """All strategies by name; a built-in name wins over an entry point of the same name."""
    found = {ep.name: SolverInfo(ep.name, ep.value, "entry point") for ep in entry_points(group=GROUP)}
    found.update({name: SolverInfo(name, target, HERE) for name, target in BUILT_IN.items()})
    return dict(sorted(found.items()))


def make(name: str, settings: Mapping[str, Any] | None = None) -> RobotStrategy:
    """The strategy registered as `name`, with its settings.

    `UnknownSolverError` lists all names, `BrokenSolverError` says why one of another package cannot be made.
    """
    info = registered().get(name)
    if info is None:
        raise UnknownSolverError(f"no robot strategy {name!r}; there are: {', '.join(registered())}")
    module, _, attribute = info.target.partition(":")
    with own_errors_told(info):
        strategy: RobotStrategy = getattr(import_module(module), attribute)(**dict(settings or {}))
    return strategy
