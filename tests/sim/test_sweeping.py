"""Sweeps: grids, common random numbers, what a folder keeps, requirements."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import sim.sweeping as sweeping
from logistics.templates import init
from sim.run import run_scenario, scenario_hash
from sim.sweeping import build_cells, cheapest, parse_grid, parse_requirements, run_sweep
from solvers.errors import InvalidInputError


def test_grids_are_split_outside_brackets_and_quotes() -> None:
    grid = parse_grid(["fleet_scale=0.8, 1", 'delivery.window=["08:00", "20:00"],["09:00","21:00"]'])
    assert grid == {
        "fleet_scale": ["0.8", "1"],
        "delivery.window": ['["08:00", "20:00"]', '["09:00","21:00"]'],
    }


@pytest.mark.parametrize("pairs", [["fleet_scale"], ["=1,2"], ["a=1,,2"], ["a=1", "a=2"], ["a=1,1"]])
def test_bad_grids_are_refused(pairs: list[str]) -> None:
    with pytest.raises(InvalidInputError, match="bad-grid"):
        parse_grid(pairs)


def test_a_huge_grid_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="grid-too-large"):
        parse_grid([f"{key}={','.join(map(str, range(30)))}" for key in "abc"])


def test_every_combination_is_checked_before_any_runs(tmp_path: Path) -> None:
    path = init("town", "small", tmp_path)
    with pytest.raises(InvalidInputError) as raised:
        build_cells(path, parse_grid(["fleet_scale=1,-1,-2", "demand.scale=1,2"]), {})
    assert {fault.value for fault in raised.value.faults} == {"-1", "-2"}


def test_a_sweep_equals_single_runs_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = init("town", "small", tmp_path)
    cells = build_cells(path, parse_grid(["fleet_scale=0.3,1"]), {"demand.scale": "0.3"})
    ran: list[tuple[int, int]] = []
    real = sweeping.figures_of

    def stops_at_the_third(scenario: object, seed: int, replication: int) -> object:
        if len(ran) == 3:
            raise KeyboardInterrupt
        ran.append((seed, replication))
        return real(scenario, seed, replication)  # type: ignore[arg-type]

    monkeypatch.setattr(sweeping, "figures_of", stops_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(cells, 3, 2, 1, tmp_path / "out")
    assert len((tmp_path / "out" / "runs.jsonl").read_text().splitlines()) == 3
    assert not (tmp_path / "out" / "cells.csv").exists()
    with (tmp_path / "out" / "runs.jsonl").open("a") as log:
        log.write('{"cut sho')  # as a crash would leave it
    monkeypatch.setattr(sweeping, "figures_of", real)
    known: list[int] = []
    results = run_sweep(cells, 3, 2, 1, tmp_path / "out", on_known=lambda: known.append(1))
    assert len(known) == 3
    alone = [run_scenario(cell.scenario, 3, r).kpis["cost_total"] for cell in cells for r in (0, 1)]
    means = [result.figures["cost_total"].mean for result in results]
    assert means == pytest.approx([sum(alone[:2]) / 2, sum(alone[2:]) / 2])
    assert results[1].differences["cost_total"].difference.mean == pytest.approx(means[1] - means[0])
    with (tmp_path / "out" / "cells.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["fleet_scale"] for row in rows] == ["0.3", "1"]
    assert float(rows[1]["cost_total"]) == pytest.approx(means[1])
    json.dumps([result.as_dict() for result in results], allow_nan=False)


def test_the_cheapest_that_keeps_the_bounds(tmp_path: Path) -> None:
    path = init("town", "small", tmp_path)
    cells = build_cells(path, parse_grid(["fleet_scale=0.2,1"]), {})
    results = run_sweep(cells, 3, 1, 1, tmp_path / "out")
    punctual = [result.figures["on_time_pct"].mean for result in results]
    assert punctual[0] < punctual[1]
    assert cheapest(results, []) is results[0]
    assert cheapest(results, parse_requirements([f"on_time_pct>={punctual[1]}"])) is results[1]
    assert cheapest(results, parse_requirements(["on_time_pct<=0"])) is None
    json.dumps([result.as_dict() for result in results], allow_nan=False)  # one replication: no intervals
    with pytest.raises(InvalidInputError, match="on_time_pct>98"):
        parse_requirements(["on_time_pct>98"])


def test_the_hash_knows_the_files_that_a_scenario_names(tmp_path: Path) -> None:
    path = init("town", "small", tmp_path)
    rows = "site,area,service,next,container\nhub-1,north,*,st-north,cage\n"
    (tmp_path / "plan.csv").write_text(rows)
    [cell] = build_cells(path, {}, {"sort_plan.path": "plan.csv"})
    before = scenario_hash(cell.scenario)
    (tmp_path / "plan.csv").write_text(rows + "hub-1,south,*,st-south,cage\n")
    assert scenario_hash(cell.scenario) != before
