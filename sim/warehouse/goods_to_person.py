"""Goods-to-person: robots carry pods to stations. An event loop over integers; orders, lines and pods are
array rows.

Travel is free-flow with trapezoidal speeds, stretched by `slowdown` for other robots. Charging empties by
driving. An order needs all its units in the building before it takes a slot; a pod at the station serves
whatever the station's open orders want of it. What controllers decide is in `sim.warehouse.controllers`.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from logistics.storage import GoodsToPersonSection, PackingSection
from sim.draws import RowDraws
from sim.random_streams import Streams
from sim.stations import CapacityProfile, Started, Station
from sim.warehouse.inbound import Inbound
from sim.warehouse.orders import NONE, FloatArray, IntArray, OrderLines, lines_of
from sim.warehouse.picker_to_parts import Profile, daily_profile
from sim.warehouse.pod_floor import PodFloor
from sim.warehouse.registry import make
from sim.warehouse.result import Fault, Note, SpaceUsed, Stays, WarehouseResult, span_of
from sim.warehouse.robot_fleet import (
    AT_STATION,
    IDLE,
    MOVING,
    OUT,
    TO_CHARGER,
    TO_PLACE,
    TO_POD,
    TO_STATION,
    RobotFleet,
)
from sim.warehouse.slotting import Bins
from sim.warehouse.stock import Stock

ROBOT, VISIT_ENDS, CHARGED, LEVEL, CLOSES, OPENS, STOPS, VANISHES, INBOUND = range(9)

WINDOW = 200  # oldest waiting orders that order assignment may choose from
INBOUND_S = 900.0  # how often goods that came in are looked at
REFILLING = 2  # pods on their way to or at one replenishment station

Claims = list[tuple[int, int, int]]


class RobotWarehouse:
    """One goods-to-person warehouse. Build, `submit` orders, `advance`, read the result; see `PickerFloor`.

    `reserve` (items,) is what lies in bulk behind the pods, whose bins start full. Raises `ValueError` for
    faults that name no station or robot, or robots that never come back. `charge_factor` draws a factor of
    each charging time.
    """

    def __init__(
        self,
        section: GoodsToPersonSection,
        packing: PackingSection,
        orders: OrderLines,
        bins: Bins,
        reserve: IntArray,
        streams: Streams,
        inbound: Inbound | None = None,
        faults: Sequence[Fault] = (),
        profile: Profile = daily_profile,
        charge_factor: Callable[[], float] | None = None,
    ) -> None:
        self.section, self.orders = section, orders
        self.floor = PodFloor(section, orders, bins)
        self.floor.lay_out(streams.generator("warehouse", "pod places"))
        self.stock = Stock(self.floor.face_units(), reserve) if inbound is None else inbound.stock
        if (self.stock.face != self.floor.face_units()).any():
            raise ValueError(
                "the stock of inbound must begin with what the bins hold: Stock(bins.units(...), ...)"
            )
        self.inbound = inbound
        kinds = ("order_assignment", "pod_selection", "pod_storage", "task_allocation")
        self._order_rule, self._pod_rule, self._place_rule, self._robot_rule = (
            make(kind, getattr(section, kind), streams.generator("warehouse", kind)) for kind in kinds
        )
        self._staffing = profile(section.shifts, ())
        lines = np.arange(orders.lines)
        self._line_effort = RowDraws(streams, "warehouse", "line effort").multiplier(lines, section.cv)
        pack = RowDraws(streams, "warehouse", "pack effort").multiplier(np.arange(len(orders)), packing.cv)
        units = np.add.reduceat(orders.units, orders.first_line[:-1])
        self._pack_s = pack * (packing.order_s + packing.unit_s * units)
        self.pack = Station("pack", profile(packing.shifts, ()))
        self._pack_stays: list[Started] = []
        self.trace: list[Note] = []

        stations = len(self.floor.station_xy)
        self.fleet = RobotFleet(
            self.floor,
            lambda at_s, robot: self._push(at_s, ROBOT, robot),
            lambda at_s, robot: self._push(at_s, CHARGED, robot),
            charge_factor,
        )
        self._queues: list[deque[tuple[int, float]]] = [deque() for _ in range(stations)]
        self._serving = [NONE] * stations
        self._served_from = [(0.0, 0.0)] * stations
        self._closed = [False] * stations
        self._working: set[int] = set()  # pick stations that are staffed and not closed
        self._claims: dict[int, Claims] = {}
        self._next_order = 0
        self._announced = np.empty(0, np.int64)
        self._waiting: dict[int, None] = {}
        self._unstocked: dict[int, None] = {}
        self._promised = np.zeros(len(orders), np.bool_)
        self._left = orders.units.copy()
        self._lines_left = orders.lines_of_order.copy()
        self._to_refill: dict[int, None] = {}
        self._events: list[tuple[float, int, int, int]] = []
        self._sequence = 0
        self._stays: dict[str, list[tuple[float, float, float]]] = {}
        self.clock_s = -math.inf
        self.picked_s = np.full(orders.lines, np.nan)
        self.slotted_s, self.ready_s, self.packed_s = (np.full(len(orders), np.nan) for _ in range(3))
        self.trips, self.refills, self.picks, self.visits = 0, 0, 0, 0
        self._free_slots = [section.order_slots] * section.stations
        self._hungry: set[int] = set()  # stations that may use another pod
        self._order_of = orders.order_of_line.tolist()
        self._completed: list[tuple[float, int]] = []
        places = section.pods * section.bins_per_pod
        self._space = SpaceUsed(places, int(np.count_nonzero(self.floor.bin_units)))
        self._schedule(faults)

    # --- running --------------------------------------------------------------------------------------

    def submit(self, rows: IntArray) -> None:
        """Announce orders, in the order of their release and not before the clock."""
        self._announced = np.concatenate((self._announced[self._next_order :], np.asarray(rows, np.int64)))
        self._next_order = 0
        lines = lines_of(self.orders.first_line, np.asarray(rows, np.int64))
        np.add.at(self.stock.asked, self.orders.item[lines], self.orders.units[lines])

    def release(self, now_s: float) -> None:
        """Take in what is announced and released by now."""
        self.advance(now_s)

    def begun_s(self, rows: IntArray) -> FloatArray:
        """When each of these orders last took a slot."""
        return self.slotted_s[rows]

    def advance(self, until_s: float) -> None:
        """Work up to `until_s` inclusive."""
        release = self.orders.release_s
        while True:
            at_order = math.inf
            if self._next_order < self._announced.size:
                at_order = float(release[self._announced[self._next_order]])
            at_event = self._events[0][0] if self._events else math.inf
            now = min(at_order, at_event)
            if now > until_s or now == math.inf:
                break
            self.floor.now_s = now
            if at_order <= at_event:
                while (
                    self._next_order < self._announced.size
                    and release[self._announced[self._next_order]] <= now
                ):
                    self._waiting[int(self._announced[self._next_order])] = None
                    self._next_order += 1
            else:
                while self._events and self._events[0][0] == now:
                    _, _, kind, who = heapq.heappop(self._events)
                    self._handle(now, kind, who)
            self._decide(now)
        if self._completed:
            ready = np.array(self._completed)
            rows = ready[:, 1].astype(np.int32)
            self.pack.submit(rows, ready[:, 0], self._pack_s[rows], np.zeros(rows.size, np.int32))
            self._completed = []
        begun = self.pack.advance(until_s)
        self.packed_s[begun.rows] = begun.finish_s
        self._pack_stays.append(begun)
        self.clock_s = until_s

    def run(self, until_s: float) -> WarehouseResult:
        """All orders, to the last one complete or to `until_s`; then packing ends."""
        self.submit(np.arange(len(self.orders)))
        first = float(self.orders.release_s[0])
        now = first
        while np.isnan(self.packed_s).any() and now < until_s:
            now = min(now + 1_800.0, until_s)
            self.advance(now)
        self.audit()
        return self.result()

    def audit(self) -> None:
        """Raise `AssertionError` where units or pods went astray."""
        self.stock.audit()
        floor = self.floor
        if (floor.face_units() != self.stock.face).any() or floor.bin_units.min(initial=0) < 0:
            raise AssertionError("the bins do not add up to the stock")
        if floor.free_units.min(initial=0) < 0 or floor.open_units.min(initial=0) < 0:
            raise AssertionError("a bin or line was promised twice")
        held = floor.pod_place[floor.pod_place != NONE]
        if np.unique(held).size != held.size or floor.place_free[held].any():
            raise AssertionError("two pods on one place")

    def _push(self, at_s: float, kind: int, who: int) -> None:
        self._sequence += 1
        heapq.heappush(self._events, (at_s, self._sequence, kind, who))

    def _schedule(self, faults: Sequence[Fault]) -> None:
        self._faults = sorted(faults, key=lambda fault: fault.from_s)
        for number, fault in enumerate(self._faults):
            if fault.kind == "station_closed":
                if fault.target >= self.section.stations:
                    raise ValueError(f"no pick station {fault.target}; there are {self.section.stations}")
                self._push(fault.from_s, CLOSES, fault.target)
                if math.isfinite(fault.to_s):
                    self._push(fault.to_s, OPENS, fault.target)
            elif fault.kind == "robot_stopped":
                if fault.target >= self.section.robots or not math.isfinite(fault.to_s):
                    raise ValueError(
                        f"robot {fault.target} of {self.section.robots} must come back some time"
                    )
                self._push(fault.from_s, STOPS, number)
            else:
                self._push(fault.from_s, VANISHES, number)
        for at_s in self._staffing.step_s.tolist():
            self._push(at_s, LEVEL, 0)
        if self.inbound is not None:
            self._push(0.0, INBOUND, 0)

    def _handle(self, now: float, kind: int, who: int) -> None:
        if kind == ROBOT:
            self._robot_arrives(now, who)
        elif kind == VISIT_ENDS:
            self._visit_ends(now, who)
        elif kind == CHARGED:
            self.fleet.leave_charger(now, who)
        elif kind == LEVEL:
            self._staff(now)
            self._hungry.update(range(self.section.stations))
            for station in range(self.section.stations):
                self._serve(now, station)
        elif kind == CLOSES:
            self._close(now, who)
        elif kind == OPENS:
            self._closed[who] = False
            self._staff(now)
            self._hungry.add(who)
            self.trace.append(Note(now, "station opens", who))
        elif kind == STOPS:
            self._stop(now, self._faults[who])
        elif kind == VANISHES:
            self._vanish(now, self._faults[who])
        else:
            self._take_in(now)

    # --- decisions ------------------------------------------------------------------------------------

    def _works(self, station: int) -> bool:
        return station >= self.section.stations or station in self._working

    def _staff(self, now: float) -> None:
        level = min(self._staffing.level_at(now), self.section.stations)
        self._working = {s for s in range(level) if not self._closed[s]}

    def _decide(self, now: float) -> None:
        self._fill_slots(now)
        if self.fleet.idle and (self._hungry or self._to_refill):
            self._send_robots(now)

    def _fill_slots(self, now: float) -> None:
        if not self._waiting:
            return
        slots, free = self.floor.order_slots, self._free_slots
        stations = [s for s in sorted(self._working) if free[s]] if any(free) else []
        while stations and self._waiting:
            station = max(stations, key=lambda s: (free[s], -s))
            orders = np.fromiter(islice(self._waiting, WINDOW), np.int64)
            order = self._order_rule.choose(self.floor, station, orders)
            del self._waiting[order]
            if not self._promised[order]:
                if not self.stock.promise(self.orders, np.array([order]), self._left)[0]:
                    self._unstocked[order] = None
                    continue
                self._promised[order] = True
            slots[station, int(np.argmax(slots[station] == NONE))] = order
            self.slotted_s[order] = now
            self._hungry.add(station)
            free[station] -= 1
            if not free[station]:
                stations.remove(station)

    def _empty_slot(self, station: int, order: int, now: float) -> None:
        slots = self.floor.order_slots[station]
        slots[slots == order] = NONE
        self._free_slots[station] += 1
        slotted = float(self.slotted_s[order])
        self._stay("order slots", slotted, slotted, now)

    def _send_robots(self, now: float) -> None:
        """Pods for stations that lack work, refills for pods that lack units; as long as robots are idle.

        A station that no stored pod can serve is asked again when a pod comes back that it could use.
        """
        floor, coming = self.floor, self.floor.coming
        limit = self.section.station_queue
        self._send_to_refill(now)
        hungry = [s for s in sorted(self._hungry) if self._works(s) and len(coming[s]) < limit]
        while self.fleet.idle and hungry:
            station = min(hungry, key=lambda s: (len(coming[s]), s))
            pods, lines = floor.serving_pods(station)
            pod = self._pod_rule.choose(floor, station, pods, lines) if pods.size else NONE
            if pod == NONE:
                self._hungry.discard(station)
                hungry.remove(station)
                if not pods.size:
                    self._ask_refill(station)
                    self._send_to_refill(now)
                continue
            self._fetch(now, pod, station, floor.claim(pod, station))
            if len(coming[station]) >= limit:
                self._hungry.discard(station)  # until a pod leaves
                hungry.remove(station)

    def _send_to_refill(self, now: float) -> None:
        floor, coming = self.floor, self.floor.coming
        while self.fleet.idle and self._to_refill:
            station = next(
                (s for s in range(self.section.stations, len(coming)) if len(coming[s]) < REFILLING), NONE
            )
            pod = next((p for p in self._to_refill if floor.pod_stored[p]), NONE) if station != NONE else NONE
            if pod == NONE:
                return
            del self._to_refill[pod]
            self._fetch(now, pod, station, [])

    def _ask_refill(self, station: int) -> None:
        """Pods whose bins of a missing item are to be refilled go first in line."""
        floor = self.floor
        for item in floor.starved_items(station).tolist():
            if self.stock.reserve[item] <= 0:
                continue
            bins = floor.item_bin[floor.item_first[item] : floor.item_first[item + 1]]
            pods = floor.bin_pod[bins]
            if any(int(pod) in self._to_refill or not floor.pod_stored[pod] for pod in pods):
                continue
            self._to_refill = {int(pods[0]): None, **self._to_refill}

    def _fetch(self, now: float, pod: int, station: int, claims: Claims) -> None:
        floor = self.floor
        robot = self._robot_rule.choose(floor, pod, np.fromiter(self.fleet.idle, np.int64))
        del self.fleet.idle[robot]
        floor.pod_stored[pod] = False
        floor.place_fetched[floor.pod_place[pod]] += 1
        floor.coming[station].append(pod)
        self._claims[pod] = claims
        self.fleet.pod[robot], self.fleet.goal[robot], self.fleet.phase[robot] = pod, station, TO_POD
        self.trips += 1
        self.fleet.drive(now, robot, floor.place_xy[floor.pod_place[pod]], self.section.lift_s)

    # --- robots ---------------------------------------------------------------------------------------

    def _robot_arrives(self, now: float, robot: int) -> None:
        if self.fleet.delay_s[robot] > 0:  # it stood still on the way
            self._push(now + self.fleet.delay_s[robot], ROBOT, robot)
            self.fleet.delay_s[robot] = 0.0
            return
        floor, fleet = self.floor, self.fleet
        phase, pod, station = fleet.phase[robot], fleet.pod[robot], fleet.goal[robot]
        if phase == TO_POD:
            floor.place_free[floor.pod_place[pod]] = True
            floor.pod_place[pod] = NONE
            self.fleet.phase[robot] = TO_STATION
            self.fleet.drive(now, robot, floor.station_xy[station], 0.0)
        elif phase == TO_STATION:
            if station < self.section.stations and self._closed[station]:
                self._leave(now, robot)
                return
            self.fleet.phase[robot] = AT_STATION
            self._queues[station].append((robot, now))
            self._serve(now, station)
        elif phase == TO_PLACE:
            floor.pod_stored[pod] = True
            self._hungry.update(floor.stations_wanting(pod).tolist())
            self.fleet.pod[robot] = self.fleet.goal[robot] = NONE
            self.fleet.rest(now, robot)
        elif phase == TO_CHARGER:
            fleet.plug_in(now, robot)
        elif phase == OUT:
            self.trace.append(Note(now, "robot works again", robot))
            self.fleet.rest(now, robot)

    def _leave(self, now: float, robot: int) -> None:
        """Carry the pod from where it is to a free place."""
        floor, pod, station = self.floor, self.fleet.pod[robot], self.fleet.goal[robot]
        if pod in floor.coming[station]:
            floor.coming[station].remove(pod)
            if station < self.section.stations:
                self._hungry.add(station)
        places = np.flatnonzero(floor.place_free)
        place = self._place_rule.choose(floor, pod, station, places)
        floor.place_free[place] = False
        floor.pod_place[pod] = place
        self.fleet.phase[robot] = TO_PLACE
        self.fleet.drive(now, robot, floor.place_xy[place], self.section.lift_s)

    # --- stations -------------------------------------------------------------------------------------

    def _stay(self, name: str, arrive: float, start: float, finish: float) -> None:
        self._stays.setdefault(name, []).append((arrive, start, finish))

    def _serve(self, now: float, station: int) -> None:
        """Begin the next visit at a station that is free."""
        while self._serving[station] == NONE and self._queues[station] and self._works(station):
            robot, arrived = self._queues[station].popleft()
            pod = self.fleet.pod[robot]
            if station >= self.section.stations:
                duration = self._refill(now, pod)
            else:
                claims = self._claims.setdefault(pod, [])
                claims += self.floor.claim(pod, station)
                duration = self._pick_time(claims)
            if duration == 0.0:  # nothing to do here any more
                self._leave(now, robot)
                continue
            self._serving[station] = robot
            self._served_from[station] = (arrived, now)
            self._push(now + duration, VISIT_ENDS, station)

    def _pick_time(self, claims: Claims) -> float:
        section, effort = self.section, self._line_effort
        return float(
            sum(effort[line] * (section.line_s + section.unit_s * (units - 1)) for line, _, units in claims)
        )

    def _visit_ends(self, now: float, station: int) -> None:
        robot = self._serving[station]
        pod = self.fleet.pod[robot]
        if station < self.section.stations:
            self._pick(now, station, self._claims.pop(pod, []))
            if self._works(station):
                self._fill_slots(now)
                more = self.floor.claim(pod, station)
                if more:  # new orders found something on the pod that is still there
                    self._claims[pod] = more
                    self._push(now + self._pick_time(more), VISIT_ENDS, station)
                    return
            if self._closed[station]:
                self._hand_on(now, station, set())
            self.visits += 1
            self.floor.pod_visits[pod] += 1
            if self.floor.low_bins(pod, self.stock.reserve).size:
                self._to_refill[pod] = None
        arrived, began = self._served_from[station]
        self._stay(self._name(station), arrived, began, now)
        self._serving[station] = NONE
        self._leave(now, robot)
        self._serve(now, station)

    def _name(self, station: int) -> str:
        number = station - self.section.stations
        return f"station_{station}" if number < 0 else f"replenishment_{number}"

    def _pick(self, now: float, station: int, claims: Claims) -> None:
        floor, stock = self.floor, self.stock
        for line, bin_number, units in claims:
            item, order = int(floor.item[line]), self._order_of[line]
            taken = min(units, int(floor.bin_units[bin_number]))
            floor.bin_units[bin_number] -= taken
            floor.bin_book[bin_number] -= taken
            if taken and not floor.bin_units[bin_number]:
                self._space.change(now, -1)
            stock.face[item] -= taken
            stock.book[item] -= taken
            stock.promised[item] -= taken
            stock.picked[item] += taken
            self._left[line] -= taken
            if taken < units:
                stock.book[item] -= floor.bin_book[bin_number] - floor.bin_units[bin_number]
                floor.bin_book[bin_number] = floor.bin_units[bin_number]
                floor.free_units[bin_number] = 0
                floor.open_units[line] += units - taken
                self._hungry.add(station)
                missing = f"{units - taken} of {units} units missing"
                self.trace.append(Note(now, "short pick", item, missing, order))
            if taken:
                self.picks += 1
            if self._left[line] == 0:
                self.picked_s[line] = now
                self._lines_left[order] -= 1
                if self._lines_left[order] == 0:
                    self._empty_slot(station, order, now)
                    self._complete(order, now)

    def _complete(self, order: int, now: float) -> None:
        self.ready_s[order] = now
        self._completed.append((now, order))

    # --- replenishment --------------------------------------------------------------------------------

    def _refill(self, now: float, pod: int) -> float:
        """Fill the pod's low bins; seconds that takes."""
        floor, stock = self.floor, self.stock
        bins = floor.low_bins(pod, stock.reserve)
        item = floor.bin_item[bins]
        units = np.minimum(self.section.bin_units - floor.bin_book[bins], stock.reserve[item])
        stock.refill(item, units)
        self._space.change(now, int(((floor.bin_units[bins] == 0) & (units > 0)).sum()))
        floor.bin_units[bins] += units
        floor.bin_book[bins] += units
        floor.free_units[bins] += units
        self.refills += bins.size
        return float(bins.size * self.section.refill_s)

    def _take_in(self, now: float) -> None:
        assert self.inbound is not None
        wanted = np.zeros(self.stock.face.size, np.int64)
        for order in self._unstocked:
            lines = slice(int(self.orders.first_line[order]), int(self.orders.first_line[order + 1]))
            np.add.at(wanted, self.orders.item[lines], self._left[lines])
        before = int(self.stock.reserve.sum())
        self.inbound.advance(now, wanted)
        if int(self.stock.reserve.sum()) != before:
            self._waiting = {**self._unstocked, **self._waiting}
            self._unstocked = {}
        if np.isnan(self.ready_s).any():
            self._push(now + INBOUND_S, INBOUND, 0)

    # --- faults ---------------------------------------------------------------------------------------

    def _close(self, now: float, station: int) -> None:
        """Its orders go back to wait with what they have; pods that wait there go back to their places."""
        floor = self.floor
        self._closed[station] = True
        self._staff(now)
        serving = self._serving[station]
        kept = self.fleet.pod[serving] if serving != NONE else NONE
        for pod in floor.coming[station]:
            if pod != kept:
                floor.release(self._claims.pop(pod, []))
        in_hand = {self._order_of[line] for line, _, _ in self._claims.get(kept, [])}
        orders = self._hand_on(now, station, in_hand)
        detail = f"{len(orders)} orders go to others, {len(in_hand)} are finished with the pod at hand"
        self.trace.append(Note(now, "station closes", station, detail))
        queue, self._queues[station] = list(self._queues[station]), deque()
        for robot, arrived in queue:
            self._stay(self._name(station), arrived, now, now)
            self._leave(now, robot)

    def _hand_on(self, now: float, station: int, kept: set[int]) -> list[int]:
        """Take the orders of a station, but for those kept, back to wait at the head of the line, as they are."""
        orders = [
            int(order)
            for order in self.floor.order_slots[station]
            if order != NONE and int(order) not in kept
        ]
        for order in orders:
            self._empty_slot(station, order, now)
        self._waiting = {**dict.fromkeys(orders), **self._waiting}
        return orders

    def _stop(self, now: float, fault: Fault) -> None:
        robot, floor = fault.target, self.floor
        length = fault.to_s - now
        self.fleet.stopped_until[robot] = max(self.fleet.stopped_until[robot], fault.to_s)
        pod, station, detail = self.fleet.pod[robot], self.fleet.goal[robot], "idle"
        if self.fleet.phase[robot] == IDLE:
            del self.fleet.idle[robot]
            self.fleet.rest(now, robot)
        elif self.fleet.phase[robot] in MOVING:
            self.fleet.delay_s[robot] += length
            detail = "on the way"
            if self.fleet.phase[robot] in (TO_POD, TO_STATION):
                claims = self._claims.pop(pod, [])
                floor.release(claims)
                if station < self.section.stations:
                    self._hungry.add(station)
                # The units on this pod can't be had meanwhile; other pods bring them.
                detail = f"with pod {pod} for station {station}: {len(claims)} lines go to other pods"
        self.trace.append(Note(now, "robot stops", robot, detail))

    def _vanish(self, now: float, fault: Fault) -> None:
        """Units of an item vanish from its bins, the fullest first; the books do not know."""
        self.floor.vanish(fault.target, fault.units)
        self._space.count(now, int(np.count_nonzero(self.floor.bin_units)))
        gone = self.stock.miscount(fault.target, fault.units)
        self.trace.append(Note(now, "stock wrong", fault.target, f"{gone} units vanish"))

    # --- reading --------------------------------------------------------------------------------------

    def result(self, packs: bool = True) -> WarehouseResult:
        """Times and figures so far; without `packs`, orders leave when they are ready, and others pack them."""
        stays: dict[str, Stays] = {}
        for name, spans in sorted(self._stays.items()):
            table = np.array(spans).T
            stays[name] = (table[0], table[1], table[2])
        charges = [span for spans in self.fleet.charges for span in spans]
        if charges:
            table = np.array(charges).T
            stays["charging"] = (table[0], table[1], table[2])
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
            f"station_{number}": CapacityProfile(
                self._staffing.step_s, (self._staffing.levels > number).astype(np.int64)
            ).server_seconds(first, last)
            for number in range(self.section.stations)
        }
        people = [*server_s]
        busy = sum(float((stays[n][2] - stays[n][1]).sum()) for n in server_s if n in stays)
        manned = sum(server_s.values())
        if packs:
            server_s["pack"] = self.pack.capacity.server_seconds(first, last)
        server_s["charging"] = self.section.chargers * (last - first)
        for number in range(self.section.replenishment_stations):
            server_s[f"replenishment_{number}"] = last - first
            people.append(f"replenishment_{number}")
        visits = max(self.visits, 1)
        figures = {
            "pile_on": self.picks / visits,
            "pod_visits": float(self.visits),
            "pod_trips": float(self.trips),
            "station_utilisation_pct": 100.0 * busy / manned if manned else 0.0,
            "robot_driving_pct": 100.0 * self.fleet.driven_s / (self.section.robots * max(last - first, 1.0)),
            "refills": float(self.refills),
            "stock_accuracy_pct": 100.0 * float(np.mean(self.floor.bin_book == self.floor.bin_units)),
            **self._space.figures(last),
        }
        return WarehouseResult(
            self.orders,
            self.picked_s,
            self.ready_s,
            done_s,
            stays,
            server_s,
            tuple(people),
            self.fleet.moved_m,
            self.floor.fetched_from(),
            "pods fetched by place, pick stations below",
            figures,
            sorted(self.trace, key=lambda note: note.at_s),
        )
