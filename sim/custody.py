"""Where every ordered unit is. Each parcel is in one place at a time; the books balance at every event."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from logistics.tables import IntArray, RowArray
from solvers.errors import LogisticsError

ORDER_BOOK, CUSTOMER, CANCELLED, OUT_OF_STOCK, RETURNED = range(5)
NOT_ORDERED = -1
_FIXED = ("order book", "customer", "cancelled", "out of stock", "returned")


class ConservationError(LogisticsError):
    """A unit was lost, doubled or moved from where it was not: a defect of the simulator."""

    code = "conservation"


class Custody:
    """Places, the parcels and units in each, and the chain of movements.

    `units` is what each parcel holds (cancellations shrink it), `place` where it is. Counters per place are
    kept at every movement, which must start where the parcels are; `audit` recounts everything.
    """

    def __init__(self, units: IntArray, audit_every_move: bool = False) -> None:
        self.units = units.copy()
        self.place = np.full(len(units), NOT_ORDERED, dtype=np.int32)
        self.names: list[str] = list(_FIXED)
        self._numbers = {name: k for k, name in enumerate(_FIXED)}
        self.parcels_at = [0] * len(_FIXED)
        self.units_at = [0] * len(_FIXED)
        self.ordered_units = 0
        self._every_move = audit_every_move
        self._moves: list[tuple[float, RowArray, IntArray, int, int]] = []

    def number(self, name: str) -> int:
        """The place called `name`, made if new."""
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
            self.parcels_at.append(0)
            self.units_at.append(0)
        return self._numbers[name]

    def move(self, rows: RowArray, origin: int, destination: int, at_s: float) -> None:
        """Move whole parcels; `origin` NOT_ORDERED brings them into the world."""
        count = len(rows)
        if not count:
            return
        if count == 1:  # most moves are of one parcel at one door: scalars are quicker there
            astray = self.place.item(rows.item(0)) != origin
        else:
            astray = not (self.place[rows] == origin).all()
        if astray:
            wrong = rows[self.place[rows] != origin][0]
            raise ConservationError(
                f"parcel {wrong} is at {self._name(int(self.place[wrong]))}, not at {self._name(origin)}"
            )
        units = self.units[rows]
        total = units.item(0) if count == 1 else int(units.sum())
        self.place[rows] = destination
        if origin == NOT_ORDERED:
            self.ordered_units += total
        else:
            self.parcels_at[origin] -= count
            self.units_at[origin] -= total
        self.parcels_at[destination] += count
        self.units_at[destination] += total
        self._moves.append((at_s, rows, units, origin, destination))
        self._check(origin)

    def cancel_units(self, row: int, units: int, at_s: float) -> None:
        """Take units out of a parcel that keeps others; they go to "cancelled"."""
        place = int(self.place[row])
        if not 0 < units < self.units[row]:
            raise ConservationError(f"can't cancel {units} of the {self.units[row]} units of parcel {row}")
        self.units[row] -= units
        self.units_at[place] -= units
        self.units_at[CANCELLED] += units
        self._moves.append(
            (at_s, np.array([row], dtype=np.int32), np.array([units], dtype=np.int64), place, CANCELLED)
        )
        self._check(place)

    def _check(self, origin: int) -> None:
        if origin >= 0 and (self.parcels_at[origin] < 0 or self.units_at[origin] < 0):
            raise ConservationError(f"{self.names[origin]} gave away more than it held")
        if self._every_move:
            self.audit()

    def audit(self) -> None:
        """Recount every place from the parcels themselves; raises `ConservationError` on any difference."""
        if sum(self.units_at) != self.ordered_units:
            raise ConservationError(
                f"{self.ordered_units} units were ordered, {sum(self.units_at)} are somewhere"
            )
        here = self.place >= 0
        parcels = np.bincount(self.place[here], minlength=len(self.names))
        units = np.bincount(self.place[here], weights=self.units[here], minlength=len(self.names))
        units[CANCELLED] += self.withdrawn_units
        for k, name in enumerate(self.names):
            if parcels[k] != self.parcels_at[k] or units[k] != self.units_at[k] or self.units_at[k] < 0:
                raise ConservationError(
                    f"{name}: counted {parcels[k]} parcels and {units[k]:.0f} units, "
                    f"booked {self.parcels_at[k]} and {self.units_at[k]}"
                )

    @property
    def withdrawn_units(self) -> int:
        """Units cancelled out of parcels that live on."""
        return self.units_at[CANCELLED] - int(self.units[self.place == CANCELLED].sum())

    def _name(self, place: int) -> str:
        return "nowhere (not ordered yet)" if place < 0 else self.names[place]

    def columns(self) -> dict[str, Any]:
        """The movements as arrays: time_s, parcel, units, origin, destination (place numbers, -1 for new)."""
        counts = np.array([len(m[1]) for m in self._moves], dtype=np.int64)

        def spread(values: list[Any], dtype: Any) -> NDArray[Any]:
            return np.repeat(np.array(values, dtype=dtype), counts)

        return {
            "time_s": spread([m[0] for m in self._moves], np.float64),
            "parcel": _joined([m[1] for m in self._moves], np.int32),
            "units": _joined([m[2] for m in self._moves], np.int64),
            "origin": spread([m[3] for m in self._moves], np.int32),
            "destination": spread([m[4] for m in self._moves], np.int32),
        }


def _joined(parts: list[Any], dtype: Any) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)
