"""Sampled waves solved again: the sample, the comparison, and what a folder keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from logistics.templates import init
from logistics.validate import load_scenario
from sim.solving import PlanRejectedError
from sim.wave_quality import Wave, compare_wave, load_waves, main, sample_waves, save_waves, table
from solvers import LogisticsError, MaxIterations, Route, Solution, make
from solvers.check import check


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> list[Wave]:
    path = init("town", "small", tmp_path_factory.mktemp("waves"))
    return sample_waves(load_scenario(path), 7, 3, fewest_stops=10)


def test_the_sample_is_of_that_size_and_repeats(waves: list[Wave], tmp_path: Path) -> None:
    again = sample_waves(load_scenario(init("town", "small", tmp_path)), 7, 3, fewest_stops=10)
    assert len(waves) == 3
    assert [wave.problem.name for wave in again] == [wave.problem.name for wave in waves]
    assert [wave.solution for wave in again] == [wave.solution for wave in waves]
    assert all(wave.problem.num_visits >= 10 for wave in waves)
    assert all(wave.problem.name.startswith("delivery") for wave in waves)


def test_bad_routes_are_found_out(waves: list[Wave]) -> None:
    """Each stop in the order of its number, all with one van: a plan that no good solver would make."""
    problem = waves[0].problem.replace(
        capacity=np.full_like(waves[0].problem.vehicle_types.capacity, 10**12),
        tw=np.tile(np.array([0, 10**7]), (waves[0].problem.num_visits, 1)),
        shift=np.array([[0, 10**7]]),
    )
    bad = Wave(problem, Solution((Route(0, tuple(range(problem.num_visits))),)))
    row = compare_wave(bad, ["savings", "ruin_recreate"], 0.5, 1)
    assert row.solver in ("savings", "ruin_recreate")
    assert row.cost == check(problem, bad.solution).cost.total
    assert row.ratio > 1.3
    assert row.driving_ratio > row.ratio
    good = Wave(problem, make("ruin_recreate").solve(problem, MaxIterations(5000), seed=2).solution)
    assert compare_wave(good, ["savings"], 0.5, 1).ratio < row.ratio
    assert f"| {row.ratio:.4f} |" in table([row], 0.5)


def test_stops_left_out_are_in_neither_cost(waves: list[Wave]) -> None:
    wave = waves[0]
    route = wave.solution.routes[0]
    less = Wave(wave.problem, Solution((Route(route.vehicle_type, route.visits[:5]),)))
    row = compare_wave(less, ["ruin_recreate"], 0.3, 1)
    assert (row.stops, row.left_out) == (5, wave.problem.num_visits - 5)
    assert 1.0 <= row.ratio < 1.2


def test_routes_that_break_a_rule_are_refused(waves: list[Wave]) -> None:
    twice = Solution((Route(0, (0, 0)),))
    with pytest.raises(PlanRejectedError):
        compare_wave(Wave(waves[0].problem, twice), ["savings"], 0.1, 1)


def test_no_answer_is_no_ratio(waves: list[Wave]) -> None:
    problem = waves[0].problem.replace(count=[0])
    with pytest.raises((LogisticsError, PlanRejectedError)):
        compare_wave(Wave(problem, waves[0].solution), ["savings"], 0.1, 1)


def test_a_folder_goes_on_where_it_ended(
    waves: list[Wave], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_waves(tmp_path, waves)
    assert [each.problem.name for each in load_waves(tmp_path)] == [each.problem.name for each in waves]
    words = ["town.toml", "--out", str(tmp_path), "--time-limit", "0.2"]
    assert main([*words, "--at-most", "1"]) == 0
    assert "1 waves: mean ratio" in capsys.readouterr().out
    assert main(words) == 0
    assert "3 waves: mean ratio" in capsys.readouterr().out
    assert main([*words, "--limit", "0.5"]) == 1
