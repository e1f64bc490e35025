"""The pick stage of a site in the twin, done by the storage that its scenario declares.

The dispatcher's waves are the floor's waves: parcels that come to be picked are orders of the floor, and its finish
times are theirs. Stock is the twin's business (`logistics.stock`); here the shelves hold what the run asks for and
are refilled from a reserve behind them. Slotting learns from orders of the days before the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from logistics.clock import LocalClock
from logistics.past_orders import COLUMNS
from logistics.scenario import Scenario, Shift, SiteSection
from logistics.storage import PackingSection, StorageSection
from logistics.tables import Demand
from sim.floor import Closure, Incident, shift_profile
from sim.random_streams import Streams
from sim.stations import CapacityProfile, Started
from sim.warehouse.automated import AutomatedFloor, rack_places
from sim.warehouse.goods_to_person import RobotWarehouse
from sim.warehouse.orders import DAY_S, NONE, FloatArray, OrderLines, RowArray, orders_of
from sim.warehouse.picker_to_parts import PickerFloor, Profile, block_of
from sim.warehouse.result import FAULT_KINDS, WarehouseResult
from sim.warehouse.result import Fault as WarehouseFault
from sim.warehouse.slotting import fill_pods, slot
from sim.warehouse.stock import Stock
from sim.world import World
from solvers.errors import Fault, InvalidInputError

OF_ITEMS = ("short pick", "stock wrong")
"""Notes whose number is that of an item."""

Floor: TypeAlias = PickerFloor | RobotWarehouse | AutomatedFloor


class SitePicking:
    """Parcels in, picked parcels out, for `sim.floor.SiteFloor`.

    `rows` are the parcels that may ever come; `learned` the past order lines from which slotting learned.
    """

    def __init__(self, floor: Floor, rows: RowArray, learned: int) -> None:
        self.floor = floor
        self.learned = learned
        self._rows = rows
        self._order = np.full(int(rows.max(initial=0)) + 1, NONE, np.int64)
        self._order[rows] = np.arange(rows.size)
        self._coming: list[tuple[float, RowArray]] = []
        self._came_s = np.full(rows.size, np.nan)
        self._told = np.zeros(rows.size, np.bool_)

    def result(self) -> WarehouseResult:
        """What happened so far; orders leave when they are picked, the site's stages pack them."""
        return self.floor.result(packs=False)

    def enter(self, rows: RowArray, arrive_s: FloatArray) -> None:
        """Parcels come to be picked, now or later."""
        self.resume(rows, arrive_s, -np.inf)

    def resume(self, rows: RowArray, arrive_s: FloatArray, from_s: float) -> None:
        """They came when they came, and are told to the floor at `from_s` at the earliest."""
        self._came_s[self._order[rows]] = arrive_s
        told_s = np.maximum(arrive_s, from_s)
        for at_s in np.unique(told_s).tolist():
            self._coming.append((at_s, rows[told_s == at_s]))
        self._coming.sort(key=lambda entry: entry[0])

    def incidents(self) -> list[Incident]:
        """The floor's trace."""
        found = []
        for note in self.result().trace:
            of_item = note.what in OF_ITEMS
            item = self.floor.orders.names[note.who] if of_item else None
            parcel = int(self._rows[note.order]) if note.order != NONE else None
            number = None if of_item else note.who
            found.append(Incident(note.at_s, note.what, number, parcel, item, note.detail))
        return found

    def open(self) -> tuple[RowArray, FloatArray]:
        """Parcels that came, or are to come, and are not picked."""
        orders = np.flatnonzero(~np.isnan(self._came_s) & ~self._told)
        return self._rows[orders], self._came_s[orders]

    def advance(self, until_s: float) -> Started:
        """Work up to `until_s` inclusive; the parcels picked since the last call, in order of their finish."""
        floor = self.floor
        while self._coming and self._coming[0][0] <= until_s:
            at_s, rows = self._coming.pop(0)
            orders = self._order[rows]
            floor.advance(at_s)
            floor.orders.release_s[orders] = at_s
            floor.submit(orders)
            floor.release(at_s)
        floor.advance(until_s)
        done = np.flatnonzero(~np.isnan(floor.ready_s) & ~self._told)
        self._told[done] = True
        finish_s = floor.ready_s[done]
        turn = np.lexsort((done, finish_s))
        done, finish_s = done[turn], finish_s[turn]
        begun = floor.begun_s(done) if done.size else np.empty(0)
        return Started(self._rows[done], self._came_s[done], begun, finish_s, np.zeros(done.size, np.int32))


def site_picking(
    site: SiteSection,
    number: int,
    clock: LocalClock,
    days: int,
    closures: Sequence[Closure],
    demand: Demand,
    streams: Streams,
    past: pd.DataFrame | None = None,
    faults: Sequence[DeclaredFault] = (),
) -> SitePicking | None:
    """The floor of a site that declares storage and has orders, else None; `number` is the site's row.

    Slotting learns from `past`, as `logistics.past_orders` gives it; without, from nothing. Raises
    `InvalidInputError` when it has fewer places than items.
    """
    parcels = demand.parcels
    lines_in = np.diff(parcels.first_line)
    mine = np.flatnonzero((demand.orders.origin[parcels.order] == number) & (lines_in > 0)).astype(np.int32)
    if site.storage is None or not mine.size:
        return None
    orders = _orders(demand, mine)

    def profile(shifts: Sequence[Shift], closed: Sequence[Closure]) -> CapacityProfile:
        return shift_profile(shifts, clock, days, [*closures, *closed])

    own = Streams(streams.spawn_seed(site.id, "storage"))
    wrong = _faults(faults, orders)
    try:
        history = _history(past, site.id, site.storage.slotting.learn_days, orders.names)
        floor = _floor(site.storage, orders, history, profile, own, wrong)
        return SitePicking(floor, mine, history.lines)
    except ValueError as error:
        repair = f"give [sites.storage.{site.storage.kind}] more room, or people"
        fault = Fault(
            "", f'sites "{site.id}".storage', site.storage.kind, "too-few-places", str(error), repair
        )
        raise InvalidInputError([fault]) from None


