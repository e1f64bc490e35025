"""The page of a floor, its replay from the trace of actions, the commands, and the run's report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sim.sorting.__main__ import main
from sim.sorting.views import positions, write_page
from tests.sim.sorting import support
from tests.sim.sorting.test_site import SORTERS, _template


def test_the_page_replays_the_floor(tmp_path: Path) -> None:
    made = support.floor(support.section(), 60, 3.0)
    made.advance(150.0)
    track = positions(made, 100)
    assert track.shape == (101, 12)
    assert np.array_equal(track[-1], made.planner.locations)
    write_page(made, tmp_path / "floor.html")
    page = (tmp_path / "floor.html").read_text(encoding="utf-8")
    figures = json.loads(page.split("const figures = ", 1)[1].split(";\n", 1)[0])
    assert set(figures) == {"traffic", "waiting", "throughput", "utilisation"}
    shown = np.array(figures["traffic"]["data"][0]["z"], dtype=float)
    assert np.nansum(shown) == made.traffic.sum() > 0
    assert np.isnan(shown.ravel()[made.layout.chutes]).all()


def test_traffic_is_what_the_actions_say() -> None:
    made = support.floor(support.section(), 60, 3.0)
    made.advance(150.0)
    track = positions(made, made.steps)
    moved = track[1:][track[1:] != track[:-1]]
    assert np.array_equal(np.bincount(moved, minlength=len(made.traffic)), made.traffic)


def test_commands_refuse_what_they_do_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--set", "robots.wheels=4", "fit"]) == 1
    assert "has no robots.wheels" in capsys.readouterr().err
    assert main(["--set", "robots.robots=0", "day", "--parcels", "10"]) == 1
    assert "--set robots.robots=0: Input should be greater" in capsys.readouterr().err
    assert main(["--scenario", "absent.toml", "fit"]) == 1
    assert "absent.toml: there is no such file" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="1"):
        main(["validate", "--window", "0"])
    assert "'0' is not a number above 0" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="1"):
        main(["day", "--parcels", "many"])
    assert "'many' is not a whole number from 1 up" in capsys.readouterr().err


def test_a_small_day_runs_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["day", "--kind", "cross_belt", "--parcels", "2000"]) == 0
    assert "| sorted | 2000.00 |" in capsys.readouterr().out


def test_the_report_of_a_run_shows_the_floor(tmp_path: Path) -> None:
    path = _template(tmp_path, SORTERS["curve"])
    command = [sys.executable, "-m", "cli", "run", str(path), "--full-robots", "--jobs", "1"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "run")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Sorting floors" in page
    assert 'data-figure="traffic-hub-1"' in page
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    kpis = manifest["sorting"]["hub-1"]["kpis"]
    assert kpis["sorted"] > 300
    assert kpis["open"] == 0
    figures = pq.read_table(tmp_path / "run" / "kpis.parquet").to_pandas()
    of_stage = set(figures.kpi[figures.scope == "stage:hub-1/sort"])
    assert "wait_mean_s" in of_stage
    assert not {"utilisation_pct", "utilisation_peak_pct"} & of_stage  # parcels on robots are nobody's work
