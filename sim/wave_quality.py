"""How good the routes of a run are: sampled station waves solved again, by a better solver given more time.

`python -m sim.wave_quality SCENARIO` runs a scenario, keeps some of its delivery waves, chosen by seed, solves
each again and prints what the run's routes cost over what the better solver found. Both pass the checker. A wave
whose vans could not take every stop is compared on the stops that the run served.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from logistics.dispatch.messages import DELIVERY, Solve
from logistics.scenario import Scenario
from logistics.validate import load_scenario
from sim.run import Progress, build_twin
from sim.solving import PlanRejectedError, Solved, SolverPool
from sim.twin import TwinOptions
from solvers import LogisticsError, MaxRuntime, Problem, Solution, make
from solvers.check import check
from solvers.native import dump_problem, dump_solution, load_problem, load_solution

FEWEST_STOPS = 50  # smaller waves are easy for every solver
LIMIT = 1.15
DONE = "compared.json"


@dataclass(frozen=True, slots=True)
class Wave:
    """One delivery wave of a run: its problem, and the routes that its vans drove."""

    problem: Problem
    solution: Solution


@dataclass(frozen=True, slots=True)
class Compared:
    """A wave's routes against the best found for the same stops; costs in the problem's units.

    `left_out` counts stops that the run's vans could not take; they are in neither cost. `doors` and `best_doors`
    are the parts of the costs that pay time at the doors, which no route can save.
    """

    wave: str
    stops: int
    left_out: int
    routes: int
    cost: int
    solver: str
    best_routes: int
    best_cost: int
    doors: int
    best_doors: int

    @property
    def ratio(self) -> float:
        """Cost over the best cost found."""
        return self.cost / self.best_cost

    @property
    def driving_ratio(self) -> float:
        """The same without the time at the doors."""
        return (self.cost - self.doors) / max(1, self.best_cost - self.best_doors)


class _SamplingPool(SolverPool):
    """Solves as the twin's own pool does, and keeps a uniform sample of the delivery waves (algorithm R of
    Vitter 1985: the k-th wave replaces one of the kept with probability count / k)."""

    def __init__(self, jobs: int | None, seed: int, count: int, fewest_stops: int) -> None:
        super().__init__(jobs)
        self._rng = np.random.default_rng([seed, count])
        self._count, self._fewest, self._seen = count, fewest_stops, 0
        self._kept: list[tuple[Solve, Future[Solved]]] = []

    def submit(self, command: Solve) -> Future[Solved]:
        future = super().submit(command)
        if command.role == DELIVERY and command.problem.num_visits >= self._fewest:
            self._seen += 1
            place = len(self._kept) if len(self._kept) < self._count else int(self._rng.integers(self._seen))
            if place < self._count:
                self._kept[place : place + 1] = [(command, future)]
        return future

    def waves(self) -> list[Wave]:
        """The sample, in the order in which the waves were asked for."""
        kept = sorted(self._kept, key=lambda each: each[0].solve)
        return [Wave(command.problem, future.result().result.solution) for command, future in kept]


def sample_waves(
    scenario: Scenario,
    seed: int,
    count: int,
    fewest_stops: int = FEWEST_STOPS,
    options: TwinOptions | None = None,
    progress: Progress = lambda _: None,
) -> list[Wave]:
    """Run the scenario and keep `count` of its delivery waves of at least `fewest_stops` stops (all if fewer)."""
    options = options or TwinOptions()
    twin = build_twin(scenario, seed, options=options, progress=progress)
    twin.pool.close()
    pool = _SamplingPool(options.jobs, seed, count, fewest_stops)
    twin.pool = pool
    progress("simulation")
    twin.run()
    return pool.waves()


def compare_wave(wave: Wave, solvers: Sequence[str], time_limit_s: float, seed: int) -> Compared:
    """Solve the stops that the wave's routes serve with each solver and take the cheapest answer.

    Raises `PlanRejectedError` for routes that the checker rejects, and `LogisticsError` where no solver serves
    all those stops.
    """
    unserved = check(wave.problem, wave.solution).unserved
    required = np.ones(wave.problem.num_visits, dtype=np.bool_)
    required[list(unserved)] = False
    problem = wave.problem.replace(required=required, prize=np.zeros(len(required), dtype=np.int64))
    own = _verified(problem, wave.solution)
    best: tuple[int, int, str, int] | None = None
    for name in solvers:
        found = make(name).solve(problem, MaxRuntime(time_limit_s), seed=seed).solution
        if check(problem, found).unserved:
            continue
        entry = (_verified(problem, found), len(found.routes), name, _doors(problem, found))
        best = entry if best is None else min(best, entry)
    if best is None:
        raise LogisticsError(
            f"{problem.name}: none of {', '.join(solvers)} served all stops of the run's routes"
        )
    return Compared(
        wave=problem.name,
        stops=int(required.sum()),
        left_out=len(unserved),
        routes=len(wave.solution.routes),
        cost=own,
        solver=best[2],
        best_routes=best[1],
        best_cost=best[0],
        doors=_doors(problem, wave.solution),
        best_doors=best[3],
    )


def _doors(problem: Problem, solution: Solution) -> int:
    """What service times cost."""
    return sum(
        int(problem.visits.service[list(route.visits)].sum())
        * int(problem.vehicle_types.time_cost[route.vehicle_type])
        for route in solution.routes
    )


def _verified(problem: Problem, solution: Solution) -> int:
    """Cost of a solution by the checker."""
    report = check(problem, solution)
    if report.violations:
        raise PlanRejectedError(f"{problem.name}: {report.violations[0].message}")
    return report.cost.total


def save_waves(folder: Path, waves: list[Wave]) -> None:
    """Write each wave as wave-NN.problem.json and wave-NN.routes.json, as `logistics solve` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, wave in enumerate(waves):
        dump_problem(wave.problem, folder / f"wave-{number:02d}.problem.json")
        dump_solution(wave.problem, wave.solution, folder / f"wave-{number:02d}.routes.json")


