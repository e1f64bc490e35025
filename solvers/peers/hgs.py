"""Adapter to HGS-CVRP (hybrid genetic search, C++), https://github.com/vidalt/HGS-CVRP.

Takes an executable called `hgs`, or the package hygese, which wraps the same program as a library; neither comes
with this project's extras.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from solvers.errors import MissingExtraError, UnsupportedFeatureError
from solvers.features import require
from solvers.interrupts import interrupts_noted
from solvers.ortools_parts import servable_visits, usable_types
from solvers.peers.common import PeerFailedError, Report, matrices
from solvers.problem import Problem
from solvers.readers.sol import read_sol
from solvers.result import OnBest, Result
from solvers.solution import Route, Solution
from solvers.stop import Stop
from solvers.travel import Metric

_PATIENCE = 20_000  # iterations without improvement where the stop bounds nothing that HGS knows


class HgsSolver:
    """HGS-CVRP at its default parameters: plain capacitated problems with symmetric distances.

    Of `stop` the time limit and the iterations are heeded, the latter as iterations without improvement; HGS
    counts processor time, so on a busy machine it runs beyond the limit. A start is not used, but the result
    is never worse than it. `on_best` and the history have the final solution only.

    executable    name or path of the program; where there is none, the package hygese is taken
    granular      neighbours of each visit
    """

    name = "hgs"
    features: frozenset[str] = frozenset()

    def __init__(self, executable: str = "hgs", granular: int = 20) -> None:
        self.granular = granular
        self.executable = shutil.which(executable)
        self._hygese: Any = None
        if self.executable is None:
            try:
                self._hygese = import_module("hygese")
            except ModuleNotFoundError as error:
                if error.name != "hygese":
                    raise
                message = f"the solver needs HGS-CVRP: put {executable} on the PATH, or pip install hygese"
                raise MissingExtraError(message) from None

    def solve(
        self,
        problem: Problem,
        stop: Stop,
        *,
        seed: int,
        start: Solution | None = None,
        on_best: OnBest[Solution] | None = None,
    ) -> Result[Solution]:
        """See `solvers.registry.Solver`. Needs n² distances with the package, coordinates with the executable."""
        require(problem, self.features, self.name)
        report = Report(problem, self.name, seed)
        usable = usable_types(problem)
        visits = servable_visits(problem, usable)
        routes: list[tuple[int, ...]] = []
        if len(visits) == 1:
            routes = [(visits[0],)]
        elif visits:
            search = self._by_program if self.executable is not None else self._by_library
            # the library cannot be halted, but what it then ends with is kept; Ctrl-C ends the program itself
            halted = interrupts_noted(report.interrupt) if self.executable is None else nullcontext()
            with halted:
                routes = search(problem, visits, stop, seed)
        found = [Route(usable[0], route) for route in routes]
        return report.result(found, start, stop.max_iterations or 1, on_best)

    def _vehicles(self, problem: Problem, visits: list[int]) -> int:
        """Those that there are, but no more than loads call for and some."""
        load = int(problem.visits.delivery[visits].sum())
        capacity = max(1, int(problem.vehicle_types.capacity[0, 0]))
        return min(int(problem.vehicle_types.count[0]), math.ceil(1.3 * load / capacity) + 3, len(visits))

    def _by_library(
        self, problem: Problem, visits: list[int], stop: Stop, seed: int
    ) -> list[tuple[int, ...]]:
        nodes = np.array([0, *(problem.num_depots + v for v in visits)])
        distance = matrices(problem)[0][0][np.ix_(nodes, nodes)]
        if (distance != distance.T).any():
            raise UnsupportedFeatureError(f"solver {self.name!r} does not support asymmetric distances")
        data: dict[str, Any] = {
            "distance_matrix": distance.astype(float),
            "demands": np.concatenate([[0], problem.visits.delivery[visits, 0]]).astype(float),
            "vehicle_capacity": float(problem.vehicle_types.capacity[0, 0]),
            "num_vehicles": self._vehicles(problem, visits),
            "depot": 0,
        }
        if problem.coords is not None:  # for SWAP*, which goes by polar angles; must not be negative
            xy = problem.coords[nodes] - problem.coords[nodes].min(axis=0)
            data |= {"x_coordinates": xy[:, 0], "y_coordinates": xy[:, 1]}
        parameters = self._hygese.AlgorithmParameters(
            nbGranular=self.granular,
            seed=seed % 2**31,
            nbIter=stop.max_iterations or (2**31 - 1 if stop.max_runtime_s else _PATIENCE),
            timeLimit=stop.max_runtime_s or 0.0,
            useSwapStar=problem.coords is not None,
        )
        answer = self._hygese.Solver(parameters=parameters, verbose=False).solve_cvrp(data)
        return [tuple(visits[node - 1] for node in route) for route in answer.routes]

    def _by_program(
        self, problem: Problem, visits: list[int], stop: Stop, seed: int
    ) -> list[tuple[int, ...]]:
        travel = problem.travel[0]
        if travel.metric is not Metric.EUCLIDEAN_ROUND or problem.coords is None:
            message = (
                "supports Euclidean distances rounded to nearest only; the package hygese takes matrices"
            )
            raise UnsupportedFeatureError(f"the program of solver {self.name!r} {message}")
        xy = problem.coords[[0, *(problem.num_depots + v for v in visits)]] * travel.scale
        demand = [0, *problem.visits.delivery[visits, 0].tolist()]
        text = [
            *("NAME : p", "TYPE : CVRP", f"DIMENSION : {len(xy)}", "EDGE_WEIGHT_TYPE : EUC_2D"),
            *(f"CAPACITY : {int(problem.vehicle_types.capacity[0, 0])}", "NODE_COORD_SECTION"),
            *(f"{i + 1} {x!r} {y!r}" for i, (x, y) in enumerate(xy.tolist())),
            "DEMAND_SECTION",
            *(f"{i + 1} {amount}" for i, amount in enumerate(demand)),
            *("DEPOT_SECTION", "1", "-1", "EOF"),
        ]
        with tempfile.TemporaryDirectory() as folder:
            instance, answer = Path(folder) / "p.vrp", Path(folder) / "p.sol"
            instance.write_text("\n".join(text) + "\n", encoding="ascii")
            command = [str(self.executable), str(instance), str(answer), "-round", "1", "-log", "0"]
            command += ["-seed", str(seed % 2**31), "-nbGranular", str(self.granular)]
            command += ["-veh", str(self._vehicles(problem, visits))]
            if stop.max_runtime_s is not None:
                command += ["-t", str(stop.max_runtime_s)]
            if stop.max_iterations is not None or stop.max_runtime_s is None:
                command += ["-it", str(stop.max_iterations or _PATIENCE)]
            else:
                command += ["-it", str(2**31 - 1)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if not answer.exists():
                last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
                raise PeerFailedError(f"{self.executable} ended with {done.returncode}: {last[0]}")
            solution, _ = read_sol(answer, problem)
        return [tuple(visits[v] for v in route.visits) for route in solution.routes]
