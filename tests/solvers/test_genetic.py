"""The genetic solver beyond the conformance suite: parameters, warm starts, interruption, what it refuses."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from solvers import (
    MaxIterations,
    MaxRuntime,
    NoImprovement,
    Problem,
    ProblemBuilder,
    TargetCost,
    UnsupportedFeatureError,
    make,
)
from solvers.check import check
from solvers.stop import Monitor, Progress


def town(n: int = 40, seed: int = 1, **vehicle: Any) -> Problem:
    rng = np.random.default_rng(seed)
    b = ProblemBuilder()
    b.depot(50, 50)
    for x, y in rng.integers(0, 100, (n, 2)).tolist():
        b.visit(x, y, delivery=int(rng.integers(1, 9)))
    b.vehicle_type(**{"count": n, "capacity": 30, **vehicle})
    return b.build()


@pytest.mark.parametrize(
    "parameters",
    [
        {"swap_star": False},
        {"longest": 1},
        {"longest": 3},
        {"ordered_share": 0.0},
        {"repair": 0.0},
        {"near": 3},
        {"minimum": 3, "offspring": 2, "elite": 1, "close": 1, "initial": 2},
        {"patience": 10, "initial": 3},
        {"warm_runs": 2},
        {"target_feasible": 0.9, "prices_every": 5},
    ],
    ids=str,
)
def test_every_part_can_be_switched_off_or_replaced(parameters: dict[str, Any]) -> None:
    problem = town()
    result = make("genetic", parameters).solve(problem, MaxIterations(60), seed=3)
    report = check(problem, result.solution)
    assert report.feasible
    assert report.cost.total == result.cost
    assert result.iterations == 60
    again = make("genetic", parameters).solve(problem, MaxIterations(60), seed=3)
    assert again.solution == result.solution


def test_generations_improve_on_the_start() -> None:
    problem = town(80)
    first = make("savings").solve(problem, MaxIterations(1), seed=1)
    result = make("genetic").solve(problem, MaxIterations(300), seed=1)
    assert result.cost < first.cost
    assert len(result.history) > 1


@dataclass(frozen=True)
class _Interrupt:
    """Behaves like a user who presses Ctrl-C after some looks at the clock."""

    after: int
    max_runtime_s: float | None = None
    max_iterations: int | None = 10_000

    def monitor(self) -> Monitor:
        looks = 0

        def look(_: Progress) -> bool:
            nonlocal looks
            looks += 1
            if looks > self.after:
                raise KeyboardInterrupt
            return False

        return look


@dataclass(frozen=True)
class _Over:
    """A time limit that has passed at the first look."""

    max_runtime_s: float | None
    max_iterations: int | None = None

    def monitor(self) -> Monitor:
        return lambda _: True


def test_a_short_search_is_not_warmed_up_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waves of thousands of stops ask for a few generations: ruin and recreate beforehand is as short."""
    from solvers.kernels import run

    lengths: list[int | None] = []
    anneal = run.anneal

    def noted(session: Any, recorder: Any, stop: Any, *rest: Any) -> Any:
        lengths.append(stop.max_iterations)
        return anneal(session, recorder, stop, *rest)

    monkeypatch.setattr(run, "anneal", noted)
    problem = town(60, shift=(0, 5000), time_cost=1)  # clocks: no population from nothing
    for generations in (2, 1000):
        make("genetic").solve(problem, MaxIterations(generations), seed=1)
    assert lengths == [200] * 3 + [20 * 60 + 200] * 3


@pytest.mark.parametrize(
    ("name", "seconds", "vehicle", "runs"),
    [
        ("genetic", 20.0, {}, 0),
        ("genetic", 0.5, {}, 2),
        ("genetic", 20.0, {"shift": (0, 5000), "time_cost": 1}, 3),
        ("genetic", 5.0, {"shift": (0, 5000), "time_cost": 1}, 1),
        ("ant_colony", 0.5, {}, 0),
        ("ant_colony", 0.25, {}, 2),
        ("ant_colony", 20.0, {"shift": (0, 5000), "time_cost": 1}, 3),
        ("ant_colony", 5.0, {"shift": (0, 5000), "time_cost": 1}, 1),
    ],
)
def test_what_there_is_no_time_for_is_begun_by_ruin_and_recreate(
    name: str, seconds: float, vehicle: dict[str, Any], runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from solvers.kernels import run

    shares: list[float] = []
    monkeypatch.setattr(run, "anneal", lambda _s, _r, stop, *_: shares.append(stop.max_runtime_s / seconds))
    make(name).solve(town(40, **vehicle), _Over(seconds), seed=1)
    assert shares == pytest.approx([0.8] if runs == 1 else [0.2] * runs)


def test_the_warm_up_heeds_all_but_the_iterations_of_the_stop() -> None:
    """Cheap enough from the start: not one batch is done beyond the first."""
    for more in (TargetCost(10**9), MaxRuntime(1e-9)):
        told: list[int] = []
        make("genetic").solve(
            town(300),
            MaxIterations(10**6) | more,
            seed=1,
            on_best=lambda found, told=told: told.append(found.cost),
        )
        assert len(told) <= 2


def test_without_a_bound_on_time_results_do_not_follow_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for seconds in (1e-9, 100.0):
        monkeypatch.setattr("solvers.genetic.BATCH_S", seconds)
        result = make("genetic").solve(town(60), NoImprovement(150), seed=1)
        found.append((result.iterations, result.solution))
    assert found[0] == found[1]


def test_an_interrupted_run_keeps_the_best_found() -> None:
    problem = town()
    result = make("genetic").solve(problem, _Interrupt(4), seed=1)
    assert result.interrupted
    assert result.iterations == 40
    assert check(problem, result.solution).feasible


def test_more_places_than_matrices_are_made_for_are_still_served() -> None:
    problem = town(2_600, capacity=200)
    result = make("genetic").solve(problem, MaxIterations(2), seed=1)
    assert check(problem, result.solution).feasible


def test_a_feature_beyond_it_is_named() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(1, 0, delivery=1)
    b.vehicle_type(open_end=True)
    with pytest.raises(UnsupportedFeatureError, match="open_routes"):
        make("genetic").solve(b.build(), MaxIterations(1), seed=1)


@pytest.mark.parametrize("name", ["genetic", "ant_colony", "ruin_recreate"])
def test_the_time_that_the_start_takes_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from solvers import clock
    from solvers.kernels.session import Session

    late, construct = [0.0], Session.construct

    def slowly(session: Session) -> None:
        construct(session)
        late[0] += 60.0

    monkeypatch.setattr(clock, "_read", lambda: time.monotonic() + late[0])
    monkeypatch.setattr(Session, "construct", slowly)
    began = time.monotonic()
    found = make(name).solve(town(), MaxRuntime(50.0), seed=1)
    assert check(town(), found.solution).feasible
    assert late[0] == 60.0  # no second start
    assert found.iterations == 0
    assert time.monotonic() - began < 40.0
