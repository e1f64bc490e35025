"""Routing problems, solvers and an independent checker. Usable without the rest of the project.

>>> from solvers import ProblemBuilder, MaxIterations, make
"""

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
from solvers.stop import AllOf, FirstOf, MaxIterations, MaxRuntime, NoImprovement, Progress, Stop, TargetCost
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
