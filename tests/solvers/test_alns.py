"""The `alns` solver: how it anneals, and fleets as small as the smallest known on benchmark files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from solvers import Incumbent, MaxIterations, MaxRuntime, Problem, ProblemBuilder, Progress, Solution
from solvers.alns import AlnsSolver, _Run
from solvers.check import check
from solvers.kernels.rich.layout import RANDOM
from solvers.problem import Objective
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


@pytest.mark.parametrize(("each", "heats"), [(0.0, 1), (40.0, 3), (1000.0, 1)])
def test_it_heats_up_again_where_there_is_time(
    each: float, heats: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8,000 iterations, 60 visits: at 40 iterations a visit three annealings, the later ones hotter."""
    from solvers.kernels.rich.session import Session

    temperatures: list[float] = []
    cool = Session.cool

    def noted(
        self: Session, scale: float, first: float, last: float, share: float, fleet: bool = False
    ) -> None:
        cool(self, scale, first, last, share, fleet)
        temperatures.append(first * (last / first) ** share)

    monkeypatch.setattr(Session, "cool", noted)
    b = ProblemBuilder()
    b.depot(50, 50)
    for x, y in np.random.default_rng(1).integers(0, 100, (60, 2)).tolist():
        b.visit(x, y, delivery=1)
    b.vehicle_type(count=10, capacity=10)
    solver = AlnsSolver(heat_iterations=each, reheat=5.0)
    solver.solve(b.build(), MaxIterations(8000), seed=1)
    rises = [after for before, after in pairwise(temperatures) if after > before]
    assert len(temperatures) == 8
    assert len(rises) == heats - 1
    assert temperatures[0] == solver.first_temperature
    assert all(solver.first_temperature < rise <= 5 * solver.first_temperature for rise in rises)


def test_the_nearer_of_two_bounds_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    run = _Run(AlnsSolver(), tight_pairs(4, 10), MaxRuntime(100.0) | MaxIterations(10_000), 1, None)
    run.rate = 2000.0
    assert run.batch() == 1000
    run.iterations = 9_990
    assert run.batch() == 10
    monkeypatch.setattr(run, "elapsed", lambda: 50.0)
    run.searching_s = 50.0
    run.look_at_clock()
    assert run.done() == pytest.approx(0.999)
    run.iterations = 10  # far too few for so much time
    run.look_at_clock()
    assert run.done() == 0.5
    assert run.batch() < 1000


def test_runs_that_time_does_not_end_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at the clock, however often, change nothing."""
    problem = tight_pairs(40)
    once = AlnsSolver().solve(problem, MaxIterations(3000), seed=1)
    for batch in (0.15, 0.001):
        monkeypatch.setattr("solvers.alns._BATCH_S", batch)
        again = AlnsSolver().solve(problem, MaxIterations(3000) | MaxRuntime(600.0), seed=1)
        assert again.solution == once.solution
        assert again.iterations == 3000


def test_time_ends_a_run_with_many_iterations_to_go() -> None:
    stop = MaxIterations(10**9) | MaxRuntime(1.5)
    result = AlnsSolver().solve(tight_pairs(40), stop, seed=1)
    assert 0 < result.iterations < 10**9
    assert result.runtime_s < 10


def tight_pairs(vehicles: int, pairs: int = 120) -> Problem:
    """Of 120 pairs the start leaves some out with 7 vehicles."""
    rng = np.random.default_rng(0)
    b = ProblemBuilder(name="tight")
    b.depot(500, 500)
    for _ in range(pairs):
        x, y, u, v = rng.integers(0, 1000, 4).tolist()
        begin, load = int(rng.integers(0, 6000)), int(rng.integers(1, 10))
        first = b.visit(x, y, pickup=load, tw=(begin, begin + 900))
        b.visit(u, v, delivery=load, pickup_at=first, tw=(begin + 500, begin + 2400))
    b.vehicle_type(count=vehicles, capacity=40, shift=(0, 10_000))
    return b.build()


@pytest.mark.parametrize("vehicles", [7, 4])
@pytest.mark.parametrize("least", [0, 10_000])
def test_a_full_fleet_is_reached_with_more_vehicles_first(
    vehicles: int, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 4 vehicles not all can be served: what they can is kept all the same."""
    from solvers.kernels.rich.session import Session

    problem, found = tight_pairs(vehicles), list[Incumbent[Solution]]()
    fleets: list[int] = []
    construct = Session.construct

    def noted(self: Session) -> None:
        fleets.append(int(self.problem.vehicle_types.count[0]))
        construct(self)

    monkeypatch.setattr(Session, "construct", noted)
    monkeypatch.setattr("solvers.alns.FIT_VISITS", least)
    result = AlnsSolver().solve(problem, MaxIterations(3_000), seed=1, on_best=found.append)
    report = check(problem, result.solution)
    assert not report.violations
    assert report.feasible == (vehicles == 7)
    assert len(report.unserved) < found[0].unserved
    assert found[0].unserved > 0
    assert set(fleets) == {vehicles} | ({2 * vehicles + 10} if least == 0 else set())


