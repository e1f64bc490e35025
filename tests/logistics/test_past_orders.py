"""What slotting may learn from: orders before the run, and never those of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from logistics.demand import build_demand
from logistics.past_orders import COLUMNS, past_orders
from logistics.scenario import Scenario
from tests.logistics.demand_support import HOURLY, scenario, streams
from tests.logistics.test_demand_order_file import of_file

SOUTH = {"origins": {"south": 1.0}, "per_day": 40, "hourly": HOURLY, "services": {"next": 1.0}}


def rows(section: Scenario, folder: Path, days: int) -> list[tuple[Any, ...]]:
    past = past_orders(section, streams(), folder, days)
    assert tuple(past.columns) == COLUMNS
    return sorted(past.itertuples(index=False, name=None))


def test_a_file_gives_its_orders_before_the_first_of_the_run(tmp_path: Path) -> None:
    section = of_file(tmp_path, from_time="2010-11-05T00:00:00")
    second = ("south", 2, "2", "22001")
    assert rows(section, tmp_path, 3) == [second]
    assert rows(section, tmp_path, 4) == [second, ("south", 4, "1", "22001"), ("south", 4, "1", "22002")]
    assert rows(section, tmp_path, 0) == []
    assert set(build_demand(section, streams(), tmp_path).orders.reference) == {"3", "4"}


def test_a_file_whose_orders_all_are_the_runs_gives_none(tmp_path: Path) -> None:
    assert rows(of_file(tmp_path), tmp_path, 30) == []


def test_streams_are_drawn_for_the_days_before_with_luck_of_their_own(tmp_path: Path) -> None:
    section = scenario({"streams": [SOUTH]}, catalogue={"items": 50})
    found = rows(section, tmp_path, 3)
    assert {day for _, day, _, _ in found} == {1, 2, 3}
    assert len({order for _, _, order, _ in found}) == 120
    assert {site for site, _, _, _ in found} == {"south"}
    demand = build_demand(section, streams(), tmp_path)
    assert {item for _, _, _, item in found} <= set(demand.items.code.tolist())
    number = {code: row for row, code in enumerate(demand.items.code.tolist())}
    yesterday = [number[item] for _, day, _, item in found if day == 1]
    assert len(yesterday) != len(demand.lines.item) or (np.array(yesterday) != demand.lines.item).any()
    counts = [np.bincount([number[i] for _, day, _, i in found if day == d], minlength=50) for d in (1, 2)]
    assert (counts[0] != counts[1]).any()
