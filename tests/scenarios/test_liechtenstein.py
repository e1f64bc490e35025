"""Real orders on real roads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from logistics.validate import load_scenario
from sim.run import run_scenario

SCENARIO = Path(__file__).parents[2] / "scenarios" / "liechtenstein-retail.toml"


def test_a_day_of_real_orders(data_dir: Callable[[str], Path]) -> None:
    data_dir("roads/osm")
    data_dir("orders/uci-online-retail-2010.parquet")
    result = run_scenario(load_scenario(SCENARIO), 7)
    cleaning = result.manifest["cleaning"]
    assert cleaning["lines_read"] == 525_461
    assert cleaning["lines_read"] == cleaning["lines_kept"] + sum(cleaning["dropped"].values())
    assert result.kpis["delivered_pct"] > 98
    assert result.kpis["cancelled"] > 0
    moves, parcels = result.tables["moves"], result.tables["parcels"]
    born = np.asarray(moves["origin"].is_null())
    assert int(np.asarray(moves["units"])[born].sum()) == int(np.asarray(parcels["units"]).sum())
