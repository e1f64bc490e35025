"""Why parcels wait when a run ends: for each that is on no vehicle and not at its end, what it waits for.

Where a plan left the parcel out since it came to where it waits, that plan's reason stands (solvers.explain has
those of routing problems, logistics.dispatch.messages those of waves). The others wait for what is named here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from logistics.dispatch.book import Status
from logistics.tables import BoolArray, RowArray
from sim.custody import NOT_ORDERED
from sim.twin import Twin
from sim.world import FINAL

STOCK_PENDING = "stock-pending"
NO_WAREHOUSE_WAVE = "no-warehouse-wave"
NO_COLLECTION_WAVE = "no-collection-wave"
NO_DELIVERY_WAVE = "no-delivery-wave"
BEING_PLANNED = "being-planned"
ON_THE_FLOOR = "on-the-floor"
NO_DEPARTURE = "no-departure"

# Where a plan's reason stands, if one left the parcel out since it came to where it waits.
PLANS = (NO_COLLECTION_WAVE, NO_DELIVERY_WAVE, BEING_PLANNED)

_OF_STATUS = {
    Status.ASKED: (STOCK_PENDING, "its stock is not there yet"),
    Status.RESERVED: (NO_WAREHOUSE_WAVE, "reserved; no wave has released it to the floor"),
    Status.TO_COLLECT: (NO_COLLECTION_WAVE, "no collection wave has come since it was ordered"),
    Status.READY: (NO_DELIVERY_WAVE, "no delivery wave has come since it was ready"),
    Status.PLANNED: (BEING_PLANNED, "in a routing problem without an answer yet"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """Parcels (k,) int32 that wait at one site for one reason."""

    site: int
    parcels: RowArray
    reason: str
    detail: str


def waiting_parcels(twin: Twin) -> Iterator[Waiting]:
    """Every ordered parcel that is neither at its end, nor on a vehicle, nor in a locker: exactly once."""
    custody, book, world = twin.custody, twin.state.book, twin.world
    known = np.zeros(len(custody.place), dtype=bool)
    known[: len(book)] = custody.place[: len(book)] != NOT_ORDERED
    known &= ~np.isin(custody.place, FINAL)
    status = np.zeros(len(known), dtype=np.int8)
    status[: len(book)] = book.status[: len(book)]
    for state, (reason, detail) in _OF_STATUS.items():
        chosen = known & (status == state)
        # In the order book a parcel is at no site yet; it is counted at the one that it will leave from.
        site = np.where(state == Status.READY, world.station, world.origin)
        if state == Status.PLANNED:
            site = np.where(np.isnan(world.parcels.stamps["ready_s"]), world.origin, world.station)
        yield from _by_site(site, chosen, reason, detail)
    yield from _moving(twin, known & (status == Status.MOVING))


def _moving(twin: Twin, moving: BoolArray) -> Iterator[Waiting]:
    """Parcels on the floors: in work, or sorted and without a truck."""
    sites = twin.scenario.sites
    for site, floor in sorted(twin.world.floors.items()):
        here = moving & (twin.custody.place == twin.world.site_custody[site])
        for next_site in floor.outbound_sites:
            rows, _ = floor.waiting_for(next_site)
            rows = rows[here[rows]]
            here[rows] = False
            if len(rows):
                lane = f"{sites[site].id} to {sites[next_site].id}"
                yield Waiting(site, np.sort(rows), NO_DEPARTURE, f"sorted; no truck has taken it from {lane}")
        yield from _by_site(
            np.full(len(here), site), here, ON_THE_FLOOR, "in work, or in line for it, on the floor"
        )


def _by_site(site: RowArray, chosen: BoolArray, reason: str, detail: str) -> Iterator[Waiting]:
    rows = np.flatnonzero(chosen).astype(np.int32)
    for each in np.unique(site[rows]):
        yield Waiting(int(each), rows[site[rows] == each], reason, detail)
