"""Stock of one warehouse: what lies where, what is promised, and what the books say of it."""

from __future__ import annotations

import numpy as np

from sim.warehouse.kernels import stock as kernel
from sim.warehouse.orders import BoolArray, IntArray, OrderLines


class Stock:
    """Units of every item; all arrays (items,) int64, none ever negative.

    `face` lies where pickers take it, `book` is what the books say lies there, `reserve` lies in bulk behind
    it, `dock` has come in and is not put away, `on_order` is on its way. `promised` of face and reserve
    belongs to orders that were released. `picked` has left the shelves, `lost` was missing when somebody
    counted or reached for it. `asked` counts units of all orders taken in. At any time

        initial + received = face + reserve + dock + picked + lost

    `audit` proves it. The books differ from the face only after `miscount`, until a picker finds out.
    """

    def __init__(self, face: IntArray, reserve: IntArray) -> None:
        self.face, self.reserve = (np.array(each, np.int64) for each in (face, reserve))
        self.book = self.face.copy()
        self.promised, self.dock, self.on_order, self.picked, self.lost, self.received, self.asked = (
            np.zeros(self.face.size, np.int64) for _ in range(7)
        )
        self.initial = self.face + self.reserve
        self.audit()

    @classmethod
    def covering(cls, daily: IntArray, days: float, face_units: int) -> Stock:
        """`days` of mean daily demand (at least a full face) of every item, the face filled first."""
        total = np.maximum(np.ceil(daily * days).astype(np.int64), face_units)
        face = np.minimum(total, face_units)
        return cls(face, total - face)

    @property
    def free(self) -> IntArray:
        """Units by the books that no order was promised."""
        free: IntArray = np.maximum(self.book + self.reserve - self.promised, 0)
        return free

    def promise(self, orders: OrderLines, rows: IntArray, wanted: IntArray) -> BoolArray:
        """Promise each of these orders, in turn, all units its lines still want, or none; says which got
        them.

        `wanted` (lines,) int64.
        """
        granted = np.zeros(rows.size, np.bool_)
        kernel.allocate(
            self.book,
            self.reserve,
            self.promised,
            rows.astype(np.int64),
            orders.first_line,
            orders.item,
            wanted,
            granted,
        )
        return granted

    def refill(self, item: IntArray, units: IntArray) -> None:
        """Units go from reserve to face. `item` are distinct. Raises `ValueError` beyond the reserve."""
        if (units < 0).any() or (units > self.reserve[item]).any():
            raise ValueError("a refill must not be negative nor exceed the reserve")
        self.reserve[item] -= units
        self.face[item] += units
        self.book[item] += units

    def pick(self, item: int, units: int) -> int:
        """Take promised units from the face; returns how many were there. What is missing is off the books."""
        taken = min(units, int(self.face[item]))
        self.face[item] -= taken
        self.picked[item] += taken
        self.promised[item] -= units
        self.book[item] -= taken
        if taken < units:
            self.book[item] = self.face[item]
        return taken

    def miscount(self, item: int, units: int) -> int:
        """Units vanish from the face and nobody notices; returns how many there were to vanish."""
        gone = min(units, int(self.face[item]))
        self.face[item] -= gone
        self.lost[item] += gone
        return gone

    def arrive(self, item: IntArray, units: IntArray) -> None:
        """Units come in at the dock."""
        np.add.at(self.dock, item, units)
        np.add.at(self.received, item, units)
        np.subtract.at(self.on_order, item, units)

    def put_away(self, item: IntArray, units: IntArray) -> None:
        """Units go from the dock to reserve."""
        np.subtract.at(self.dock, item, units)
        np.add.at(self.reserve, item, units)

    @property
    def accuracy(self) -> float:
        """Share of items whose books are right."""
        return float(np.mean(self.book == self.face))

    def audit(self) -> None:
        """Raise `AssertionError` when a count is negative or units came from or went nowhere."""
        for name in ("face", "book", "reserve", "promised", "dock", "on_order", "picked", "lost"):
            values = getattr(self, name)
            if values.size and values.min() < 0:
                item = int(values.argmin())
                raise AssertionError(f"item {item}: {name} is {values[item]}")
        there = self.face + self.reserve + self.dock + self.picked + self.lost
        wrong = np.flatnonzero(there != self.initial + self.received)
        if wrong.size:
            item = int(wrong[0])
            raise AssertionError(
                f"item {item}: {self.initial[item]} + {self.received[item]} came, {there[item]} are accounted for"
            )
