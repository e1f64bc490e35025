"""Stock at warehouses: reservation, picking, refill by (s, S)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logistics.clock import local_day_and_second
from logistics.kernels.reserving import reserve_in_turn
from logistics.scenario import Scenario
from logistics.tables import NOBODY, Demand, FloatArray, IntArray, RowArray


@dataclass(frozen=True, slots=True)
class Replenishment:
    """What a review orders: one row per warehouse and item, in that order. Sites are scenario rows."""

    supplier: RowArray
    warehouse: RowArray
    item: RowArray
    quantity: IntArray

    def __len__(self) -> int:
        return len(self.item)


class Stock:
    """Units of every item at every warehouse of a run.

    `on_hand` counts all units in the building, `reserved` those of them that belong to a parcel and
    `on_order` those on their way from a supplier; all (warehouses, items) int64, never negative. At any time

        initial + received = on_hand + taken

    Parcels and lines are rows of the run's `Demand`. The quantities a parcel still wants may shrink by
    cancellation, so that the caller passes them.
    """

    def __init__(
        self,
        scenario: Scenario,
        demand: Demand,
        *,
        on_hand: IntArray | None = None,
        policy_demand: Demand | None = None,
    ) -> None:
        """Stock for a run's demand; `on_hand` (warehouses, items) replaces the scenario's initial cover.

        Mean demand is that of `policy_demand`, by default the run's own: units per warehouse and item over the
        local days on which orders come. Its items are the first of the demand's.
        """
        sites = scenario.sites
        self.warehouses: RowArray = np.array(
            [row for row, site in enumerate(sites) if site.kind == "warehouse"], dtype=np.int32
        )
        self._suppliers = _suppliers(scenario, self.warehouses)
        number = np.full(len(sites), NOBODY, dtype=np.int32)
        number[self.warehouses] = np.arange(len(self.warehouses), dtype=np.int32)
        self._warehouse: RowArray = number[demand.orders.origin[demand.parcels.order]]
        self._first_line = demand.parcels.first_line
        self._item = demand.lines.item
        self._parcel_of_line = demand.lines.parcel
        shape = (len(self.warehouses), len(demand.items))
        daily, largest = _daily_demand(scenario, policy_demand or demand, number, shape)
        if policy_demand is not None:
            largest = np.maximum(largest, _daily_demand(scenario, demand, number, shape)[1])
        policy = scenario.stock
        self._reorder: IntArray = np.ceil(policy.reorder_days * daily).astype(np.int64)
        # an order beyond the usual cover must be servable once refill has come
        self._order_up_to: IntArray = np.maximum(
            np.ceil(policy.order_up_to_days * daily).astype(np.int64), np.maximum(largest, self._reorder + 1)
        )
        cover = np.maximum(np.ceil(policy.initial_days * daily), 1.0).astype(np.int64)
        self.on_hand: IntArray = cover if on_hand is None else np.array(on_hand, dtype=np.int64)
        if self.on_hand.shape != shape or (self.on_hand < 0).any():
            raise ValueError(f"on_hand needs the shape {shape} and no negative count")
        self.reserved: IntArray = np.zeros(shape, dtype=np.int64)
        self.on_order: IntArray = np.zeros(shape, dtype=np.int64)

    def reserve(self, parcels: IntArray | RowArray, quantity: IntArray) -> NDArray[np.bool_]:
        """Reserve all units of each parcel or none, in the order given; returns which parcels got theirs.

        `quantity` (lines of the demand,): units each line still wants.
        """
        free = self.on_hand - self.reserved
        before = free.copy()
        granted = reserve_in_turn(
            free,
            np.ascontiguousarray(parcels, dtype=np.int64),
            self._warehouse,
            self._first_line,
            self._item,
            np.ascontiguousarray(quantity, dtype=np.int64),
        )
        self.reserved += before - free
        return granted

    def release(self, lines: IntArray, units: IntArray) -> None:
        """Give reserved units of these lines back to the free stock (cancelled before they were picked)."""
        self._add(self.reserved, lines, -np.asarray(units, dtype=np.int64), "released more than was reserved")

    def take(self, lines: IntArray, units: IntArray) -> None:
        """Reserved units of these lines leave their shelves (picked)."""
        units = np.asarray(units, dtype=np.int64)
        self._add(self.reserved, lines, -units, "took more than was reserved")
        self._add(self.on_hand, lines, -units, "took more than was on hand")

    def receive(self, warehouse: IntArray, item: IntArray, quantity: IntArray) -> None:
        """Refill arrives; `warehouse` are rows of the scenario's sites."""
        where = np.searchsorted(self.warehouses, warehouse)
        if (np.asarray(quantity) < 0).any():
            raise ValueError("received a negative count")
        np.add.at(self.on_hand, (where, item), quantity)
        np.subtract.at(self.on_order, (where, item), quantity)
        np.maximum(self.on_order, 0, out=self.on_order)  # units that no review ordered may come too

    def review(self, waiting: IntArray, quantity: IntArray) -> Replenishment:
        """Order every item whose position is at or below s up to S, from the warehouse's supplier.

        Position: free units plus those on order less those that the parcels in `waiting` still want
        (`quantity` as in `reserve`). Warehouses that no supplier serves order nothing.
        """
        position = self.on_hand - self.reserved + self.on_order
        lines = rows_of(self._first_line, waiting)
        np.subtract.at(
            position, (self._warehouse[self._parcel_of_line[lines]], self._item[lines]), quantity[lines]
        )
        wanted = (position <= self._reorder) & (self._suppliers != NOBODY)[:, None]
        warehouse, item = np.nonzero(wanted)
        amount = self._order_up_to[warehouse, item] - position[warehouse, item]
        self.on_order[warehouse, item] += amount
        return Replenishment(
            supplier=self._suppliers[warehouse],
            warehouse=self.warehouses[warehouse],
            item=item.astype(np.int32),
            quantity=amount,
        )

    def _add(self, counts: IntArray, lines: IntArray, units: IntArray, complaint: str) -> None:
        where = (self._warehouse[self._parcel_of_line[lines]], self._item[lines])
        np.add.at(counts, where, units)
        if (counts[where] < 0).any():
            raise ValueError(complaint)


