"""Routing problems, solvers and an independent checker. Usable without the rest of the project.

>>> from solvers import ProblemBuilder, MaxIterations, make

Each name is imported from its module when first asked for (PEP 562), so `import solvers` costs next to nothing:
NumPy alone takes 0.05 to 0.2 s.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvers.battery import Battery
    from solvers.builder import ProblemBuilder
    from solvers.errors import (
        Fault,
        InvalidInputError,
        LogisticsError,
        MissingExtraError,
        UnknownSolverError,
        UnsupportedFeatureError,
    )
    from solvers.problem import UNLIMITED, Objective, Problem
    from solvers.registry import Solver, make, registered
    from solvers.result import Incumbent, Result, Status
    from solvers.solution import Halt, Part, Route, Solution
    from solvers.stop import (
        AllOf,
        FirstOf,
        MaxIterations,
        MaxRuntime,
        NoImprovement,
        Progress,
        Stop,
        TargetCost,
    )
    from solvers.travel import Metric, Travel

__all__ = [
    "UNLIMITED",
    "AllOf",
    "Battery",
    "Fault",
    "FirstOf",
    "Halt",
    "Incumbent",
    "InvalidInputError",
    "LogisticsError",
    "MaxIterations",
    "MaxRuntime",
    "Metric",
    "MissingExtraError",
    "NoImprovement",
    "Objective",
    "Part",
    "Problem",
    "ProblemBuilder",
    "Progress",
    "Result",
    "Route",
    "Solution",
    "Solver",
    "Status",
    "Stop",
    "TargetCost",
    "Travel",
    "UnknownSolverError",
    "UnsupportedFeatureError",
    "make",
    "registered",
]

# module -> the public names that live there, the same as the imports above make for type checkers
_NAMES = {
    "battery": ("Battery",),
    "builder": ("ProblemBuilder",),
    "errors": (
        "Fault",
        "InvalidInputError",
        "LogisticsError",
        "MissingExtraError",
        "UnknownSolverError",
        "UnsupportedFeatureError",
    ),
    "problem": ("UNLIMITED", "Objective", "Problem"),
    "registry": ("Solver", "make", "registered"),
    "result": ("Incumbent", "Result", "Status"),
    "solution": ("Halt", "Part", "Route", "Solution"),
    "stop": (
        "AllOf",
        "FirstOf",
        "MaxIterations",
        "MaxRuntime",
        "NoImprovement",
        "Progress",
        "Stop",
        "TargetCost",
    ),
    "travel": ("Metric", "Travel"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}


if not TYPE_CHECKING:  # which would take any name for known

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value  # the next time it is found without this function
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
