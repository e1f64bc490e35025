"""The whole chain once more, with one SimPy process per parcel: slow, plain, and sharing no code with the twin.

It is given the scenario, the demand, the roads, the numbers of luck and the plans that the solvers made (routes of
vans, flights of drones, with the moment of each), and works out by itself when everything happens: taking in, stock
at hand, waves, picking, packing, sorting, trucks with cut-offs and containers, docks, lay-overs, vans, drones,
lockers, failed attempts.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from typing import Any

import simpy

from logistics.dispatch.messages import RoutePlan, SortiePlan, Trip
from logistics.drones import sortie
from logistics.network import great_circle_m
from logistics.roads import Roads
from logistics.scenario import Scenario
from logistics.tables import LOCKER, Demand
from tests.sim.oracle import Desk

DAY_S = 86_400
LAYOVER_S = 6 * 3600
Process = Generator[simpy.Event, Any, None]
Luck = Callable[[str, str, int, int], float]  # entity, purpose, parcel, attempt -> uniform in (0, 1)
Factor = Callable[[str, str, int, int, float], float]  # the same and a coefficient of variation


class Chain:
    """Scenarios that start at local midnight, without disruptions, whose stock is always there."""

    def __init__(
        self,
        scenario: Scenario,
        demand: Demand,
        roads: Roads,
        linehaul_roads: Roads,
        way: Callable[[int, int], int],
        uniform: Luck,
        factor: Factor,
        trip_factor: Callable[[str, int], float],
        fleet: Sequence[str],
        plans: Sequence[tuple[float, RoutePlan | SortiePlan]],
    ) -> None:
        """`way(site, parcel)` is the next site by the sort plan; `fleet` names the dispatcher's vehicles."""
        self.env = simpy.Environment()
        self.scenario, self.demand, self.roads, self.linehaul_roads = scenario, demand, roads, linehaul_roads
        self.way, self.uniform, self.factor, self.trip_factor, self.fleet = (
            way,
            uniform,
            factor,
            trip_factor,
            fleet,
        )
        self.times: dict[int, dict[str, float]] = defaultdict(dict)
        self.left_behind: set[int] = set()
        self.attempts: dict[int, int] = defaultdict(int)
        self.rows = {site.id: row for row, site in enumerate(scenario.sites)}
        self.kinds = {vehicle.id: vehicle for vehicle in scenario.vehicles}
        points = [[site.lon, site.lat] for site in scenario.sites]
        self.site_place, self.linehaul_place = roads.places(points), linehaul_roads.places(points)
        self.desks = {
            (row, stage.name): Desk(self.env, k, self.steps(stage), stage.transfer_s)
            for row, site in enumerate(scenario.sites)
            for k, stage in enumerate(site.stages)
        }
        self.docks = [simpy.Resource(self.env, site.docks) for site in scenario.sites]
        self.outbound: dict[tuple[int, int], list[tuple[int, float, int]]] = defaultdict(list)
        self.signal = [self.env.event() for _ in demand.parcels.order]
        self.idle: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
        self.trucks = 0
        self.van_trips: dict[int, int] = defaultdict(int)
        self.taken: dict[int, list[float]] = defaultdict(list)  # lockers: when compartments are free again
        for row in range(len(demand.parcels)):
            self.env.process(self.parcel(row))
        for lane in scenario.lanes:
            self.env.process(self.lane(lane))
        for moment, plan in plans:
            self.env.process(self.carry_out(moment, plan))

    def run(self) -> dict[int, dict[str, float]]:
        self.env.run(until=self.scenario.scenario.horizon_days * DAY_S)
        return self.times

    def steps(self, stage: Any) -> list[tuple[float, int]]:
        levels: dict[float, int] = defaultdict(int)
        for day in range(-1, self.scenario.scenario.horizon_days):
            for shift in stage.shifts:
                levels[max(0.0, day * DAY_S + shift.window.opens)] += shift.workers
                levels[max(0.0, day * DAY_S + shift.window.closes)] -= shift.workers
        total, steps = 0, []
        for at in sorted(levels):
            total += levels[at]
            steps.append((at, total))
        return steps

    def order(self, row: int) -> int:
        return int(self.demand.parcels.order[row])

    def service(self, row: int) -> Any:
        return self.scenario.services[int(self.demand.orders.service[self.order(row)])]

    def place(self, row: int) -> int:
        return int(self.demand.orders.place[self.order(row)])

    def until(self, at_s: float) -> simpy.Event:
        return self.env.timeout(max(0.0, at_s - self.env.now))

    def tell(self, row: int, message: Any) -> None:
        event, self.signal[row] = self.signal[row], self.env.event()
        event.succeed(message)

    # --- a parcel's life ------------------------------------------------------------------------------

    def parcel(self, row: int) -> Process:
        times, step = self.times[row], self.scenario.dispatch.intake_s
        site = int(self.demand.orders.origin[self.order(row)])
        placed = int(self.demand.orders.placed_s[self.order(row)])
        yield self.until(math.ceil(placed / step) * step)
        times["accepted_s"] = self.env.now
        if self.scenario.sites[site].kind == "warehouse":
            times["reserved_s"] = self.env.now
            yield self.until(min(at for at in self.warehouse_waves() if at > self.env.now))
            times["released_s"] = self.env.now
            yield from self.work(site, row, ("pick", "pack", "sort"))
        else:
            yield self.signal[row]
            times["collected_s"] = self.env.now
            site, arrives_s = yield self.signal[row]
            yield self.until(arrives_s)
            self.arrive(site, row)
            yield from self.work(site, row, ("sort",))
        while (following := self.way(site, row)) != site:
            self.outbound[site, following].append((self.service(row).priority, self.env.now, row))
            site, arrives_s = yield self.signal[row]
            yield self.until(arrives_s)
            self.arrive(site, row)
            yield from self.work(site, row, ("sort",))
        times["ready_s"] = self.env.now
        while True:
            end = yield self.signal[row]
            if end == "failed" and self.attempts[row] < self.scenario.dispatch.max_attempts:
                continue
            times["final_s"] = self.env.now
            times["returned"] = float(end == "failed")
            return

    def arrive(self, site: int, row: int) -> None:
        if self.way(site, row) == site:
            self.times[row]["station_s"] = self.env.now

    def warehouse_waves(self) -> list[float]:
        found = []
        for wave in self.scenario.dispatch.warehouse_waves:
            clocks = wave.at or range(wave.window.opens, wave.window.closes, wave.every_s or 1)
            for day in range(self.scenario.scenario.horizon_days):
                found += [float(day * DAY_S + clock) for clock in clocks]
        return sorted(found)

    def work(self, site: int, row: int, stages: Sequence[str]) -> Process:
        section = {stage.name: stage for stage in self.scenario.sites[site].stages}
        first_line = self.demand.parcels.first_line
        for name in stages:
            desk, stage = self.desks[site, name], section[name]
            yield desk.request(self.service(row).priority, row)
            mean = stage.service_s + stage.per_line_s * int(first_line[row + 1] - first_line[row])
            entity = f"{self.scenario.sites[site].id}.{name}"
            yield self.env.timeout(mean * self.factor(entity, "service", row, 0, stage.cv))
            desk.release()
            done = {"pick": "picked_s", "pack": "packed_s", "sort": "sorted_s"}[name]
            self.times[row].setdefault(done, self.env.now)
            if name != "sort":
                yield self.env.timeout(desk.transfer_s)

    # --- linehaul -------------------------------------------------------------------------------------

    def lane(self, lane: Any) -> Process:
        origin, destination = self.rows[lane.origin], self.rows[lane.destination]
        days = range(self.scenario.scenario.horizon_days)
        for departure in sorted(day * DAY_S + clock for day in days for clock in lane.departures):
            yield self.until(departure - lane.cutoff_s)
            for _ in range(lane.trucks):
                rows = self.fill(origin, destination, lane)
                if rows:
                    self.env.process(self.truck(lane, origin, destination, departure, rows))

    def fill(self, origin: int, destination: int, lane: Any) -> list[int]:
        """Urgent ones first, then in order of waiting; a full bag is closed, what does not fit stays behind."""
        queue = sorted(self.outbound[origin, destination])
        truck, bag = self.kinds[lane.vehicle], self.scenario.containers[0]
        load_g = load_ml = bag_g = bag_ml = 0
        opened, rows = False, []
        for _, _, row in queue:
            weight = int(self.demand.parcels.weight_g[row])
            volume = int(self.demand.parcels.volume_ml[row])
            if load_g + weight > truck.capacity_g:
                continue
            if not (opened and bag_g + weight <= bag.capacity_g and bag_ml + volume <= bag.capacity_ml):
                if load_ml + max(bag.capacity_ml, volume) > truck.capacity_ml:
                    continue
                opened, bag_g, bag_ml = True, 0, 0
                load_ml += max(bag.capacity_ml, volume)
            bag_g, bag_ml, load_g = bag_g + weight, bag_ml + volume, load_g + weight
            rows.append(row)
        kept = [entry for entry in queue if entry[2] not in set(rows)]
        self.left_behind.update(entry[2] for entry in kept)
        self.outbound[origin, destination] = kept
        return rows

    def truck(self, lane: Any, origin: int, destination: int, departure: int, rows: list[int]) -> Process:
        idle = self.idle[origin, lane.vehicle]
        if idle:
            truck = idle.pop(0)
        else:
            self.trucks += 1
            truck = {
                "name": f"{lane.vehicle}-{self.trucks}",
                "home": origin,
                "at": origin,
                "trips": 0,
                "calls": 0,
            }
        truck["calls"] += 1
        with self.docks[origin].request() as dock:
            yield dock
            load_s = len(rows) * self.scenario.sites[origin].load_s_per_parcel
            yield self.env.timeout(max(load_s, departure - self.env.now))
        yield from self.drive(truck, destination)
        with self.docks[destination].request() as dock:
            yield dock
            each = self.scenario.sites[destination].unload_s_per_parcel
            for k, row in enumerate(rows):
                self.tell(row, (destination, self.env.now + each * (k + 1)))
            yield self.env.timeout(each * len(rows))
        self.idle[destination, lane.vehicle].append(truck)
        calls = truck["calls"]
        if truck["home"] != destination:
            yield self.env.timeout(LAYOVER_S)
            if truck["calls"] == calls:
                self.idle[destination, lane.vehicle].remove(truck)
                truck["calls"] += 1
                yield from self.drive(truck, truck["home"])
                self.idle[truck["home"], lane.vehicle].append(truck)

    def drive(self, truck: dict[str, Any], destination: int) -> Process:
        ends = int(self.linehaul_place[truck["at"]]), int(self.linehaul_place[destination])
        seconds = self.linehaul_roads.leg(*ends, self.env.now)[1]
        yield self.env.timeout(seconds * self.trip_factor(truck["name"], truck["trips"]))
        truck["trips"], truck["at"] = truck["trips"] + 1, destination

    # --- vans and drones ------------------------------------------------------------------------------

    def carry_out(self, moment: float, plan: RoutePlan | SortiePlan) -> Process:
        yield self.until(moment)
        if isinstance(plan, SortiePlan):
            self.env.process(self.flights(plan))
            return
        for trip in plan.trips:
            self.env.process(self.van(plan.site, trip, plan.role == "delivery"))

    def van(self, site: int, trip: Trip, delivers: bool) -> Process:
        section, rules = self.scenario.sites[site], self.scenario.delivery
        if delivers:
            rows = [int(row) for stop in trip.stops for row in stop.parcels]
            for row in rows:
                self.times[row]["loaded_s"] = self.env.now
            yield self.env.timeout(len(rows) * section.load_s_per_parcel)
        yield self.until(trip.depart_s)
        home, dwell = [], []
        for stop in trip.stops:
            row, tries = int(stop.parcels[0]), self.attempts[int(stop.parcels[0])]
            locker = delivers and self.demand.places.kind[stop.place] == LOCKER
            home.append(not delivers or locker or self.uniform("door", "answer", row, tries) >= rules.failure)
            expected = rules.parking_s + rules.per_stop_s + rules.per_parcel_s * len(stop.parcels) * home[-1]
            dwell.append(expected * self.factor("door", "service", row, tries, rules.cv))
        base = int(self.site_place[site])
        stops = [self.roads.places([self.point(stop.place, delivers)])[0] for stop in trip.stops]
        name = self.fleet[trip.vehicle]
        driven = self.roads.drive(
            [base, *stops, base],
            self.env.now,
            [0.0, *dwell, 0.0],
            [0.0, *(float(stop.earliest_s) for stop in trip.stops), 0.0],
            self.trip_factor(name, self.van_trips[trip.vehicle]),
        )
        self.van_trips[trip.vehicle] += 1
        failed, collected = [], []
        for stop, answered, leaves_s in zip(trip.stops, home, driven.leave_s[1:-1], strict=True):
            yield self.until(float(leaves_s))
            parcels = [int(row) for row in stop.parcels]
            if not delivers:
                collected += parcels
                for row in parcels:
                    self.tell(row, "collected")
                continue
            taken = len(parcels) if answered else 0
            if self.demand.places.kind[stop.place] == LOCKER:
                taken = self.put_in_locker(int(self.demand.places.site[stop.place]), parcels)
            for k, row in enumerate(parcels):
                if k < taken:
                    self.tell(row, "delivered")
                else:
                    failed.append(row)
        yield self.until(float(driven.arrive_s[-1]))
        for k, row in enumerate(collected):
            self.tell(row, (site, self.env.now + section.unload_s_per_parcel * (k + 1)))
        if delivers:
            for row in rows:
                self.attempts[row] += 1
            for row in failed:
                self.tell(row, "failed")

    def point(self, place: int, delivers: bool) -> list[float]:
        if delivers:
            return [float(self.demand.places.lon[place]), float(self.demand.places.lat[place])]
        return [self.scenario.sites[place].lon, self.scenario.sites[place].lat]

    def put_in_locker(self, site: int, rows: list[int]) -> int:
        section, taken = self.scenario.sites[site], self.taken[site]
        while taken and taken[0] <= self.env.now:
            heapq.heappop(taken)
        assert section.space_parcels is not None
        fitting = min(len(rows), section.space_parcels - len(taken))
        for row in rows[:fitting]:
            stays_s = -section.dwell_s * math.log(self.uniform(section.id, "dwell", row, 0))
            heapq.heappush(taken, self.env.now + stays_s)
        return fitting

    def flights(self, plan: SortiePlan) -> Process:
        kind = self.kinds[self.fleet[plan.drone].split(":")[1]]
        rules, base = self.scenario.delivery, self.scenario.sites[plan.site]
        failed = []
        for k, row in enumerate(int(row) for row in plan.parcels):
            if k:
                yield self.env.timeout(kind.swap_s)
            tries = self.attempts[row]
            service_s = rules.per_stop_s * self.factor("door", "service", row, tries, rules.cv)
            answered = self.uniform("door", "answer", row, tries) >= rules.failure
            metres = great_circle_m(base.lon, base.lat, *self.point(self.place(row), True))
            flight = sortie(kind, metres, int(self.demand.parcels.weight_g[row]), service_s)
            self.times[row]["loaded_s"] = self.env.now
            yield self.env.timeout(flight.out_s + service_s)
            self.attempts[row] += 1
            if answered:
                self.tell(row, "delivered")
            else:
                failed.append(row)
            yield self.env.timeout(flight.total_s - flight.out_s - service_s)
        for row in failed:
            self.tell(row, "failed")
