"""What was ordered before a run: what slotting learns from, never the orders to come."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from logistics.demand import stream_items
from logistics.importing.cleaning import cleaned
from logistics.importing.column_map import load_map
from logistics.importing.reading import read_lines
from logistics.paths import resolve
from logistics.places import Random, addresses
from logistics.scenario import DAY_S, OrderFileSection, Scenario
from logistics.streams import stream_orders

COLUMNS = ("site", "days_before", "order", "item")
BEFORE = "before "
"""What names the draws of streams' earlier days: they share no luck with the days of the run."""


def past_orders(scenario: Scenario, random: Random, data_root: Path, days: int) -> pd.DataFrame:
    """Lines of orders of the `days` days before the run: `site` (id of the warehouse), `days_before` (from 1 up),
    `order` (a key), `item` (its code).

    Of streams, earlier days are drawn as the run's are, with luck of their own. Of an order file, they are those
    before `from_time`, or before the scenario's start. `random` is that of `build_demand`.
    """
    parts = [pd.DataFrame({name: [] for name in COLUMNS}).astype({"days_before": np.int64})]
    file = scenario.demand.order_file
    if file is not None and days:
        parts.append(_of_file(file, scenario, data_root, days))
    if scenario.demand.streams and days:
        parts += _of_streams(scenario, random, data_root, days)
    return pd.concat(parts, ignore_index=True)


def _of_file(file: OrderFileSection, scenario: Scenario, root: Path, days: int) -> pd.DataFrame:
    column_map = load_map(file.map, root)
    lines = read_lines(resolve(file.path, root), column_map)
    if file.from_time is not None:
        earlier = cleaned(lines, column_map, file.from_time - timedelta(days=days), file.from_time).purchases
        midnight = pd.Timestamp(file.from_time) - pd.Timestamp(0)
        ago = midnight.total_seconds() - earlier["wall_s"].to_numpy(dtype=np.float64)
    elif not file.one_day:
        earlier = cleaned(lines, column_map).purchases
        ago = scenario.scenario.start.timestamp() - earlier["at_s"].to_numpy(dtype=np.float64)
    else:
        return pd.DataFrame({name: [] for name in COLUMNS})
    chosen = (ago > 0) & (ago <= days * DAY_S)
    return pd.DataFrame(
        {
            "site": file.warehouse,
            "days_before": np.ceil(ago[chosen] / DAY_S).astype(np.int64),
            "order": earlier["order"].to_numpy(dtype=object)[chosen],
            "item": earlier["item"].to_numpy(dtype=object)[chosen],
        }
    )


def _of_streams(scenario: Scenario, random: Random, root: Path, days: int) -> list[pd.DataFrame]:
    homes, items = addresses(scenario, random), stream_items(scenario, random, root)
    names = np.array([site.id for site in scenario.sites], dtype=object)

    def before(entity: str, purpose: str) -> np.random.Generator:
        return random(BEFORE + entity, purpose)

    parts = []
    for number, stream in enumerate(scenario.demand.streams):
        earlier = stream.model_copy(update={"days": days})
        batch = stream_orders(number, earlier, scenario, homes, items, before)
        order = batch.line_order
        day = np.array([int(name.split("-")[1]) for name in batch.reference], np.int64)
        parts.append(
            pd.DataFrame(
                {
                    "site": names[batch.origin[order]],
                    "days_before": day[order] + 1,
                    "order": batch.reference[order],
                    "item": items.code[batch.item],
                }
            )
        )
    return parts
