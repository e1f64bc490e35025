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

import numpy as np

from logistics.storage import GoodsToPersonSection, PackingSection
from sim.random_streams import Streams
from sim.stations import CapacityProfile
from sim.warehouse.inbound import Inbound
from sim.warehouse.orders import NONE, FloatArray, IntArray, OrderLines, lines_of
from sim.warehouse.picker_to_parts import Profile, daily_profile
from sim.warehouse.pod_state import CHARGED, CLOSES, INBOUND, LEVEL, OPENS, ROBOT, STOPS, VANISHES, VISIT_ENDS
from sim.warehouse.pod_work import PodWork
from sim.warehouse.result import Fault, Note, Stays, WarehouseResult, span_of
from sim.warehouse.robot_fleet import IDLE, MOVING, TO_POD, TO_STATION
from sim.warehouse.slotting import Bins


class RobotWarehouse(PodWork):
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
        super().__init__(section, packing, orders, bins, reserve, streams, inbound, profile, charge_factor)
        self._schedule(faults)

    # --- running --------------------------------------------------------------------------------------

    def submit(self, rows: IntArray) -> None:
        """Announce orders, in the order of their release and not before the clock."""
        self._announced.extend(zip(self.orders.release_s[rows].tolist(), rows.tolist(), strict=True))
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
        announced, events = self._announced, self._events
        while True:
            at_order = announced[0][0] if announced else math.inf
            at_event = events[0][0] if events else math.inf
            now = at_order if at_order <= at_event else at_event
            if now > until_s or now == math.inf:
                break
            self.floor.now_s = now
            if at_order <= at_event:
                while announced and announced[0][0] <= now:
                    self._waiting[announced.popleft()[1]] = None
            else:
                while events and events[0][0] == now:
                    _, _, kind, who = heapq.heappop(events)
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

    # --- faults ---------------------------------------------------------------------------------------

    def _close(self, now: float, station: int) -> None:
        """Its orders go back to wait with what they have; pods that wait there go back to their places."""
        floor = self.floor
        self._closed[station] = True
        self._staff(now)
        for pod in floor.coming[station]:
            floor.release(self._claims.pop(pod, []))
        in_hand = {self._order_of[line] for line, _, _ in self._in_hand[station]}
        orders = self._hand_on(now, station, in_hand)
        detail = f"{len(orders)} orders go to others, {len(in_hand)} are finished with the pod at hand"
        self.trace.append(Note(now, "station closes", station, detail))
        queue, self._queues[station] = list(self._queues[station]), deque()
        for robot, arrived in queue:
            self._stay(self._name(station), arrived, now, now)
            self._leave(now, robot)

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
                floor.pod_station[pod] = NONE
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
