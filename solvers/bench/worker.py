"""One run in a process of its own: pinned, warmed, timed, checked. Started by `solvers.bench.campaign`.

Reads one job as a JSON line from stdin, writes one JSON line to stdout. The process ends when its stdin is
closed, so no run outlives the harness.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from solvers import FirstOf, MaxIterations, MaxRuntime, Problem, ProblemBuilder, clock, make
from solvers.bench.instances import Instance, best_known
from solvers.check import check, claims
from solvers.errors import Fault, InvalidInputError, LogisticsError
from solvers.native import dump_solution, load_problem
from solvers.parallel.pool import parked
from solvers.problem import Objective
from solvers.registry import RoutingSolver
from solvers.stop import Stop, first_of

_TICK_S = 0.01  # the history keeps one entry in this time


def warm(solver: RoutingSolver, problem: Problem) -> float:
    """Load and compile what the solver needs, on a toy and then briefly on the problem; seconds taken.

    The toy brings a search through all its phases, the problem through the code for its features. Processes of a
    portfolio are given time to start and load; they are kept for the run.
    """
    began = time.monotonic()
    first: Stop = FirstOf((MaxIterations(100), MaxRuntime(2.0)))
    second = FirstOf((MaxIterations(1), MaxRuntime(0.2)))
    if solver.name == "portfolio":
        first, second = MaxRuntime(8.0), FirstOf((MaxIterations(1), MaxRuntime(4.0)))
    with contextlib.suppress(LogisticsError):
        solver.solve(toy(), first, seed=0)
    solver.solve(problem, second, seed=0)
    return time.monotonic() - began


def toy() -> Problem:
    """24 visits on a grid."""
    b = ProblemBuilder(name="toy")
    b.depot(0, 0)
    for i in range(24):
        b.visit(7 * (i % 5) - 13, 5 * (i // 5) - 11, delivery=1 + i % 3)
    b.vehicle_type(count=12, capacity=10)
    return b.build()


def with_fleet(problem: Problem, vehicles: int) -> Problem:
    """The problem at least cost with so many vehicles. Raises `InvalidInputError` if they are not of one type."""
    types = problem.vehicle_types
    if len(types.count) != 1:
        what = "a bound on the fleet needs vehicles of one type"
        fault = Fault(
            "--fleet-of", problem.name, str(len(types.count)), "several-types", what, "leave it out"
        )
        raise InvalidInputError((fault,))
    bound = replace(types, count=np.full(1, vehicles, dtype=types.count.dtype))
    return replace(problem, vehicle_types=bound, objective=Objective.COST)


def processor_s() -> float:
    """Processor time of this process and of those that it started and that have ended or wait for work."""
    return sum(os.times()[:4]) + parked.processor_s()


def thinned(history: tuple[tuple[float, int, int], ...]) -> list[list[float]]:
    """The history with the last entry of each tick."""
    kept: list[list[float]] = []
    for seconds, cost, unserved in history:
        entry = [round(seconds, 3), cost, unserved]
        if kept and seconds - kept[-1][0] < _TICK_S:
            entry[0] = kept[-1][0]
            kept[-1] = entry
        else:
            kept.append(entry)
    return kept


def run(job: dict[str, Any]) -> dict[str, Any]:
    """The run's part of a record."""
    instance = Instance(Path(job["path"]), job["set_name"], job["instance"])
    try:
        problem = load_problem(instance.path)
        known, known_routes = best_known(instance, problem)
        found: dict[str, Any] = {
            "visits": problem.num_visits,
            "best_known": known,
            "best_known_routes": known_routes,
        }
        if job["vehicles"] is not None:
            problem = with_fleet(problem, job["vehicles"])
        found["vehicles_first"] = problem.objective is Objective.VEHICLES
        solver = make(job["solver"], job["parameters"])
        warm_s = warm(solver, problem)
        bounds = dict(job["stop"])
        clock.go_by(clock.Clock(bounds.pop("clock")))
        stop = first_of(**bounds)
        cpu, began = processor_s(), time.monotonic()
        result = solver.solve(problem, stop, seed=job["seed"])
        wall_s, cpu_s = time.monotonic() - began, processor_s() - cpu
    except LogisticsError as error:
        return {"visits": 0, "error": str(error), "error_code": error.code}
    report = check(problem, result.solution)
    if problem.objective is Objective.LONGEST:
        found["longest"] = report.longest
        found["best_known"] = None  # of a cost
    wrong = [v.message for v in report.violations] + claims(result, report)
    if job["solution"]:
        Path(job["solution"]).parent.mkdir(parents=True, exist_ok=True)
        dump_solution(problem, result.solution, job["solution"])
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        **found,
        "status": str(result.status),
        "cost": report.cost.total,
        "routes": len(result.solution.routes),
        "unserved": len(report.unserved),
        "feasible": not wrong and not report.unserved,
        "violations": wrong[:20],
        "iterations": result.iterations,
        "wall_s": round(wall_s, 3),
        "cpu_s": round(cpu_s, 3),
        "warm_s": round(warm_s, 3),
        "peak_memory_mb": round(max(own, children) / 1024, 1),
        "history": thinned(result.history),
    }


def _end_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def _line() -> str:
    """The first line of stdin, unbuffered: what follows it is watched by another thread."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            os._exit(1)
        line += piece
    return line.decode()


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a solver prints is no answer
    job = json.loads(_line())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    if job["cpus"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job["cpus"])
    answers.write(json.dumps(run(job)) + "\n")
    answers.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
