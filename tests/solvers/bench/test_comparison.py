"""Tables and statistics against values computed by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solvers import InvalidInputError
from solvers.bench.comparison import compare
from solvers.bench.machine import command_text
from solvers.bench.markdown import markdown, percent
from solvers.bench.record import RUNS, append_line, load_records
from solvers.bench.report import write_report
from solvers.bench.stats import bootstrap_mean, gaps_over_time, performance_profile, primal_integral
from tests.solvers.bench.sample_runs import record

RUNS_OF_TWO = [
    record("a", "i", 1, 102),
    record("a", "i", 2, 104),
    record("a", "j", 1, 101),
    record("b", "i", 1, 110),
    record("b", "i", 2, 110),
    record("b", "j", 1, 106),
    record("b", "k", 1, 190),
]


def test_gaps_ratios_and_paired_differences() -> None:
    found = compare(RUNS_OF_TWO, "b")
    a, b = found.rows(found.cases())
    assert (a.solver, a.instances, a.runs) == ("a", 2, 3)
    assert a.mean_gap_pct == pytest.approx((3 + 1) / 2)
    assert b.mean_gap_pct == pytest.approx((10 + 6 + 90) / 3)
    assert a.ratio_to_baseline == pytest.approx(2 / 8)  # only where both ran
    assert a.difference is not None
    assert a.difference.mean == pytest.approx((-7 + -5) / 2)
    assert a.difference.low is not None
    assert -8.5 <= a.difference.low <= -6 <= (a.difference.high or 0) <= -4.5
    assert a.difference.significant
    shape = found.as_json()
    assert {key: shape["b"][key] for key in ("instances", "infeasible")} == {"instances": 3, "infeasible": 0}
    assert shape["b"]["ratio_to_baseline"] == 1.0
    assert shape["a"]["sets"]["s"]["mean_gap_pct"] == pytest.approx(2.0)


def test_infeasible_and_failed_runs_are_counted_not_averaged() -> None:
    broken = replace(record("a", "k", 1, 50), feasible=False)
    found = compare([*RUNS_OF_TWO, broken, record("a", "l", 1, None)], "b")
    row = found.row("a", found.cases())
    assert (row.instances, row.infeasible, row.errors) == (2, 1, 1)
    assert row.mean_gap_pct == pytest.approx(2.0)


def test_where_vehicles_come_first_costs_compare_at_equal_routes_only() -> None:
    runs = [
        record("a", "i", 1, 90, routes=4, best_known_routes=3, vehicles_first=True),
        record("a", "j", 1, 104, routes=3, best_known_routes=3, vehicles_first=True),
    ]
    found = compare(runs, "a")
    row = found.row("a", found.cases())
    assert (row.instances, row.runs, row.extra_routes) == (1, 2, 1)
    assert row.mean_gap_pct == pytest.approx(4.0)
    assert row.integral is None  # histories have no numbers of routes
    text = markdown(found, [], "t", "c")
    assert "+1 routes" in text
    assert "| s | i | 100 (3) | cost 90 (4) |" in text
    assert "| s | j | 100 (3) | 4.000 (3) |" in text


def test_without_a_best_known_number_the_fewest_vehicles_of_the_runs_count() -> None:
    more = {"best_known": None, "vehicles_first": True}
    runs = [
        record("few", "i", 1, 140, routes=3, **more),
        record("many", "i", 1, 90, routes=4, **more),
        record("few", "j", 1, 120, routes=2, **more),
        record("many", "j", 1, 150, routes=2, **more),
    ]
    found = compare(runs, "many")
    few, many = (found.row(s, found.cases()) for s in ("few", "many"))
    assert (few.instances, few.extra_routes, few.mean_gap_pct) == (2, 0, 0.0)
    assert (many.instances, many.extra_routes, many.mean_gap_pct) == (1, 1, pytest.approx(25.0))
    assert few.difference is not None
    assert few.difference.mean == pytest.approx(-25.0)  # on j, where both have as many


def test_fewer_vehicles_than_best_known_do_not_make_up_for_more() -> None:
    known = {"best_known_routes": 3, "vehicles_first": True}
    runs = [record("a", "i", 1, 90, routes=4, **known), record("a", "j", 1, 90, routes=2, **known)]
    found = compare(runs)
    assert found.row("a", found.cases()).extra_routes == 1


def test_where_the_longest_route_comes_first_gaps_are_of_it() -> None:
    runs = [
        record("even", "i", 1, 140, longest=50, best_known=None),
        record("uneven", "i", 1, 90, longest=60, best_known=None),
    ]
    found = compare(runs, "even")
    assert found.gap("even", ("s", "i", 1)) == 0
    assert found.gap("uneven", ("s", "i", 1)) == pytest.approx(20.0)
    assert found.row("even", found.cases()).integral is None
    assert "gaps are of its duration" in markdown(found, [], "t", "c")


def test_what_is_rounded_to_nothing_has_no_sign() -> None:
    assert [percent(x) for x in (-0.0003, 0.0003, -0.0006, None)] == ["0.000", "0.000", "-0.001", "–"]


def test_starved_runs_are_told() -> None:
    fine, slow = record("a", "i", 1, 101, cpu_s=9.9), record("a", "j", 1, 101, cpu_s=3.0)
    assert "1 of 2 runs" in markdown(compare([fine, slow], "a"), [], "t", "c")
    assert "nine tenths" not in markdown(compare([fine], "a"), [], "t", "c")


def test_without_a_best_known_cost_the_best_of_the_runs_stands_in() -> None:
    runs = [replace(r, best_known=None) for r in RUNS_OF_TWO if r.instance == "j"]
    found = compare(runs, "a")
    assert found.row("b", found.cases()).mean_gap_pct == pytest.approx(100 * (106 / 101 - 1))
    assert "†" in markdown(found, [], "t", "c")


def test_runs_of_different_stops_are_told_apart() -> None:
    longer = record("a", "i", 1, 100, stop={"time_limit_s": 60.0})
    found = compare([*RUNS_OF_TWO, longer], "a @ 10 s")
    assert found.solvers == ("a @ 10 s", "a @ 60 s", "b @ 10 s")
    fewer = record("a", "i", 1, 103, key="fewer", vehicles=2)
    assert compare([*RUNS_OF_TWO, fewer], "b @ 10 s").solvers == (
        "a @ 10 s",
        "a @ 10 s, fleet bound",
        "b @ 10 s",
    )


def test_unclear_comparisons_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="there are: a, b"):
        compare(RUNS_OF_TWO, "c")
    one, other = record("a", "i", 1, 102, digest="1"), record("b", "i", 1, 102, digest="2")
    with pytest.raises(InvalidInputError, match="changed-instance"):
        compare([one, other])
    long = replace(other, digest="1", longest=30)
    with pytest.raises(InvalidInputError, match="changed-instance"):
        compare([one, long])
    with pytest.raises(InvalidInputError, match="changed-instance"):
        compare([replace(one, digest=None), replace(long, digest=None)])  # of before digests were recorded
    compare([one, replace(other, error="unreadable", feasible=None)])  # it was another before it was mended
    with pytest.raises(InvalidInputError, match="duplicate-label"):
        compare([*RUNS_OF_TWO, record("a", "m", 1, 100, parameters={"x": 1})])


def test_bootstrap_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for seed in range(200):
        shift = rng.normal(0, 1, 30)
        groups = [(shift[i] + rng.normal(0, 0.5, 3)).tolist() for i in range(30)]
        interval = bootstrap_mean(groups, 0.9, seed)
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= 0 <= interval.high
    assert 165 <= hits <= 197  # 90 % of 200, give or take; two stages err on the wide side
    assert bootstrap_mean(groups, 0.9, 1) == bootstrap_mean(groups, 0.9, 1)
    assert bootstrap_mean([[2.0, 4.0]]).low is None


def test_primal_integral() -> None:
    history = [[1.0, 300, 1], [2.0, 200, 0], [6.0, 100, 0]]
    # nothing for 2 s, then a gap of a half for 4 s, then none
    assert primal_integral(history, 100, 10) == pytest.approx(100 * (2 * 1 + 4 * 0.5) / 10)
    assert primal_integral([], 100, 10) == 100
    assert primal_integral([[20.0, 100, 0]], 100, 10) == 100
    assert primal_integral([[0.0, 90, 0]], 100, 10) == 0  # better than best-known is no gap


def test_anytime_curve() -> None:
    history = [[1.0, 300, 1], [2.0, 200, 0], [6.0, 110, 0]]
    gaps = gaps_over_time(history, 100, np.array([1.5, 2.0, 5.0, 7.0]))
    assert np.isnan(gaps[0])
    assert gaps[1:].tolist() == pytest.approx([100, 100, 10])


def test_performance_profile() -> None:
    costs = {"a": {("i",): 100.0, ("j",): 120.0}, "b": {("i",): 105.0, ("j",): 100.0, ("k",): 7.0}}
    profile = performance_profile(costs, np.array([0.0, 5.0, 20.0]))
    assert profile["a"].tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3])
    assert profile["b"].tolist() == pytest.approx([2 / 3, 1, 1])


def test_report_files(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    sessions = [{"command": "logistics bench run x", "processor": "P", "versions": {"numpy": "2"}}] * 2
    written = write_report(
        compare(RUNS_OF_TWO, "b"), sessions, tmp_path, "Some <title>", "logistics bench compare x"
    )
    assert [p.name for p in written] == ["compare.md", "report.html", "anytime-s.png", "profile.png"]
    text = written[0].read_text()
    assert text.count("logistics bench run x") == 1
    assert "| a | 2 | 3 | 2.000 | 0.250 |" in text
    assert "P, " in text
    page = written[1].read_text()
    assert "Some &lt;title&gt;" in page
    assert "src=" not in page.split("<script", 1)[0]
    assert all(p.read_bytes()[:4] == b"\x89PNG" for p in written[2:])


def test_commands_name_data_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGISTICS_DATA", "/d/ata/")
    assert (
        command_text(["a", "/d/ata/x", "/d/ata2", "b c"]) == "logistics a \"$LOGISTICS_DATA/x\" /d/ata2 'b c'"
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cost": "x"}, "cost"),
        ({"cost": 1.5}, "cost"),
        ({"seed": None}, "seed"),
        ({"feasible": "yes"}, "feasible"),
        ({"parameters": []}, "parameters"),
        ({"history": [[1.0, "x", 0]]}, "history"),
        ({"history": [[1.0, 5]]}, "history"),
        ({"stop": {"time_limit_s": "long"}}, "stop.time_limit_s"),
        ({"stop": {"clock": "sand"}}, "stop.clock"),
        ({"stop": 5}, "stop"),
    ],
)
def test_records_of_other_types_are_told_all_at_once(change: Any, field: str, tmp_path: Path) -> None:
    for r in RUNS_OF_TWO:
        append_line(tmp_path / RUNS, {**asdict(r), "of a later version": 1})
    assert load_records([tmp_path]) == RUNS_OF_TWO
    for _ in range(2):
        append_line(tmp_path / RUNS, asdict(RUNS_OF_TWO[0]) | change)
    with pytest.raises(InvalidInputError, match=f": {field};") as caught:
        load_records([tmp_path])
    assert [(f.code, f.place) for f in caught.value.faults] == [
        ("bad-record", "line 8"),
        ("bad-record", "line 9"),
    ]


def test_command_line(tmp_path: Path) -> None:
    for r in RUNS_OF_TWO:
        append_line(tmp_path / RUNS, asdict(r))
    root = Path(__file__).parents[3]

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(root / "cli.py"), "bench", "compare", str(tmp_path), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    answer = call("--baseline", "b", "--json")
    assert answer.returncode == 0, answer.stderr
    assert set(json.loads(answer.stdout)["a"]) == {
        "instances", "mean_gap_pct", "ratio_to_baseline", "infeasible", "sets",
    }  # fmt: skip
    assert "0.250" in call("--baseline", "b").stdout
    wrong = call("--baseline", "zzz")
    assert wrong.returncode == 1
    assert "zzz" in wrong.stderr