def test_routes_are_dropped_and_annealed_in_turn_where_fewest_come_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from solvers.kernels.rich.layout import N_USED
    from solvers.kernels.rich.session import Session

    acts = list[str]()
    states = list[int]()
    drop, anneal = Session.drop_route, _Run.anneal

    def dropped(self: Session) -> None:
        acts.append("drop")
        states.append(int(self.state[RANDOM]))
        assert self.state[N_USED] == len(self.best().routes)  # so a drop leaves fewer than ever
        drop(self)

    def annealed(
        self: _Run, session: Session, until: float, enough: Callable[[], bool] = lambda: False
    ) -> None:
        acts.append("anneal")
        anneal(self, session, until, enough)

    monkeypatch.setattr(Session, "drop_route", dropped)
    monkeypatch.setattr(_Run, "anneal", annealed)
    problem = replace(tight_pairs(40), objective=Objective.VEHICLES)
    result = AlnsSolver().solve(problem, MaxIterations(20_000), seed=1)
    assert check(problem, result.solution).feasible
    shrinking = "".join(act[0] for act in acts[:-1])  # the last one is at least cost
    assert shrinking.count("da") >= 2  # stuck, and again after annealing
    assert "dd" in shrinking  # from one to the next where it helps
    assert len(set(states)) == len(states)  # no attempt repeats another


@pytest.mark.parametrize(
    ("pairs", "vehicles", "given", "removed"),
    [
        (120, 40, None, (10.0, 10.0)),  # a small problem
        (400, 100, None, (32.0, 24.0)),  # 32 of 800 visits
        (400, 100, 15.0, (15.0, 11.25)),
    ],
)
def test_from_long_routes_of_pairs_more_is_removed_at_once(
    pairs: int,
    vehicles: int,
    given: float | None,
    removed: tuple[float, float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from solvers.kernels.rich.session import Session

    ruins = list[tuple[float, float]]()
    monkeypatch.setattr(Session, "stops", 50.0)
    monkeypatch.setattr(Session, "remove", lambda _, mean, longest: ruins.append((mean, longest)))
    AlnsSolver(mean_removed=given).solve(tight_pairs(vehicles, pairs), MaxIterations(20), seed=1)
    assert ruins
    assert set(ruins) == {removed}


def test_where_no_route_may_be_dropped_the_search_goes_on() -> None:
    b = ProblemBuilder()
    b.objective = Objective.VEHICLES
    b.depot(0, 0)
    for k in range(6):
        b.visit(k, k, delivery=1)
    for locked in ([0, 1, 2], [3, 4, 5]):
        b.vehicle_type(1, 9, locked=locked)
    result = AlnsSolver().solve(b.build(), MaxIterations(3000), seed=1)
    assert result.iterations == 3000
    assert len(result.solution.routes) == 2


@pytest.mark.parametrize("objective", [Objective.VEHICLES, Objective.LONGEST])
def test_what_a_fresh_search_inserts_at_once_is_not_lost(objective: Objective) -> None:
    """One vehicle has room for all; with these seeds the first plan leaves a visit out."""
    b = ProblemBuilder(objective=objective)
    b.depot(0, 0)
    for x, y in ((-6, 3), (4, -12), (-8, -18), (-15, -12), (-5, 12), (-7, 5), (-19, 9), (11, 9)):
        b.visit(x, y, delivery=1)
    b.vehicle_type(capacity=8)
    problem = b.build()
    for seed in (4, 23):
        assert AlnsSolver().solve(problem, MaxIterations(100), seed=seed).unserved == ()


def test_fewest_vehicles_first_without_any_load() -> None:
    b = ProblemBuilder(objective=Objective.VEHICLES)
    b.depot(0, 0)
    b.visit(3, 0, delivery=(), pickup=())
    b.vehicle_type(capacity=(), on_board=())
    problem = b.build()
    assert problem.vehicle_types.capacity.shape == (1, 0)
    assert AlnsSolver().solve(problem, MaxIterations(10), seed=1).cost == 6
