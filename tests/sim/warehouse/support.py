"""Small warehouses for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from logistics.sections import Shift
from logistics.storage import AutomatedSection, GoodsToPersonSection, PackingSection, PickerToPartsSection
from sim.random_streams import Streams
from sim.warehouse.automated import AutomatedFloor
from sim.warehouse.goods_to_person import RobotWarehouse
from sim.warehouse.orders import OrderLines, synthetic_orders
from sim.warehouse.picker_to_parts import PickerFloor, block_of
from sim.warehouse.slotting import fill_pods, slot
from sim.warehouse.stock import Stock

ITEMS = 60


def shift(workers: int) -> list[Shift]:
    return [Shift.model_validate(["06:00", "22:00", workers])]


def orders(seed: int = 1, count: int = 120, items: int = ITEMS, **settings: Any) -> OrderLines:
    return synthetic_orders(
        np.random.default_rng(seed), count, items, families=6, window=(8 * 3600.0, 12 * 3600.0), **settings
    )


def robots(book: OrderLines, reserve: int = 1000, **settings: Any) -> RobotWarehouse:
    """Goods-to-person; keywords of the section, or of the warehouse (`faults`, `inbound`, `seed`)."""
    rest = {key: settings.pop(key) for key in ("faults", "inbound") if key in settings}
    streams = Streams(settings.pop("seed", 1))
    values = {"pods": 20, "bins_per_pod": 6, "robots": 6, "stations": 3, "shifts": shift(3), "bin_units": 12}
    section = GoodsToPersonSection(**(values | settings))
    bins = fill_pods(section.pods, section.bins_per_pod, "random", book, np.random.default_rng(5))
    reserved = np.full(len(book.names), reserve, np.int64)
    return RobotWarehouse(section, PackingSection(), book, bins, reserved, streams, **rest)


def walkers(book: OrderLines, days: float = 3.0, **settings: Any) -> PickerFloor:
    """Picker-to-parts; keywords of the section, or of the floor (`faults`, `inbound`, `stock`, `seed`)."""
    rest = {key: settings.pop(key) for key in ("faults", "inbound") if key in settings}
    streams, stock = Streams(settings.pop("seed", 1)), settings.pop("stock", None)
    values = {"aisles": 4, "bays": 5, "levels": 2, "pickers": shift(8), "putters": shift(3), "face_units": 10}
    section = PickerToPartsSection(**(values | settings))
    location = slot(block_of(section), "turnover", book, np.random.default_rng(5))
    if stock is None:
        stock = Stock.covering(book.units_of_items(), days, section.face_units)
    return PickerFloor(section, PackingSection(), book, location, stock, streams, **rest)


def automated(book: OrderLines, **settings: Any) -> AutomatedFloor:
    streams = Streams(settings.pop("seed", 1))
    values = {"aisles": 2, "columns": 10, "levels": 5, "shifts": shift(4)}
    section = AutomatedSection(**(values | settings))
    place = np.random.default_rng(5).permutation(100)[: len(book.names)].astype(np.int64)
    stock = Stock(book.units_of_items(), np.zeros(len(book.names), np.int64))
    return AutomatedFloor(section, PackingSection(), book, place, stock, streams)