def load_waves(folder: Path) -> Iterator[Wave]:
    """The waves that `save_waves` wrote."""
    for path in sorted(folder.glob("wave-*.problem.json")):
        problem = load_problem(path)
        yield Wave(problem, load_solution(path.with_name(path.name.replace("problem", "routes")), problem))


def table(rows: Sequence[Compared], time_limit_s: float) -> str:
    """The comparison in Markdown, with mean and worst ratio."""
    lines = [
        f"| wave | stops | left out | routes | cost | best in {time_limit_s:g} s | its routes | its cost "
        "| ratio | driving |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.wave} | {row.stops} | {row.left_out} | {row.routes} | {row.cost:,} | {row.solver} | "
        f"{row.best_routes} | {row.best_cost:,} | {row.ratio:.4f} | {row.driving_ratio:.4f} |"
        for row in rows
    ]
    ratios = [row.ratio for row in rows]
    if ratios:
        driving = [row.driving_ratio for row in rows]
        lines += [
            "",
            f"{len(rows)} waves: mean ratio {np.mean(ratios):.4f}, largest {max(ratios):.4f}; of the driving "
            f"alone, without the time at the doors, mean {np.mean(driving):.4f}, largest {max(driving):.4f}",
        ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Compare sampled waves of a run with better routes; exit code 1 when the mean ratio is above the limit.

    With --out, waves and results are kept there and a second call goes on where the first one ended.
    """
    parser = argparse.ArgumentParser(prog="python -m sim.wave_quality", description=main.__doc__)
    parser.add_argument("scenario")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--waves", type=int, default=20)
    parser.add_argument("--fewest-stops", type=int, default=FEWEST_STOPS, help="leave out smaller waves")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for each wave and solver")
    parser.add_argument("--solver", action="append", help="may be repeated; the best answer counts")
    parser.add_argument("--limit", type=float, default=LIMIT, help="largest mean ratio that passes")
    parser.add_argument("--out", type=Path, help="folder for waves and results")
    parser.add_argument("--at-most", type=int, help="compare so many waves in this call")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    solvers = chosen.solver or ["ruin_recreate"]

    def say(text: str) -> None:
        sys.stderr.write(f"{datetime.datetime.now(datetime.UTC):%H:%M:%S} {text}\n")

    waves = list(load_waves(chosen.out)) if chosen.out else []
    if not waves:
        waves = sample_waves(
            load_scenario(chosen.scenario), chosen.seed, chosen.waves, chosen.fewest_stops, progress=say
        )
        if chosen.out:
            save_waves(chosen.out, waves)
    rows = _read(chosen.out)
    todo = waves[len(rows) :]
    for wave in todo if chosen.at_most is None else todo[: chosen.at_most]:
        begun = time.monotonic()
        rows.append(compare_wave(wave, solvers, chosen.time_limit, chosen.seed))
        say(f"{rows[-1].wave}: ratio {rows[-1].ratio:.4f} in {time.monotonic() - begun:.0f} s")
        if chosen.out:
            (chosen.out / DONE).write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    mean = float(np.mean([row.ratio for row in rows])) if rows else 1.0
    if chosen.json:
        report = {"waves": [{**asdict(row), "ratio": row.ratio} for row in rows], "mean_ratio": mean}
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        sys.stdout.write(
            f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}; {Path(chosen.scenario).stem}, seed {chosen.seed}, "
            f"{' and '.join(solvers)} for {chosen.time_limit:g} s\n\n{table(rows, chosen.time_limit)}\n"
        )
    return 1 if mean > chosen.limit else 0


def _read(folder: Path | None) -> list[Compared]:
    path = folder / DONE if folder else None
    if path is None or not path.exists():
        return []
    return [Compared(**row) for row in json.loads(path.read_text())]


if __name__ == "__main__":
    sys.exit(main())
