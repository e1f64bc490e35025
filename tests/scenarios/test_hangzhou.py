"""The default scenario behaves like a network: it delivers, nothing stands idle or is swamped, and it answers to
changes in the right direction."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from logistics.validate import load_scenario
from sim.run import RunResult, run_scenario

SCENARIO = Path(__file__).parents[2] / "scenarios" / "hangzhou-day.toml"
ORDERED_DAYS = 2


@cache
def base() -> RunResult:
    return run_scenario(load_scenario(SCENARIO), 7)


@cache
def kpis(*changes: tuple[str, str]) -> dict[str, float]:
    return run_scenario(load_scenario(SCENARIO, dict(changes)), 7).kpis if changes else base().kpis


def test_nearly_all_parcels_are_delivered_and_on_time() -> None:
    assert 19_000 < kpis()["parcels"] < 21_000  # of the measured day
    assert kpis()["delivered_pct"] >= 98
    assert kpis()["on_time_pct"] >= 96
    assert all(kpis()[f"on_time_pct:{service}"] >= 90 for service in ("two-hour", "same-day", "next-day"))


def test_people_and_vans_are_busy_but_not_swamped() -> None:
    """Work over paid time: bursts at hubs and stations leave more slack than the steady work of warehouses."""
    share = {
        row["scope"]: row["value"]
        for row in base().tables["kpis"].to_pylist()
        if row["kpi"] == "utilisation_pct"
    }
    for warehouse in ("wh-yuhang", "wh-xiaoshan"):
        assert 40 < share[f"stage:{warehouse}/pick"] < 85
        assert 40 < share[f"stage:{warehouse}/pack"] < 85
    for hub in ("hub-gouzhuang", "hub-guali"):
        assert 15 < share[f"stage:{hub}/sort"] < 60
    duties = base().tables["duties"].to_pandas()
    vans = duties[(duties["role"] == "delivery") & (duties["day"] == ORDERED_DAYS - 1)]
    paid_s = vans["shift_end_s"] - vans["shift_start_s"] + vans["overtime_s"]
    assert 0.55 < vans["busy_s"].sum() / paid_s.sum() < 0.85
    assert np.mean(vans["busy_s"] == 0) < 0.1


def test_fewer_vans_are_cheaper_but_late_and_more_gain_nothing() -> None:
    fewer, more = kpis(("fleet_scale", "0.8")), kpis(("fleet_scale", "1.2"))
    assert fewer["on_time_pct"] < kpis()["on_time_pct"] - 1
    assert abs(more["on_time_pct"] - kpis()["on_time_pct"]) < 0.5
    assert fewer["cost_total"] < kpis()["cost_total"] <= more["cost_total"] * 1.001


def test_more_demand_costs_more_and_is_later() -> None:
    less, more = kpis(("demand.scale", "0.8")), kpis(("demand.scale", "1.2"))
    assert more["on_time_pct"] < kpis()["on_time_pct"] - 1
    assert kpis()["on_time_pct"] < less["on_time_pct"]
    assert less["cost_total"] < kpis()["cost_total"] < more["cost_total"]
    assert more["cost_per_parcel"] < kpis()["cost_per_parcel"] < less["cost_per_parcel"]


def test_an_earlier_cutoff_at_the_lanes_makes_parcels_late_and_dear() -> None:
    """Trucks that leave behind what was sorted in the last two hours."""
    loaded = load_scenario(SCENARIO)
    earlier = kpis(*((f"lanes.{lane.id}.cutoff_s", str(lane.cutoff_s + 7200)) for lane in loaded.lanes))
    assert earlier["on_time_pct"] < kpis()["on_time_pct"] - 3
    assert earlier["cost_total"] > kpis()["cost_total"]


def test_an_earlier_cutoff_for_orders_promises_less_and_keeps_more() -> None:
    earlier = kpis(
        ("services.same-day.order_cutoff", '"08:00"'), ("services.next-day.order_cutoff", '"18:00"')
    )
    assert earlier["on_time_pct"] > kpis()["on_time_pct"]
    assert earlier["cost_total"] < kpis()["cost_total"]


@pytest.mark.parametrize("hub", ["hub-gouzhuang", "hub-guali"])
def test_a_closed_hub_makes_parcels_late_and_dear(hub: str) -> None:
    closed = (
        f'[{{kind = "site_closed", target = "{hub}", starts = 2026-06-11T12:00:00+08:00, '
        "ends = 2026-06-12T06:00:00+08:00}]"
    )
    shut = kpis(("disruptions", closed), ("basis.disruptions", '"assumed: a test"'))
    assert shut["on_time_pct"] < kpis()["on_time_pct"] - 5
    assert shut["delivered_pct"] >= 98
    assert shut["cost_total"] > kpis()["cost_total"]
