"""The `alns` solver on benchmark files: fleets as small as the smallest known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from solvers import Incumbent, Progress, Solution
from solvers.alns import AlnsSolver
from solvers.check import check
from solvers.readers import read, read_best_known

DataDir = Callable[[str], Path]


class UntilFewEnough:
    """Stops once `wanted` routes serve everything, or after 100,000 iterations."""

    max_runtime_s = None
    max_iterations = 100_000

    def __init__(self, wanted: int) -> None:
        self.wanted, self.reached = wanted, False

    def hear(self, incumbent: Incumbent[Solution]) -> None:
        self.reached = not incumbent.unserved and len(incumbent.solution.routes) <= self.wanted

    def monitor(self) -> Callable[[Progress], bool]:
        return lambda p: self.reached or p.iterations >= self.max_iterations


def test_fleets_of_a_hundred_locations_are_as_small_as_the_best_known(data_dir: DataDir) -> None:
    folder = data_dir("routing/pdptw-lilim")
    table = read_best_known(folder / "best-known.csv")
    instances = sorted(path for path in folder.glob("*.txt") if "_" not in path.stem)
    assert len(instances) >= 20
    for path in instances:
        problem, stop = read(path, "family"), UntilFewEnough(table[path.stem].routes)
        result = AlnsSolver().solve(problem, stop, seed=1, on_best=stop.hear)
        assert check(problem, result.solution).feasible
        assert len(result.solution.routes) == stop.wanted, path.name
