"""Large instances with features that `alns` alone knows: `python -m tests.benchmarks.rich FOLDER 3000 10000`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from solvers import Metric, Problem, ProblemBuilder, Travel
from solvers.native import dump_problem
from solvers.speeds import Speeds

SIDE, DAY, WINDOW = 20_000, 200_000, 60_000
KINDS = ("pairs", "short-pairs", "open", "soft", "by-hour", "reloads")


def made(kind: str, visits: int, seed: int = 1) -> Problem:
    """Visits at random with windows of a third of the day; a vehicle costs as much as the way across the map.

    Of short pairs both ends are near each other, and vehicles are soon back.
    """
    rng = np.random.default_rng(seed)
    b = ProblemBuilder(name=f"{kind}-n{visits:05d}")
    b.depot(*rng.integers(0, SIDE, 2).tolist())
    for _ in range(visits // 2 if "pairs" in kind else visits):
        load, opens = int(rng.integers(1, 100)), int(rng.integers(0, DAY // 2))
        (x, y), (x2, y2) = rng.integers(0, SIDE, (2, 2)).tolist()
        if kind == "short-pairs":
            x2, y2 = x + (x2 - x) // 10, y + (y2 - y) // 10
        if "pairs" in kind:
            collected = b.visit(x, y, pickup=load, tw=(opens, opens + WINDOW), service=300)
            b.visit(
                x2, y2, delivery=load, pickup_at=collected, tw=(opens, opens + WINDOW + 40_000), service=300
            )
        else:
            late = {"due": opens + WINDOW // 2, "late_cost": 2} if kind == "soft" else {}
            b.visit(x, y, delivery=load, tw=(opens, opens + WINDOW), service=300, **late)
    b.vehicle_type(
        count=visits,
        capacity=1_000,
        fixed_cost=SIDE,
        shift=(0, DAY),
        open_end=kind == "open",
        **({"max_duration": DAY // 5} if kind == "short-pairs" else {}),
        **({"reload_depots": [0], "reload_time": 600} if kind == "reloads" else {}),
    )
    if kind == "by-hour":
        speeds = Speeds.of([0, DAY // 4, 2 * DAY // 5], [[1.0, 0.6, 1.0]])
        b.travel(Travel(metric=Metric.EUCLIDEAN_ROUND, speeds=speeds))
    return b.build()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for size in sys.argv[2:]:
        for name in KINDS:
            problem = made(name, int(size))
            dump_problem(problem, folder / f"{problem.name}.json")
            print(folder / f"{problem.name}.json")