def _orders(demand: Demand, rows: RowArray) -> OrderLines:
    """The parcels as orders of the items that they hold; released when their wave comes."""
    parcels, lines = demand.parcels, demand.lines
    size = np.diff(parcels.first_line)[rows]
    first = np.concatenate(([0], np.cumsum(size))).astype(np.int64)
    chosen = np.repeat(parcels.first_line[rows] - first[:-1], size) + np.arange(first[-1])
    used, item = np.unique(lines.item[chosen], return_inverse=True)
    names = [str(code) for code in demand.items.code[used]]
    units = np.maximum(lines.quantity[chosen], 1).astype(np.int64)
    return OrderLines(np.full(rows.size, np.nan), first, item.astype(np.int32), units, names)


def storage_figures(world: World) -> dict[str, dict[str, Any]]:
    """Site -> key figures of its storage and where on its floor how much was handled, plain values for the
    manifest."""
    found: dict[str, dict[str, Any]] = {}
    for row, floor in sorted(world.floors.items()):
        if not isinstance(floor.picking, SitePicking):
            continue
        result = floor.picking.result()
        figures = result.kpis()
        del figures["late_pct"]  # whether a parcel is late is for its promise to say
        figures["slotting_lines"] = float(floor.picking.learned)
        found[world.scenario.sites[row].id] = {
            "kpis": {name: value for name, value in figures.items() if np.isfinite(value)},
            "handled": result.handled.tolist(),
            "handled_what": result.handled_what,
        }
    return found


def unlearned(scenario: Scenario, figures: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(site, policy) of storages whose slotting should learn and had nothing to; `figures` of `storage_figures`."""
    return [
        (site.id, site.storage.slotting.policy)
        for site in scenario.sites
        if site.storage is not None
        and site.storage.slotting.policy != "random"
        and site.id in figures
        and not figures[site.id]["kpis"]["slotting_lines"]
    ]


@dataclass(frozen=True, slots=True)
class DeclaredFault:
    """As `Fault`, but an item by its code; None: the item most asked for."""

    kind: str
    number: int
    from_s: float
    to_s: float
    item: str | None
    units: int


def storage_faults(scenario: Scenario, site: str) -> list[DeclaredFault]:
    """The disruptions that a scenario declares inside a site's storage."""
    return [
        DeclaredFault(
            each.kind,
            each.number,
            float(scenario.seconds(each.starts)),
            float(scenario.seconds(each.ends)),
            each.item,
            each.units,
        )
        for each in scenario.disruptions
        if each.kind in FAULT_KINDS and each.target == site
    ]


def _faults(declared: Sequence[DeclaredFault], orders: OrderLines) -> list[WarehouseFault]:
    """With items by their rows; stock of an item that the run does not ask for is nobody's loss."""
    found = []
    for each in declared:
        target = each.number
        if each.kind == "stock_wrong":
            if each.item is not None and each.item not in orders.names:
                continue
            busiest = int(np.argmax(orders.units_of_items()))
            target = busiest if each.item is None else list(orders.names).index(each.item)
        found.append(WarehouseFault(each.kind, target, each.from_s, each.to_s, each.units))
    return found


def _history(past: pd.DataFrame | None, site: str, days: int, names: Sequence[str]) -> OrderLines:
    """Past orders of the items that the run asks of a site; items that nobody asked for before come last."""
    past = pd.DataFrame(columns=list(COLUMNS)) if past is None else past
    rows = past[(past["site"] == site) & (past["days_before"] <= days)]
    item = pd.Index(names).get_indexer(pd.Index(rows["item"]))
    rows, item = rows[item >= 0], item[item >= 0]
    order, _ = pd.factorize(rows["order"])
    release_s = -DAY_S * rows["days_before"].to_numpy(np.float64)
    return orders_of(order, item, np.ones(len(rows), np.int64), release_s, names)


def _floor(
    storage: StorageSection,
    orders: OrderLines,
    history: OrderLines,
    profile: Profile,
    streams: Streams,
    faults: Sequence[WarehouseFault],
) -> Floor:
    policy = storage.slotting.policy
    packing = PackingSection()  # of no effect: a parcel leaves when it is picked, the site's stages pack it
    draw = streams.generator("warehouse", "slotting")
    wanted = orders.units_of_items()
    spare = np.zeros_like(wanted)  # what vanishes is replaced from the reserve, so that every order is served
    for fault in faults:
        if fault.kind == "stock_wrong":
            spare[fault.target] += fault.units
    if storage.kind == "picker_to_parts":
        walk = storage.picker_to_parts
        location = slot(block_of(walk), policy, history, draw)
        covered = Stock.covering(wanted, 1.0, walk.face_units)
        stock = Stock(covered.face, covered.reserve + spare)
        return PickerFloor(walk, packing, orders, location, stock, streams, faults=faults, profile=profile)
    if storage.kind == "goods_to_person":
        robots = storage.goods_to_person
        bins = fill_pods(robots.pods, robots.bins_per_pod, policy, history, draw)
        reserve = wanted + spare
        return RobotWarehouse(robots, packing, orders, bins, reserve, streams, faults=faults, profile=profile)
    rack = storage.automated
    place = rack_places(rack, policy, history, draw)
    return AutomatedFloor(rack, packing, orders, place, Stock(wanted, 0 * wanted), streams, profile)
