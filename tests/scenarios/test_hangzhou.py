"""The default scenario behaves like a network: it delivers, and it answers to changes in the right direction."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from logistics.validate import load_scenario
from sim.run import run_scenario

SCENARIO = Path(__file__).parents[2] / "scenarios" / "hangzhou-day.toml"


@cache
def kpis(*changes: tuple[str, str]) -> dict[str, float]:
    return run_scenario(load_scenario(SCENARIO, dict(changes)), 7).kpis


def test_nearly_all_parcels_are_delivered() -> None:
    assert kpis()["parcels"] > 19_000
    assert kpis()["delivered_pct"] >= 98


def test_more_vans_cost_more_and_fewer_make_parcels_late() -> None:
    """Too few vans are no saving here: parcels spill over to a day on which the vans are paid again."""
    fewer, more = kpis(("fleet_scale", "0.8")), kpis(("fleet_scale", "1.2"))
    assert fewer["on_time_pct"] < kpis()["on_time_pct"]
    assert fewer["late"] > 1.2 * kpis()["late"]
    assert kpis()["on_time_pct"] <= more["on_time_pct"] + 0.05
    assert kpis()["cost_total"] < more["cost_total"]


def test_more_demand_costs_more_and_is_later() -> None:
    less, more = kpis(("demand.scale", "0.8")), kpis(("demand.scale", "1.2"))
    assert more["on_time_pct"] < kpis()["on_time_pct"] <= less["on_time_pct"] + 0.05
    assert less["cost_total"] < kpis()["cost_total"] < more["cost_total"]
    assert more["cost_per_parcel"] < kpis()["cost_per_parcel"] < less["cost_per_parcel"]


def test_an_earlier_departure_to_the_stations_makes_parcels_late() -> None:
    """Lanes whose cut-off lies two hours earlier leave behind what was sorted in between."""
    loaded = load_scenario(SCENARIO)
    earlier = {f"lanes.{lane.id}.cutoff_s": str(lane.cutoff_s + 7200) for lane in loaded.lanes}
    assert run_scenario(load_scenario(SCENARIO, earlier), 7).kpis["on_time_pct"] < kpis()["on_time_pct"]


@pytest.mark.parametrize("hub", ["hub-gouzhuang", "hub-guali"])
def test_a_closed_hub_makes_parcels_late(hub: str) -> None:
    closed = (
        f'[{{kind = "site_closed", target = "{hub}", starts = 2026-06-10T12:00:00+08:00, '
        "ends = 2026-06-11T12:00:00+08:00}]"
    )
    shut = kpis(("disruptions", closed), ("basis.disruptions", '"assumed: a test"'))
    assert shut["on_time_pct"] < kpis()["on_time_pct"] - 5
    assert shut["delivered_pct"] >= 98
