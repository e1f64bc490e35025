"""Comparisons on the same orders, the command, and order arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.sorting.surrogate import QUANTILES, LoadCurve, Window
from sim.warehouse import __main__ as command
from sim.warehouse.comparing import Setting, Variant, compare_variants, simulate, slottings, systems
from sim.warehouse.orders import DAY_S, OrderLines, orders_of, synthetic_orders


def _many_days(days: int, per_day: int = 60) -> OrderLines:
    parts = []
    for day in range(days):
        each = synthetic_orders(np.random.default_rng(day), per_day, 400, 3.0, families=40)
        for order in range(len(each)):
            for line in range(each.first_line[order], each.first_line[order + 1]):
                release = each.release_s[order] + day * DAY_S
                parts.append((day * per_day + order, each.item[line], each.units[line], release))
    order, item, units, release = (np.array(column) for column in zip(*parts, strict=True))
    return orders_of(order, item, units, release, [f"i{n}" for n in range(400)])


@pytest.fixture(scope="module")
def setting() -> Setting:
    return Setting(_many_days(14), 10 * DAY_S, days=2, people=6)


def test_days_are_cut_from_what_comes_after_the_history(setting: Setting) -> None:
    assert setting.history.release_s.max() < 10 * DAY_S
    first, second = setting.day(0), setting.day(1)
    assert len(first) == len(second) == 120
    assert first.release_s.min() >= 8 * 3600
    assert first.release_s.max() <= 18 * 3600
    assert first.units.max() <= setting.most_units
    with pytest.raises(ValueError, match="make 2 replications of 2"):
        setting.day(2)


def test_variants_meet_the_same_orders_and_the_same_effort(setting: Setting) -> None:
    runs = [simulate(setting, Variant("picker_to_parts", policy), 0) for policy in ("random", "turnover")]
    assert (runs[0].orders.item == runs[1].orders.item).all()
    assert runs[0].moved_m > runs[1].moved_m
    again = simulate(setting, Variant("picker_to_parts", "random"), 0)
    assert (again.done_s == runs[0].done_s).all()


def test_pairs_are_differences_of_the_same_days(setting: Setting) -> None:
    pairs = compare_variants(setting, [*systems(), *slottings("goods_to_person")], 2)
    assert [pair.variant for pair in pairs] == [
        "goods_to_person, turnover",
        "goods_to_person, turnover",
        "goods_to_person, affinity",
        "goods_to_person, affinity",
    ]
    rows = {row.figure: row for row in pairs[0].rows}
    assert rows["lines"].difference.mean == 0
    assert rows["cycle_p50_s"].difference.mean < 0
    assert rows["cycle_p50_s"].mean_b == pytest.approx(
        rows["cycle_p50_s"].mean_a + rows["cycle_p50_s"].difference.mean
    )


def test_command_prints_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    for system in ("picker_to_parts", "goods_to_person"):
        assert command.main(["day", "--lines", "2000", "--system", system]) == 0
        printed = capsys.readouterr().out
        assert "| open_orders | 0.00 |" in printed
        assert "| distance_per_line_m |" in printed
        assert _printed(printed, "lines") >= 2000
        assert _printed(printed, "lines") < 2020


@pytest.mark.parametrize("policy", ["s_S", "forecast"])
def test_a_day_that_trucks_supply(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Shelves begin with too little: without the trucks orders would stay open."""
    asked = ["day", "--lines", "6000", "--system", "picker_to_parts", "--replenish", policy]
    assert command.main(asked) == 0
    printed = capsys.readouterr().out
    assert _printed(printed, "open_orders") == 0
    assert _printed(printed, "inbound_trucks") > 0
    assert _printed(printed, "inbound_units") > 100
    assert _printed(printed, "inbound_put_away_p95_s") >= 45


def test_a_day_goes_on_to_the_sorter(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every order packed is a parcel sorted, after it was packed; they wait behind a slow sorter."""
    windows = [Window(load, load, np.array(QUANTILES) * 10.0) for load in (5.0, 10.0)]
    monkeypatch.setattr(command, "fitted", lambda *_: LoadCurve.of(20.0, windows))
    assert command.main(["day", "--lines", "2000", "--system", "picker_to_parts", "--sort"]) == 0
    printed = capsys.readouterr().out
    assert _printed(printed, "sorter_sorted") == _printed(printed, "orders")
    assert _printed(printed, "sorter_open") == 0
    assert _printed(printed, "sorter_parcels_per_h") == pytest.approx(20.0, rel=0.02)


def _printed(table: str, figure: str) -> float:
    line = next(line for line in table.splitlines() if line.startswith(f"| {figure} |"))
    return float(line.split("|")[2])


def test_command_compares_real_orders(
    data_dir: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(data_dir("orders/uci-online-retail-2010.parquet"))
    assert command.main(["slotting", path, "--replications", "2", "--days", "1"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("| distance_per_line_m |") == 3
    assert command.main(["slotting", path, "--replications", "900"]) == 1
    assert "ask for fewer" in capsys.readouterr().err


def test_lines_of_one_order_and_item_are_added_up() -> None:
    order, item, units = np.array([7, 3, 7, 7]), np.array([1, 0, 1, 2]), np.array([2, 1, 3, 1])
    orders = orders_of(order, item, units, np.array([50.0, 20.0, 40.0, 60.0]), "abc")
    assert orders.release_s.tolist() == [20.0, 40.0]
    assert orders.first_line.tolist() == [0, 1, 3]
    assert orders.item.tolist() == [0, 1, 2]
    assert orders.units.tolist() == [1, 5, 1]
    later = orders.chosen(np.array([1, 0]), np.array([5.0, 9.0]))
    assert later.release_s.tolist() == [5.0, 9.0]
    assert later.item.tolist() == [1, 2, 0]
    assert later.units.tolist() == [5, 1, 1]


def test_broken_orders_are_refused() -> None:
    with pytest.raises(ValueError, match="every order needs a line"):
        OrderLines(np.zeros(1), np.array([0, 0]), np.empty(0, np.int32), np.empty(0, np.int64), ("a",))
    with pytest.raises(ValueError, match="at least one unit"):
        OrderLines(np.zeros(1), np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int64), ("a",))
    with pytest.raises(ValueError, match="sorted by release"):
        OrderLines(np.array([2.0, 1.0]), np.arange(3), np.zeros(2, np.int32), np.ones(2, np.int64), ("a",))
