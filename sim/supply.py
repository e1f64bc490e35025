"""Stock in the twin: answers to reservations, parcels that wait for goods, and refill from suppliers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from logistics.dispatch.messages import StockAnswered
from logistics.stock import Replenishment, Stock, rows_of
from logistics.tables import IntArray, RowArray
from sim.custody import ORDER_BOOK, OUT_OF_STOCK
from sim.trucks import Linehaul
from sim.world import Process, World

NOTHING = np.empty(0, dtype=np.int32)


@dataclass
class Supply:
    """The stock of all warehouses, and the parcels that wait for it in the order of their asking."""

    world: World
    stock: Stock
    linehaul: Linehaul
    waiting: list[int] = field(default_factory=list)
    _deadline_s: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.quantity: IntArray = self.world.demand.lines.quantity.copy()  # what each line still wants

    def reserve(self, rows: RowArray) -> None:
        """Answer the dispatcher: what is there is reserved, the rest waits for refill."""
        granted = self.stock.reserve(rows, self.quantity)
        until = self.world.env.now + self.world.scenario.stock.backorder_s
        for row in rows[~granted].tolist():
            self.waiting.append(row)
            self._deadline_s[row] = until
        self._answer(rows[granted], NOTHING)

    def _answer(self, reserved: RowArray, refused: RowArray) -> None:
        self.world.stamp("reserved_s", reserved, self.world.env.now)
        self.world.finish(refused, ORDER_BOOK, OUT_OF_STOCK)
        if len(reserved) or len(refused):
            self.world.tell(StockAnswered(reserved, refused))

    def withdraw(self, row: int, lines: IntArray, units: IntArray) -> None:
        """A customer takes units back before they were picked; reserved ones are free again."""
        if row in self._deadline_s:
            if not (self.quantity[lines] - units).any():
                self._forget(row)
        else:
            self.stock.release(lines, units)
        self.quantity[lines] -= units

    def _forget(self, row: int) -> None:
        self.waiting.remove(row)
        del self._deadline_s[row]

    def take(self, rows: RowArray) -> None:
        """Parcels go to the floor: their reserved units leave the shelves."""
        lines = rows_of(self.world.demand.parcels.first_line, rows)
        self.stock.take(lines, self.quantity[lines])

    def serve_waiting(self) -> None:
        """Try again for those that wait, after stock came in; refuse those that waited too long."""
        now = self.world.env.now
        rows = np.array(self.waiting, dtype=np.int32)
        if not len(rows):
            return
        granted = self.stock.reserve(rows, self.quantity)
        expired = ~granted & np.array([self._deadline_s[int(r)] <= now for r in rows])
        for row in rows[granted | expired].tolist():
            self._forget(row)
        self._answer(rows[granted], rows[expired])

    def review_daily(self, moments: IntArray) -> Process:
        """Order refill once a day and send it on its way."""
        env = self.world.env
        for moment in moments:
            yield env.timeout(max(0.0, float(moment) - env.now))
            self.serve_waiting()
            orders = self.stock.review(np.array(self.waiting, dtype=np.int64), self.quantity)
            routes = np.stack([orders.supplier, orders.warehouse], axis=1)
            for supplier, warehouse in np.unique(routes, axis=0):
                chosen = (orders.supplier == supplier) & (orders.warehouse == warehouse)
                batch = Replenishment(
                    orders.supplier[chosen],
                    orders.warehouse[chosen],
                    orders.item[chosen],
                    orders.quantity[chosen],
                )
                env.process(self._bring(int(supplier), int(warehouse), batch))

    def _bring(self, supplier: int, warehouse: int, batch: Replenishment) -> Process:
        """Goods ride from a supplier to a warehouse and are put away."""
        items = self.world.demand.items
        load_g = int((items.weight_g[batch.item] * batch.quantity).sum())
        load_ml = int((items.volume_ml[batch.item] * batch.quantity).sum())
        yield from self.linehaul.haul_goods(supplier, warehouse, load_g, load_ml)
        self.stock.receive(batch.warehouse.astype(np.int64), batch.item.astype(np.int64), batch.quantity)
        self.serve_waiting()