def _daily_demand(
    scenario: Scenario, demand: Demand, warehouse: RowArray, shape: tuple[int, int]
) -> tuple[FloatArray, IntArray]:
    """Units per day, and the most that one parcel wants, of each warehouse (number by site) and item."""
    if not len(demand.lines):
        return np.zeros(shape), np.zeros(shape, dtype=np.int64)
    order = demand.parcels.order[demand.lines.parcel]
    days, _ = local_day_and_second(demand.orders.placed_s[np.unique(order)], scenario.scenario)
    cell = warehouse[demand.orders.origin[order]].astype(np.int64) * shape[1] + demand.lines.item
    units = np.bincount(cell, weights=demand.lines.quantity, minlength=shape[0] * shape[1]).reshape(shape)
    largest = np.zeros(shape[0] * shape[1], dtype=np.int64)
    np.maximum.at(largest, cell, demand.lines.quantity)
    return units / (days.max() - days.min() + 1), largest.reshape(shape)


def rows_of(first: IntArray, owners: IntArray | RowArray) -> IntArray:
    """All rows first[o] : first[o + 1] of the owners, in turn."""
    owners = np.asarray(owners, dtype=np.int64)
    counts = first[owners + 1] - first[owners]
    starts = np.repeat(first[owners] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    rows: IntArray = starts + np.arange(int(counts.sum()))
    return rows


def _suppliers(scenario: Scenario, warehouses: RowArray) -> RowArray:
    """The supplier of each warehouse: the first with a lane to it, else the first there is."""
    sites = {site.id: row for row, site in enumerate(scenario.sites)}
    every = [row for row, site in enumerate(scenario.sites) if site.kind == "supplier"]
    chosen = []
    for warehouse in warehouses:
        served = [
            sites[lane.origin]
            for lane in scenario.lanes
            if sites.get(lane.destination) == warehouse and sites.get(lane.origin) in every
        ]
        chosen.append(min(served, default=min(every, default=NOBODY)))
    return np.array(chosen, dtype=np.int32)
