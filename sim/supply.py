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
    deadline_s: dict[int, float] = field(default_factory=dict)  # of those that wait
    ordered: list[Replenishment] = field(default_factory=list)  # still at the supplier's when the run was cut
    arriving: list[tuple[float, Replenishment]] = field(default_factory=list)  # on its way past the cut

    def __post_init__(self) -> None:
        self.quantity: IntArray = self.world.demand.lines.quantity.copy()  # what each line still wants

    def reserve(self, rows: RowArray) -> None:
        """Answer the dispatcher: what is there is reserved, the rest waits for refill."""
        granted = self.stock.reserve(rows, self.quantity)
        until = self.world.env.now + self.world.scenario.stock.backorder_s
        for row in rows[~granted].tolist():
            self.waiting.append(row)
            self.deadline_s[row] = until
        self._answer(rows[granted], NOTHING)

    def _answer(self, reserved: RowArray, refused: RowArray) -> None:
        self.world.stamp("reserved_s", reserved, self.world.env.now)
        self.world.finish(refused, ORDER_BOOK, OUT_OF_STOCK)
        if len(reserved) or len(refused):
            self.world.tell(StockAnswered(reserved, refused))

    def withdraw(self, row: int, lines: IntArray, units: IntArray) -> None:
        """A customer takes units back before they were picked; reserved ones are free again."""
        waits = row in self.deadline_s
        if not waits:
            self.stock.release(lines, units)
        self.quantity[lines] -= units
        if waits and not self.quantity[rows_of(self.world.demand.parcels.first_line, np.array([row]))].any():
            self._forget(row)

    def _forget(self, row: int) -> None:
        self.waiting.remove(row)
        del self.deadline_s[row]

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
        expired = ~granted & np.array([self.deadline_s[int(r)] <= now for r in rows])
        for row in rows[granted | expired].tolist():
            self._forget(row)
        self._answer(rows[granted], rows[expired])

    def review_daily(self, moments: IntArray) -> Process:
        """Order refill once a day and send it on its way."""
        env = self.world.env
        for moment in moments:
            yield env.timeout(max(0.0, float(moment) - env.now))
            if self.world.closing:
                return
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
                env.process(self.bring(batch))

    def bring(self, batch: Replenishment) -> Process:
        """Goods ride from a supplier to a warehouse and are put away."""
        supplier, warehouse = int(batch.supplier[0]), int(batch.warehouse[0])
        items = self.world.demand.items
        load_g = int((items.weight_g[batch.item] * batch.quantity).sum())
        load_ml = int((items.volume_ml[batch.item] * batch.quantity).sum())
        came = yield from self.linehaul.haul_goods(supplier, warehouse, load_g, load_ml)
        if not came:
            self.ordered.append(batch)
        elif self.world.closing:
            self.arriving.append((self.world.env.now, batch))
        else:
            self._put_away(batch)

    def receive_at(self, at_s: float, batch: Replenishment) -> Process:
        """Goods that an earlier run brought come in."""
        self.arriving.append((at_s, batch))
        yield self.world.env.timeout(max(0.0, at_s - self.world.env.now))
        if not self.world.closing:
            self.arriving = [(t, b) for t, b in self.arriving if b is not batch]
            self._put_away(batch)

    def _put_away(self, batch: Replenishment) -> None:
        self.stock.receive(batch.warehouse.astype(np.int64), batch.item.astype(np.int64), batch.quantity)
        self.serve_waiting()
