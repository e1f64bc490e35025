"""Storage systems and slotting policies compared on the same real orders, day by day.

A replication is a day: the next few trading days after the learning period, laid on one. All variants meet
the same orders and the same effort per line and order (common random numbers), so differences are taken pair
by pair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from logistics.sections import Shift
from logistics.storage import GoodsToPersonSection, PackingSection, PickerToPartsSection
from sim.experiment import Comparison, Replications, compare, replicate
from sim.random_streams import Streams
from sim.warehouse.goods_to_person import RobotWarehouse
from sim.warehouse.orders import DAY_S, OrderLines
from sim.warehouse.picker_to_parts import PickerFloor, block_of
from sim.warehouse.result import WarehouseResult
from sim.warehouse.slotting import fill_pods, slot
from sim.warehouse.stock import Stock

System = Literal["goods_to_person", "picker_to_parts"]
WINDOW = (8 * 3600.0, 18 * 3600.0)
UNTIL_S = 5.0 * DAY_S


@dataclass(frozen=True, slots=True)
class Setting:
    """Orders, cut into history and days to simulate; what both systems share.

    `split_s` ends the history. `days` trading days make one simulated day; units of a line above `most_units`
    leave from bulk stock and are not picked. `people` pick, put and refill in either system.
    """

    orders: OrderLines
    split_s: float
    days: int = 3
    most_units: int = 60
    people: int = 14
    seed: int = 1

    @property
    def history(self) -> OrderLines:
        return self.orders.between(0.0, self.split_s)

    def day(self, replication: int) -> OrderLines:
        """Orders of one replication. Raises `ValueError` when the file has no more days."""
        later = self.orders.between(self.split_s, np.inf)
        dates = np.unique(later.release_s // DAY_S)
        chosen = dates[replication * self.days : (replication + 1) * self.days]
        if chosen.size < self.days:
            raise ValueError(
                f"{dates.size} trading days after the split make {dates.size // self.days} replications of "
                f"{self.days}; ask for fewer, or learn from fewer days"
            )
        rows = np.flatnonzero(np.isin(later.release_s // DAY_S, chosen))
        return later.chosen(rows).laid_on_one_day(WINDOW).capped(self.most_units)


@dataclass(frozen=True, slots=True)
class Variant:
    """A system with a slotting policy."""

    system: System
    slotting: str = "turnover"

    @property
    def name(self) -> str:
        return f"{self.system}, {self.slotting}"


def simulate(setting: Setting, variant: Variant, replication: int) -> WarehouseResult:
    """One day under one variant."""
    orders, streams = setting.day(replication), Streams(setting.seed, replication)
    draw = streams.generator("warehouse", "slotting")
    packing = PackingSection()
    if variant.system == "picker_to_parts":
        pickers = Shift.model_validate(["06:00", "22:00", setting.people - 2])
        walk = PickerToPartsSection(pickers=[pickers], refillers=2)
        location = slot(block_of(walk), variant.slotting, setting.history, draw)
        day_units = orders.units_of_items()
        stock = Stock.covering(day_units, 3.0, walk.face_units)
        return PickerFloor(walk, packing, orders, location, stock, streams).run(UNTIL_S)
    at_stations = Shift.model_validate(["06:00", "22:00", setting.people - 2])
    robots = GoodsToPersonSection(
        stations=setting.people - 2,
        replenishment_stations=2,
        shifts=[at_stations],
        robots=8 * (setting.people - 2),
    )
    bins = fill_pods(robots.pods, robots.bins_per_pod, variant.slotting, setting.history, draw)
    reserve = 3 * orders.units_of_items()
    return RobotWarehouse(robots, packing, orders, bins, reserve, streams).run(UNTIL_S)


def figures_of(setting: Setting, variant: Variant, replication: int) -> dict[str, float]:
    """Key figures of one day; raises `AssertionError` when Little's law fails or an order is lost."""
    result = simulate(setting, variant, replication)
    error = result.littles_law_error()
    if error > 1e-9 or result.open_orders:
        raise AssertionError(f"{variant.name}: Little's law off by {error}, {result.open_orders} orders open")
    return {name: value for name, value in result.kpis().items() if not np.isnan(value)}


@dataclass(frozen=True, slots=True)
class Pair:
    """One variant against another."""

    base: str
    variant: str
    rows: list[Comparison]


def compare_variants(
    setting: Setting, pairs: list[tuple[Variant, Variant]], replications: int, jobs: int = 1
) -> list[Pair]:
    """Simulate every variant on the same days and compare pair by pair."""
    setting.day(replications - 1)
    runs: dict[Variant, Replications] = {}
    for variant in dict.fromkeys(each for pair in pairs for each in pair):
        runs[variant] = replicate(partial(figures_of, setting, variant), replications, jobs)
    return [Pair(a.name, b.name, compare(runs[a], runs[b])) for a, b in pairs]


def systems(slotting: str = "turnover") -> list[tuple[Variant, Variant]]:
    """Picker-to-parts against goods-to-person."""
    return [(Variant("picker_to_parts", slotting), Variant("goods_to_person", slotting))]


def slottings(system: System) -> list[tuple[Variant, Variant]]:
    """Random against turnover, random against affinity, turnover against affinity."""
    chance = Variant(system, "random")
    turnover, affinity = replace(chance, slotting="turnover"), replace(chance, slotting="affinity")
    return [(chance, turnover), (chance, affinity), (turnover, affinity)]
