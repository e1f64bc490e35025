"""Inbound: what to order, trucks at the docks, receiving, put-away."""

from __future__ import annotations

import math

import numpy as np

from logistics.storage import ReplenishmentSection
from sim.draws import RowDraws
from sim.random_streams import Streams
from sim.stations import CapacityProfile, Station, StationChain
from sim.warehouse.orders import DAY_S, FloatArray, IntArray
from sim.warehouse.stock import Stock


class Inbound:
    """Reviews stock, orders refill, and brings it in: truck → dock → receiving → put-away, carton by carton.

    `daily` (items,) is mean demand a day, the basis of (s, S) and the start of the forecast. `stays` holds,
    per station, the (arrive, start, finish) of its jobs: trucks at the docks, cartons after that.
    """

    def __init__(
        self, section: ReplenishmentSection, stock: Stock, daily: FloatArray, streams: Streams
    ) -> None:
        self.section = section
        self.stock = stock
        self.clock_s = 0.0
        self.trucks = 0
        self.stays: dict[str, list[tuple[float, float, float]]] = {"dock": [], "receive": [], "put_away": []}
        self._daily = np.asarray(daily, np.float64)
        period_days = section.review_s / DAY_S
        self._level = self._daily * period_days
        self._deviation = np.sqrt(self._level)
        self._seen = np.zeros(stock.face.size, np.int64)
        self._next_review_s = 0.0
        self._lead = RowDraws(streams, "inbound", "lead time")
        self._dock = Station("dock", CapacityProfile.constant(section.docks))
        self._floor = StationChain(
            [
                Station("receive", CapacityProfile.constant(section.receivers)),
                Station("put_away", CapacityProfile.constant(section.put_away_workers)),
            ],
            lambda stage, rows: np.full(rows.size, section.put_away_s if stage else section.receive_s),
        )
        self._cartons: list[tuple[IntArray, IntArray]] = []  # per truck: item and units of each carton
        self._first_carton: list[int] = []
        self._carton_item, self._carton_units = np.empty(0, np.int64), np.empty(0, np.int64)
        self._unloading: list[tuple[float, int]] = []

    @property
    def pending(self) -> bool:
        """Whether goods are on their way."""
        return bool(self.stock.on_order.any() or self.stock.dock.any())

    def next_event_s(self) -> float:
        """When something may change next: a review, or goods on their way."""
        return self._next_review_s

    def advance(self, until_s: float, wanted: IntArray | None = None) -> None:
        """Work up to `until_s` inclusive; `wanted` (items,) are units of waiting orders that were promised none."""
        while self._next_review_s <= until_s:
            self._work(self._next_review_s)
            self._review(self._next_review_s, wanted)
            self._next_review_s += self.section.review_s
        self._work(until_s)
        self.clock_s = until_s

    def targets(self) -> tuple[IntArray, IntArray]:
        """(items,) position at or below which an item is ordered, and up to which."""
        section = self.section
        if section.policy == "s_S":
            low = np.ceil(section.reorder_days * self._daily)
            return low.astype(np.int64), np.maximum(
                np.ceil(section.order_up_to_days * self._daily), low + 1
            ).astype(np.int64)
        periods = (section.lead_s + section.review_s) / section.review_s
        high = np.ceil(self._level * periods + section.safety * self._deviation * math.sqrt(periods))
        return high.astype(np.int64) - 1, high.astype(np.int64)

    def _review(self, now_s: float, wanted: IntArray | None) -> None:
        stock, section = self.stock, self.section
        if now_s > 0 and section.policy == "forecast":
            asked = (stock.asked - self._seen).astype(np.float64)
            share = section.smoothing
            # 1.25 mean absolute deviations make a standard deviation of normal demand.
            self._deviation += share * (1.25 * np.abs(asked - self._level) - self._deviation)
            self._level += share * (asked - self._level)
        self._seen = stock.asked.copy()
        position = stock.book + stock.reserve + stock.dock + stock.on_order - stock.promised
        if wanted is not None:
            position = position - wanted
        low, high = self.targets()
        item = np.flatnonzero((position <= low) & (high > position))
        if not item.size:
            return
        units = high[item] - position[item]
        stock.on_order[item] += units
        count = -(-units // section.carton_units)
        carton_item = np.repeat(item, count)
        carton_units = np.full(carton_item.size, section.carton_units, np.int64)
        last = np.cumsum(count) - 1
        carton_units[last] = units - (count - 1) * section.carton_units
        for begin in range(0, carton_item.size, section.truck_cartons):
            part = slice(begin, begin + section.truck_cartons)
            load = carton_item[part].size
            arrive = now_s + section.lead_s * float(self._lead.multiplier([self.trucks], section.lead_cv)[0])
            self._cartons.append((carton_item[part], carton_units[part]))
            self._dock.submit(
                np.array([self.trucks], np.int32),
                np.array([arrive]),
                np.array([load * section.unload_s]),
                np.zeros(1, np.int32),
            )
            self.trucks += 1

    def _work(self, until_s: float) -> None:
        started = self._dock.advance(until_s)
        for at in range(len(started)):
            self.stays["dock"].append(
                (float(started.arrive_s[at]), float(started.start_s[at]), float(started.finish_s[at]))
            )
            self._unloading.append((float(started.finish_s[at]), int(started.rows[at])))
        self._unloading.sort()
        while self._unloading and self._unloading[0][0] <= until_s:
            at_s, truck = self._unloading.pop(0)
            item, units = self._cartons[truck]
            rows = np.arange(self._carton_item.size, self._carton_item.size + item.size, dtype=np.int32)
            self._carton_item = np.concatenate((self._carton_item, item))
            self._carton_units = np.concatenate((self._carton_units, units))
            self.stock.arrive(item, units)
            self._floor.submit(rows, np.full(item.size, at_s), np.zeros(item.size, np.int32))
        for step, name in zip(self._floor.advance(until_s), ("receive", "put_away"), strict=True):
            begun = step.started
            self.stays[name].extend(
                zip(begun.arrive_s.tolist(), begun.start_s.tolist(), begun.finish_s.tolist(), strict=True)
            )
            if name == "put_away" and step.finished_rows.size:
                self.stock.put_away(
                    self._carton_item[step.finished_rows], self._carton_units[step.finished_rows]
                )
