"""Orders, parcels and places as columns: what demand builds once and everything else refers to by row number.

All arrays are one-dimensional numpy arrays with one entry per row; times are integer seconds from the
scenario's start. Row numbers into other tables are int32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
RowArray = NDArray[np.int32]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

HOME, LOCKER, MERCHANT = 0, 1, 2  # kinds of places
NOBODY = -1  # row number that points nowhere


@dataclass(frozen=True, slots=True)
class Places:
    """Where parcels are handed over: addresses, lockers, merchants."""

    lon: FloatArray
    lat: FloatArray
    kind: RowArray  # HOME, LOCKER or MERCHANT
    area: RowArray  # row of the scenario's areas
    site: RowArray  # row of the scenario's sites for lockers and merchants, else NOBODY

    def __len__(self) -> int:
        return len(self.lon)


@dataclass(frozen=True, slots=True)
class Orders:
    """One row per order, in the order of `placed_s` (ties by reference)."""

    reference: NDArray[np.object_]  # the order's number in its source, or a generated one
    placed_s: IntArray
    place: RowArray  # row of `Places`: destination
    service: RowArray  # row of the scenario's services
    promise_s: IntArray  # the first promise: latest delivery
    origin: RowArray  # row of sites: a warehouse (stock is taken) or a merchant (collected there)

    def __len__(self) -> int:
        return len(self.placed_s)


@dataclass(frozen=True, slots=True)
class Parcels:
    """One row per parcel, in the order of their orders. Parcels without lines take no stock."""

    order: RowArray
    weight_g: IntArray
    volume_ml: IntArray
    units: IntArray  # items inside; 1 for an origin–destination parcel
    first_line: IntArray  # (parcels + 1,) lines of parcel p are first_line[p] : first_line[p + 1]
    size_class: RowArray  # row of demand.sizes for origin–destination parcels, else NOBODY

    def __len__(self) -> int:
        return len(self.order)


@dataclass(frozen=True, slots=True)
class Lines:
    """What is inside parcels: one row per item and parcel."""

    parcel: RowArray
    item: RowArray  # row of `Items`
    quantity: IntArray

    def __len__(self) -> int:
        return len(self.item)


@dataclass(frozen=True, slots=True)
class Items:
    """The item catalogue."""

    code: NDArray[np.object_]
    category: NDArray[np.object_]  # path such as "home/kitchen"
    weight_g: IntArray
    volume_ml: IntArray
    price_minor: IntArray
    handling: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.code)


@dataclass(frozen=True, slots=True)
class Cancellations:
    """Customers who change their minds, in the order of `at_s`: `quantity` units of a line are withdrawn."""

    at_s: IntArray
    line: IntArray  # row of `Lines`
    quantity: IntArray

    def __len__(self) -> int:
        return len(self.at_s)


@dataclass(frozen=True, slots=True)
class CleaningReport:
    """What an order file's import kept and dropped: read = kept + sum of dropped, in lines."""

    lines_read: int
    lines_kept: int
    dropped: dict[str, int]  # reason -> lines

    @property
    def adds_up(self) -> bool:
        return self.lines_read == self.lines_kept + sum(self.dropped.values())


@dataclass(frozen=True, slots=True)
class Demand:
    """Everything that is ordered in a run."""

    places: Places
    orders: Orders
    parcels: Parcels
    lines: Lines
    items: Items
    cancellations: Cancellations
    cleaning: CleaningReport | None = None
