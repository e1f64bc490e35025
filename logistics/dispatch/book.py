"""The dispatcher's own record of parcels and vehicles: columns that grow as orders come in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import IntEnum

import numpy as np

from logistics.dispatch.messages import OrdersPlaced
from logistics.tables import RowArray

_COLUMNS = {
    "service": np.int32,
    "place": np.int32,
    "lon": np.float64,
    "lat": np.float64,
    "station": np.int32,
    "origin": np.int32,
    "needs_stock": np.bool_,
    "weight_g": np.int64,
    "volume_ml": np.int64,
    "promise_s": np.int64,
}


class Status(IntEnum):
    """Where a parcel stands in the dispatcher's eyes."""

    ASKED = 0  # stock asked for
    RESERVED = 1  # waits for a warehouse wave
    TO_COLLECT = 2  # waits at its merchant for a van
    MOVING = 3  # on the floor or between sites
    READY = 4  # at the delivering station
    PLANNED = 5  # in a routing problem being solved
    OUT = 6  # on a van or drone
    DONE = 7  # delivered, cancelled, refused or given up


class ParcelBook:
    """Parcels by number. Arrays are valid up to `len(book)`; pools hold the open parcels of each site."""

    def __init__(self) -> None:
        self._size = 0
        for name, dtype in _COLUMNS.items():
            setattr(self, name, np.zeros(1024, dtype=dtype))
        self.road_place = np.zeros(1024, dtype=np.int32)
        self.status = np.zeros(1024, dtype=np.int8)
        self.attempts = np.zeros(1024, dtype=np.int16)
        self.postponed = np.zeros(1024, dtype=np.int16)
        self._pools: dict[tuple[Status, int], list[RowArray]] = defaultdict(list)

    service: np.ndarray
    place: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    station: np.ndarray
    origin: np.ndarray
    needs_stock: np.ndarray
    weight_g: np.ndarray
    volume_ml: np.ndarray
    promise_s: np.ndarray

    def __len__(self) -> int:
        return self._size

    def add(self, orders: OrdersPlaced, road_place: RowArray) -> RowArray:
        """Append new parcels; returns their numbers."""
        first, count = self._size, len(orders.service)
        self._size += count
        capacity = len(self.status)
        if self._size > capacity:
            capacity = max(self._size, 2 * capacity)
            for name in [*_COLUMNS, "road_place", "status", "attempts", "postponed"]:
                old = getattr(self, name)
                grown = np.zeros(capacity, dtype=old.dtype)
                grown[:first] = old[:first]
                setattr(self, name, grown)
        for name in _COLUMNS:
            getattr(self, name)[first : self._size] = getattr(orders, name)
        self.road_place[first : self._size] = road_place
        return np.arange(first, self._size, dtype=np.int32)

    def put(self, status: Status, rows: RowArray, sites: np.ndarray) -> None:
        """Set a status and file the parcels in the pools of their sites."""
        self.status[rows] = status
        for site in np.unique(sites):
            self._pools[status, int(site)].append(rows[sites == site])

    def pool(self, status: Status, site: int) -> RowArray:
        """Parcels of a site that still have the status, in the order in which they last came."""
        parts = self._pools.get((status, site))
        if not parts:
            return np.empty(0, dtype=np.int32)
        rows = np.concatenate(parts) if len(parts) > 1 else parts[0]
        rows = rows[self.status[rows] == status]
        # A parcel that went into a plan and came back may be filed twice. Its last place in line holds: the first
        # may be forgotten by now, or not, depending on who has looked at the pool since.
        _, last = np.unique(rows[::-1], return_index=True)
        rows = np.asarray(rows[np.sort(len(rows) - 1 - last)], dtype=np.int32)
        self._pools[status, site] = [rows] if len(rows) else []
        return rows

    def pool_sites(self, status: Status) -> Iterable[int]:
        """Sites that may have parcels in this status, ascending."""
        return sorted(site for (s, site), parts in self._pools.items() if s is status and parts)
