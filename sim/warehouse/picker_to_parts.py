"""Picker-to-parts: waves of orders, carts through aisles, put wall, packing; all lines are array rows.

A wave takes the orders released since the last one whose units are in the building. Orders are cut into
pieces by zone (and where they exceed a cart), pieces are batched into carts, carts routed; pickers of the
zone take carts first come first served. Lines reach the put wall when their cart is back; without a wall
carts sort while picking. Complete orders are packed. A line found short is picked again in a later wave.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from logistics.sections import Shift
from logistics.storage import PackingSection, PickerToPartsSection
from sim.draws import RowDraws
from sim.random_streams import Streams
from sim.stations import CapacityProfile, Started, Station
from sim.warehouse.batching import batch_orders
from sim.warehouse.inbound import Inbound
from sim.warehouse.layout import AisleBlock
from sim.warehouse.orders import NONE, FloatArray, IntArray, OrderLines, RowArray, lines_of
from sim.warehouse.put_wall import PutWall
from sim.warehouse.result import Fault, Note, SpaceUsed, Stays, WarehouseResult, span_of
from sim.warehouse.routing import route
from sim.warehouse.stock import Stock

Profile = Callable[[Sequence[Shift], Sequence[tuple[float, float]]], CapacityProfile]
HORIZON_DAYS = 60


def daily_profile(shifts: Sequence[Shift], closures: Sequence[tuple[float, float]] = ()) -> CapacityProfile:
    """Servers over time of shifts that repeat every day, none while closed."""
    spans = [(shift.window.opens % 86_400, shift.window.closes, shift.workers) for shift in shifts]
    spans = [(begin, end % 86_400 or 86_400, workers) for begin, end, workers in spans]
    return CapacityProfile.of_shifts(spans, HORIZON_DAYS, [(begin, end, None) for begin, end in closures])


def block_of(section: PickerToPartsSection) -> AisleBlock:
    """The aisles of a picker-to-parts warehouse."""
    return AisleBlock(
        section.aisles,
        section.bays,
        section.levels,
        section.aisle_pitch_m,
        section.bay_m,
        section.cross_aisle_m,
        depot_aisle=section.aisles // 2,
    )


@dataclass(slots=True)
class _Tours:
    """Carts sent out so far, one entry each; lines as slices of a list of pieces."""

    zone: list[int]
    arrive_s: list[float]
    start_s: list[float]
    finish_s: list[float]
    length_m: list[float]
    lines: list[IntArray]


class PickerFloor:
    """One picker-to-parts warehouse. Build, `submit` orders, `advance`, read the result.

    `location` (items,) is the slotting. Times do not depend on the steps in which it advances, as long as
    orders are submitted before the wave that follows their release. Service times belong to lines and orders
    of `orders` by row, so that two layouts or policies meet the same luck. Raises `ValueError` when a zone
    has no picker.
    """

    def __init__(
        self,
        section: PickerToPartsSection,
        packing: PackingSection,
        orders: OrderLines,
        location: IntArray,
        stock: Stock,
        streams: Streams,
        inbound: Inbound | None = None,
        faults: Sequence[Fault] = (),
        profile: Profile = daily_profile,
    ) -> None:
        self.section, self.orders, self.stock, self.inbound = section, orders, stock, inbound
        self.block = block_of(section)
        self.location = np.asarray(location, np.int64)
        self.trace: list[Note] = []
        self.clock_s = -math.inf
        self._next_wave_s = 0.0
        lines = np.arange(orders.lines)
        draw = RowDraws(streams, "warehouse", "line effort").multiplier(lines, section.cv)
        self._effort_s = draw * (section.line_s + section.unit_s * (orders.units - 1))
        put = RowDraws(streams, "warehouse", "put effort").multiplier(lines, section.cv) * section.put_s
        units = np.add.reduceat(orders.units, orders.first_line[:-1])
        pack = RowDraws(streams, "warehouse", "pack effort").multiplier(np.arange(len(orders)), packing.cv)
        self._pack_s = pack * (packing.order_s + packing.unit_s * units)
        self._order_of = orders.order_of_line.astype(np.int64)
        self._left = orders.units.copy()  # units each line still wants
        self._lines_left = orders.lines_of_order.copy()
        self._backlog = np.empty(0, np.int64)  # orders without stock, and those with lines found short
        self._short: dict[int, None] = {}  # orders whose remaining lines have no promise
        self._announced = np.empty(0, np.int64)
        self._tours = _Tours([], [], [], [], [], [])
        self._running: list[tuple[float, int]] = []
        self._face_ready_s = np.zeros(self.location.size)
        self._refillers = np.zeros(section.refillers)
        self._refills: list[tuple[float, float, float]] = []
        self._vanish = sorted((f for f in faults if f.kind == "stock_wrong"), key=lambda f: f.from_s)
        self.zones = [
            Station(f"zone {zone}", profile(_share(section.pickers, section.zones, zone), closed))
            for zone in range(section.zones)
            for closed in (
                [(f.from_s, f.to_s) for f in faults if f.kind == "station_closed" and f.target == zone],
            )
        ]
        for fault in faults:
            if fault.kind == "station_closed" and fault.target < section.zones:
                self.trace.append(
                    Note(fault.from_s, "zone closed", fault.target, f"until {fault.to_s:.0f} s")
                )
        for station in self.zones:
            if not station.capacity.levels.any():
                raise ValueError(
                    f"{station.name} has no picker; give a shift at least {section.zones} workers"
                )
        self.wall = (
            PutWall(section.cubbies, profile(section.putters, ()), self._order_of, len(orders), put)
            if section.cubbies
            else None
        )
        self.pack = Station("pack", profile(packing.shifts, ()))
        self._pack_stays: list[Started] = []
        self._completed: list[tuple[float, int]] = []
        self.picked_s = np.full(orders.lines, np.nan)
        self.ready_s, self.packed_s = (np.full(len(orders), np.nan) for _ in range(2))
        self._begun_s = np.full(len(orders), np.inf)
        self._walled = np.zeros(len(orders), np.bool_)
        self._space = SpaceUsed(self.block.locations, int(np.count_nonzero(stock.face)))

    # --- running --------------------------------------------------------------------------------------

    def submit(self, rows: IntArray) -> None:
        """Announce orders; they join the first wave at or after their release."""
        rows = np.asarray(rows, np.int64)
        self._announced = np.concatenate((self._announced, rows))
        lines = lines_of(self.orders.first_line, rows)
        np.add.at(self.stock.asked, self.orders.item[lines], self.orders.units[lines])

    def release(self, now_s: float) -> None:
        """A wave of its own for what is announced and released by now, beside those by the clock."""
        self.advance(now_s)
        self._wave(now_s)

    def begun_s(self, rows: IntArray) -> FloatArray:
        """When the first cart with a line of each of these orders set out."""
        return self._begun_s[rows]

    def advance(self, until_s: float) -> None:
        """Work up to `until_s` inclusive."""
        while self._next_wave_s <= until_s:
            self._work(self._next_wave_s)
            self._wave(self._next_wave_s)
            self._next_wave_s += self.section.wave_s
        self._work(until_s)
        self.clock_s = until_s

    @property
    def idle(self) -> bool:
        """Nothing is announced, waiting, on a cart, at the wall or being packed."""
        return bool((~np.isnan(self.packed_s)).sum() == len(self.orders))

    def run(self, until_s: float) -> WarehouseResult:
        """All orders, to the last one packed or to `until_s`."""
        self.submit(np.arange(len(self.orders)))
        step = self.section.wave_s
        now = math.floor(float(self.orders.release_s[0]) / step) * step
        self._next_wave_s = now
        while not self.idle and now < until_s:
            self.advance(now)
            now += step
        self.stock.audit()
        return self.result()

    # --- waves ----------------------------------------------------------------------------------------

    def _wave(self, now_s: float) -> None:
        orders = self.orders
        due = orders.release_s[self._announced] <= now_s
        new, self._announced = self._announced[due], self._announced[~due]
        waiting = np.unique(np.concatenate((self._backlog, np.array(list(self._short), np.int64), new)))
        if not waiting.size:
            return
        granted = self.stock.promise(orders, waiting, self._left)
        self._backlog, self._short = waiting[~granted], {}
        rows = waiting[granted]
        if not rows.size:
            return
        lines = lines_of(orders.first_line, rows)
        lines = lines[self._left[lines] > 0]
        ready = self._refill(now_s, lines)
        zone = self.block.aisle[self.location[orders.item[lines]]] * self.section.zones // self.block.aisles
        for number in np.unique(zone):
            chosen = zone == number
            self._send(int(number), now_s, lines[chosen], ready[chosen])

    def _refill(self, now_s: float, lines: IntArray) -> FloatArray:
        """Bring what the face lacks for these lines; (lines,) from when each can be picked."""
        stock, item = self.stock, self.orders.item[lines]
        needed = np.zeros(self.location.size, np.int64)
        np.add.at(needed, item, self._left[lines])
        # What was promised before this wave is still to be taken from the face, where it was brought.
        earlier = stock.promised - needed
        lacking = np.flatnonzero((needed > 0) & (stock.book - earlier < needed))
        if lacking.size:
            lack = needed[lacking] - (stock.book - earlier)[lacking]
            units = np.minimum(stock.reserve[lacking], np.maximum(lack, self.section.face_units))
            stock.refill(lacking, units)
            self._space.count(now_s, int(np.count_nonzero(stock.face)))
            for number in lacking.tolist():
                at = int(self._refillers.argmin())
                start = max(now_s, float(self._refillers[at]))
                self._refillers[at] = self._face_ready_s[number] = start + self.section.refill_s
                self._refills.append((now_s, start, start + self.section.refill_s))
        return np.maximum(now_s, self._face_ready_s[item])

    def _send(self, zone: int, now_s: float, lines: IntArray, ready_s: FloatArray) -> None:
        """Cut into pieces, batch, route, and hand the carts to the zone's pickers."""
        section, orders, block = self.section, self.orders, self.block
        location = self.location[orders.item[lines]]
        order = self._order_of[lines]
        turn = np.lexsort((block.along_m[location], block.aisle[location], order))
        lines, location, order, ready_s = lines[turn], location[turn], order[turn], ready_s[turn]
        start = np.flatnonzero(np.diff(order, prepend=NONE))
        within = np.arange(order.size) - np.repeat(start, np.diff(np.append(start, order.size)))
        new_piece = (np.diff(order, prepend=NONE) != 0) | (within % section.cart_lines == 0)
        piece = np.cumsum(new_piece) - 1
        pieces = int(piece[-1]) + 1
        cart_of = batch_orders(
            block,
            location,
            piece,
            pieces,
            section.batching,
            section.cart_orders,
            section.cart_lines,
            section.routing,
        )
        cart = cart_of[piece]
        carts = int(cart_of.max()) + 1
        length = route(block, location, cart, carts, section.routing).length_m
        effort = np.bincount(cart, self._effort_s[lines], carts)
        service = section.setup_s + length / section.walk_mps + effort
        arrive = np.full(carts, now_s)
        np.maximum.at(arrive, cart, ready_s)
        turn = np.argsort(cart, kind="stable")
        bounds = np.searchsorted(cart[turn], np.arange(carts + 1))
        tours = self._tours
        first = len(tours.zone)
        for number in range(carts):
            tours.zone.append(zone)
            tours.arrive_s.append(float(arrive[number]))
            tours.start_s.append(math.nan)
            tours.finish_s.append(math.nan)
            tours.length_m.append(float(length[number]))
            tours.lines.append(lines[turn[bounds[number] : bounds[number + 1]]])
        rows = np.arange(first, first + carts, dtype=np.int32)
        self.zones[zone].submit(rows, arrive, service, np.zeros(carts, np.int32))

    # --- work -----------------------------------------------------------------------------------------

    def _work(self, until_s: float) -> None:
        stock = self.stock
        if self.inbound is not None:
            wanted = None
            if self._backlog.size:
                lines = lines_of(self.orders.first_line, self._backlog)
                wanted = np.zeros(self.location.size, np.int64)
                np.add.at(wanted, self.orders.item[lines], self._left[lines])
            self.inbound.advance(max(until_s, self.inbound.clock_s), wanted)
        for station in self.zones:
            begun = station.advance(until_s)
            for at in range(len(begun)):
                tour = int(begun.rows[at])
                self._tours.start_s[tour] = float(begun.start_s[at])
                self._tours.finish_s[tour] = float(begun.finish_s[at])
                self._running.append((float(begun.finish_s[at]), tour))
                order = self._order_of[self._tours.lines[tour]]
                self._begun_s[order] = np.minimum(self._begun_s[order], begun.start_s[at])
        done = sorted(entry for entry in self._running if entry[0] <= until_s)
        self._running = [entry for entry in self._running if entry[0] > until_s]
        for at_s, tour in done:
            while self._vanish and self._vanish[0].from_s <= at_s:
                fault = self._vanish.pop(0)
                gone = stock.miscount(fault.target, fault.units)
                self.trace.append(Note(fault.from_s, "stock wrong", fault.target, f"{gone} units vanish"))
            self._bring_back(at_s, self._tours.lines[tour])
            self._space.count(at_s, int(np.count_nonzero(stock.face)))
        self._put(until_s)
        self._pack(until_s)

    def _bring_back(self, at_s: float, lines: IntArray) -> None:
        """A cart is back: what it has is off the shelves."""
        stock, item = self.stock, self.orders.item[lines]
        wanted = self._left[lines]
        if not self._vanish_possible(item, wanted):
            np.subtract.at(stock.face, item, wanted)
            np.subtract.at(stock.book, item, wanted)
            np.subtract.at(stock.promised, item, wanted)
            np.add.at(stock.picked, item, wanted)
            self._left[lines] = 0
            full = lines
        else:
            complete = []
            for line in lines.tolist():
                number, units = int(self.orders.item[line]), int(self._left[line])
                taken = stock.pick(number, units)
                self._left[line] -= taken
                if taken == units:
                    complete.append(line)
                    continue
                missing = f"{units - taken} of {units} units missing"
                self.trace.append(Note(at_s, "short pick", number, missing, int(self._order_of[line])))
                self._short[int(self._order_of[line])] = None
            full = np.array(complete, np.int64)
        self.picked_s[full] = at_s
        if self.wall is not None:
            self.wall.submit(full, np.full(full.size, at_s))
            return
        order = self._order_of[full]
        np.subtract.at(self._lines_left, order, 1)
        for number in np.unique(order[self._lines_left[order] == 0]):
            self._complete(int(number), at_s)

    def _vanish_possible(self, item: RowArray, wanted: IntArray) -> bool:
        """Whether some line of a cart might find less than it wants."""
        needed = np.zeros(self.location.size, np.int64)
        np.add.at(needed, item, wanted)
        return bool((self.stock.face < needed)[item].any())

    def _put(self, until_s: float) -> None:
        if self.wall is None:
            return
        self.wall.advance(until_s)
        for number in np.flatnonzero(~np.isnan(self.wall.done_s) & ~self._walled).tolist():
            self._walled[number] = True
            self._complete(number, float(self.wall.done_s[number]))

    def _complete(self, order: int, at_s: float) -> None:
        self.ready_s[order] = at_s
        self._completed.append((at_s, order))

    def _pack(self, until_s: float) -> None:
        if self._completed:
            ready = np.array(self._completed)
            rows = ready[:, 1].astype(np.int32)
            self.pack.submit(rows, ready[:, 0], self._pack_s[rows], np.zeros(rows.size, np.int32))
            self._completed = []
        begun = self.pack.advance(until_s)
        self.packed_s[begun.rows] = begun.finish_s
        self._pack_stays.append(begun)

    # --- reading --------------------------------------------------------------------------------------

    def result(self, packs: bool = True) -> WarehouseResult:
        """Times and figures so far; without `packs`, orders leave when they are ready, and others pack them."""
        tours, section = self._tours, self.section
        began = ~np.isnan(np.array(tours.start_s))
        arrive, start, finish = (
            np.array(values)[began] for values in (tours.arrive_s, tours.start_s, tours.finish_s)
        )
        zone = np.array(tours.zone, np.int64)[began]
        stays: dict[str, Stays] = {
            f"zone_{number}": (arrive[zone == number], start[zone == number], finish[zone == number])
            for number in range(section.zones)
        }
        if self._refills:
            refills = np.array(self._refills).T
            stays["refill"] = (refills[0], refills[1], refills[2])
        if self.wall is not None:
            put = ~np.isnan(self.wall.finish_s)
            stays["put_wall"] = (self.wall.arrive_s[put], self.wall.start_s[put], self.wall.finish_s[put])
        if packs:
            stays["pack"] = tuple(  # type: ignore[assignment]
                np.concatenate([getattr(part, name) for part in self._pack_stays] or [np.empty(0)])
                for name in ("arrive_s", "start_s", "finish_s")
            )
        if self.inbound is not None:
            for name, spans in self.inbound.stays.items():
                if spans:
                    table = np.array(spans).T
                    stays[name] = (table[0], table[1], table[2])
        done_s = self.packed_s if packs else self.ready_s
        first, last = span_of(self.orders, done_s)
        server_s = {
            f"zone_{number}": self.zones[number].capacity.server_seconds(first, last)
            for number in range(section.zones)
        }
        people = [*server_s]
        if packs:
            server_s["pack"] = self.pack.capacity.server_seconds(first, last)
        if self.wall is not None:
            server_s["put_wall"] = self.wall.capacity.server_seconds(first, last)
            people.append("put_wall")
        server_s["refill"] = section.refillers * (last - first)
        people.append("refill")
        carts = max(1, int(began.sum()))
        length = np.array(tours.length_m)[began]
        lines = np.array([each.size for each in tours.lines])[began]
        figures = {
            "tours": float(began.sum()),
            "lines_per_tour": float(lines.sum()) / carts,
            "metres_per_tour": float(length.sum()) / carts,
            "refills": float(len(self._refills)),
            "stock_accuracy_pct": 100.0 * self.stock.accuracy,
            **self._space.figures(last),
        }
        bay = self.location // self.block.per_aisle * self.block.bays
        bay += self.location % self.block.per_aisle // (2 * self.block.levels)
        picked = self.orders.item[~np.isnan(self.picked_s)]
        handled = np.bincount(bay[picked], minlength=self.block.aisles * self.block.bays)
        return WarehouseResult(
            self.orders,
            self.picked_s,
            self.ready_s,
            done_s,
            stays,
            server_s,
            tuple(people),
            float(length.sum()),
            handled.reshape(self.block.aisles, self.block.bays).T[::-1],
            "lines picked by aisle (across) and bay (up)",
            figures,
            sorted(self.trace, key=lambda note: note.at_s),
        )


def _share(shifts: Sequence[Shift], zones: int, zone: int) -> list[Shift]:
    """The pickers of one zone: shifts dealt out evenly, the first zones take the remainder."""
    return [
        shift.model_copy(update={"workers": shift.workers // zones + (zone < shift.workers % zones)})
        for shift in shifts
    ]
