"""What a goods-to-person warehouse does: slots filled, pods fetched, lines picked, bins refilled."""

from __future__ import annotations

from itertools import islice

import numpy as np

from sim.warehouse.orders import NONE
from sim.warehouse.pod_state import INBOUND, ROBOT, VISIT_ENDS, Claims, PodState
from sim.warehouse.result import Note
from sim.warehouse.robot_fleet import AT_STATION, OUT, TO_CHARGER, TO_PLACE, TO_POD, TO_STATION

WINDOW = 200  # oldest waiting orders that order assignment may choose from
INBOUND_S = 900.0  # how often goods that came in are looked at
REFILLING = 2  # pods on their way to or at one replenishment station


class PodWork(PodState):
    """The warehouse's work, without its clock and its faults."""

    # --- decisions ------------------------------------------------------------------------------------

    def _decide(self, now: float) -> None:
        if self._waiting:
            self._fill_slots(now)
        if self.fleet.idle and (self._hungry or self._to_refill):
            self._send_robots(now)

    def _fill_slots(self, now: float) -> None:
        floor = self.floor
        slots, free = floor.order_slots, floor.free_slots
        stations = [s for s in sorted(self._working) if free[s]] if any(free) else []
        while stations and self._waiting:
            turn = sorted(stations, key=free.__getitem__, reverse=True)
            orders = np.fromiter(islice(self._waiting, WINDOW), np.int64)
            station, order = self._order_rule.choose(floor, np.array(turn), orders)
            del self._waiting[order]
            if not self._promised[order]:
                if not self.stock.promise(self.orders, np.array([order]), self._left)[0]:
                    self._unstocked[order] = None
                    continue
                self._promised[order] = True
            slots[station, int(np.argmax(slots[station] == NONE))] = order
            self.slotted_s[order] = now
            for claim in floor.claim_coming(order, station):
                self._claims.setdefault(int(floor.bin_pod[claim[1]]), []).append(claim)
            self._hungry.add(station)
            free[station] -= 1
            floor.lines_left[station] += self._lines_left[order]
            if not free[station]:
                stations.remove(station)

    def _empty_slot(self, station: int, order: int, now: float) -> None:
        slots = self.floor.order_slots[station]
        slots[slots == order] = NONE
        self.floor.free_slots[station] += 1
        self.floor.lines_left[station] -= self._lines_left[order]
        slotted = float(self.slotted_s[order])
        self._stay("order slots", slotted, slotted, now)

    def _send_robots(self, now: float) -> None:
        """Pods for stations that lack work, refills for pods that lack units; as long as robots are idle.

        A station that no stored pod can serve is asked again when a pod comes back that it could use.
        """
        floor, coming = self.floor, self.floor.coming
        limit = self.section.station_queue
        self._send_to_refill(now)
        hungry = [s for s in sorted(self._hungry) if s in self._working and len(coming[s]) < limit]
        # The others are hungry again when a pod leaves them, or when they are staffed or opened.
        self._hungry = set(hungry)
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
        place = int(floor.pod_place[pod])
        floor.pod_stored[pod] = False
        floor.place_fetched[place] += 1
        floor.pod_station[pod] = station
        floor.coming[station].append(pod)
        self._claims[pod] = claims
        self.fleet.pod[robot], self.fleet.goal[robot], self.fleet.phase[robot] = pod, station, TO_POD
        self.trips += 1
        self.fleet.drive(now, robot, floor.place_at[place], self.section.lift_s)

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
            self.fleet.drive(now, robot, floor.station_at[station], 0.0)
        elif phase == TO_STATION:
            if station < self.section.stations and self._closed[station]:
                self._leave(now, robot)
                return
            floor.pod_station[pod] = station
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
        floor.pod_station[pod] = NONE
        if pod in floor.coming[station]:
            floor.coming[station].remove(pod)
            if station < self.section.stations:
                self._hungry.add(station)
        places = floor.place_free.nonzero()[0]
        place = self._place_rule.choose(floor, pod, station, places)
        floor.place_free[place] = False
        floor.pod_place[pod] = place
        self.fleet.phase[robot] = TO_PLACE
        self.fleet.drive(now, robot, floor.place_at[place], self.section.lift_s)

    # --- stations -------------------------------------------------------------------------------------

    def _serve(self, now: float, station: int) -> None:
        """Begin the next visit at a station that is free."""
        while self._serving[station] == NONE and self._queues[station] and self._works(station):
            robot, arrived = self._queues[station].popleft()
            pod = self.fleet.pod[robot]
            if station >= self.section.stations:
                duration = self._refill(now, pod)
            else:
                self._in_hand[station] = self._claims.pop(pod, []) + self.floor.claim(pod, station)
                duration = self._pick_time(self._in_hand[station])
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
            self._pick(now, station, self._in_hand[station])
            self._in_hand[station] = []
            if self._works(station):
                if self._waiting:
                    self._fill_slots(now)
                more = self._claims.pop(pod, []) + self.floor.claim(pod, station)
                if more:  # new orders found something on the pod that is still there
                    self._in_hand[station] = more
                    self._push(now + self._pick_time(more), VISIT_ENDS, station)
                    return
            if self._closed[station]:
                self._hand_on(now, station, set())
            self.floor.release(self._claims.pop(pod, []))
            self.visits += 1
            self.floor.pod_visits[pod] += 1
            if self.floor.low_bins(pod, self.stock.reserve).size:
                self._to_refill[pod] = None
        arrived, began = self._served_from[station]
        self._stay(self._name(station), arrived, began, now)
        self._serving[station] = NONE
        self._leave(now, robot)
        self._serve(now, station)

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
                floor.lines_left[station] -= 1
                if self._lines_left[order] == 0:
                    self._empty_slot(station, order, now)
                    self._complete(order, now)

    def _complete(self, order: int, now: float) -> None:
        self.ready_s[order] = now
        self._completed.append((now, order))

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
