"""Every template is a network that works: valid, delivered, punctual, and what it says it is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from logistics.templates import init, templates
from logistics.validate import load_scenario
from sim.run import run_scenario


@pytest.mark.parametrize("template", templates())
def test_it_delivers_on_time(template: str, tmp_path: Path) -> None:
    kpis = run_scenario(load_scenario(init("fresh", template, tmp_path)), 7).kpis
    assert kpis["parcels"] > 400
    assert kpis["delivered_pct"] >= 98
    assert kpis["on_time_pct"] >= 93


def test_the_city_uses_its_drones_lockers_and_shuttle(tmp_path: Path) -> None:
    tables = run_scenario(load_scenario(init("fresh", "city", tmp_path)), 7).tables
    parcels, legs = tables["parcels"].to_pandas(), tables["legs"].to_pandas()
    assert (parcels["mode"] == "drone").sum() > 100
    assert ((parcels["place_kind"] == "locker") & (parcels["state"] == "delivered")).sum() > 100
    assert (legs["lane"] == "wh-1:st-centre").any()


def test_parcels_between_the_two_cities_pass_both_hubs(tmp_path: Path) -> None:
    tables = run_scenario(load_scenario(init("fresh", "two-cities", tmp_path)), 7).tables
    parcels, stages = tables["parcels"].to_pandas(), tables["stages"].to_pandas()
    assert (parcels["kind"] == "origin-destination").all()
    hubs = stages[stages["site"].isin(["hub-west", "hub-east"])].groupby("parcel")["site"].nunique()
    west = parcels["origin"].isin(["shop-west-1", "shop-west-2", "st-west"])
    crossing = parcels[(west != (parcels["area"] == "west")) & (parcels["state"] == "delivered")]
    assert len(crossing) > 200
    assert (crossing["parcel"].map(hubs) == 2).all()


@pytest.mark.parametrize("template", templates())
def test_its_name_is_the_users(template: str, tmp_path: Path) -> None:
    path = init("my-net", template, tmp_path)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["scenario"]["name"] == "my-net"
    assert "NAME" not in path.read_text(encoding="utf-8")
