"""Linehaul trucks: they load at the cut-off, leave by the timetable, unload at the other end and come back."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import simpy

from logistics.scenario import LaneSection, VehicleSection
from logistics.tables import IntArray, RowArray
from sim.kernels.loading import load_truck
from sim.legs import TripLegs
from sim.world import BusyTime, Process, World

LAYOVER_S = 6 * 3600  # a truck away from home waits so long for a load back before it drives home empty
UNLOAD_S_PER_M3 = 60.0  # palletised goods from suppliers


@dataclass
class Truck:
    name: str
    kind: VehicleSection
    home: int
    at: int
    trips: int = 0
    free_s: float = 0.0  # since when it stands at `at`
    call: int = 0  # counts its engagements, so that a layover can tell whether it still waits


@dataclass
class Linehaul:
    """All lanes and the trucks that serve them. Trucks are hired where a departure finds none."""

    world: World
    busy: BusyTime
    departures_s: tuple[IntArray, ...]  # of each lane
    trucks: list[Truck] = field(default_factory=list)
    docked: list[tuple[int, float, float]] = field(default_factory=list)  # site, from, to: beyond the cut
    hauls: int = 0  # of goods, on the road
    _idle: dict[tuple[int, str], list[Truck]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        scenario = self.world.scenario
        self._kinds = {v.id: v for v in scenario.vehicles}
        self._container_g = np.array([c.capacity_g for c in scenario.containers], dtype=np.int64)
        self._container_ml = np.array([c.capacity_ml for c in scenario.containers], dtype=np.int64)
        self.handled_s = [-math.inf] * len(scenario.lanes)  # the last departure of each lane that was seen to
        self._closed = [
            (d.target, scenario.seconds(d.starts), scenario.seconds(d.ends))
            for d in scenario.disruptions
            if d.kind == "lane_closed"
        ]

    def serve(self, lane_row: int) -> Process:
        """Send trucks at each departure of a lane for as long as the run lasts."""
        env, lane = self.world.env, self.world.scenario.lanes[lane_row]
        world = self.world
        origin, destination = world.network.site[lane.origin], world.network.site[lane.destination]
        floor, kind = world.floors[origin], self._kinds[lane.vehicle]
        for departure in self.departures_s[lane_row]:
            if departure <= self.handled_s[lane_row]:
                continue
            wait = departure - lane.cutoff_s - env.now
            if wait > 0:
                yield env.timeout(wait)
            if world.closing:
                return
            self.handled_s[lane_row] = float(departure)
            if floor.closed_until(env.now) > env.now or self._lane_closed(lane.id, departure):
                continue
            world.work(origin)
            for _ in range(lane.trucks):
                load = self._load(origin, destination, kind)
                if not len(load[0]):
                    break
                env.process(world.activity(self._trip(lane, float(departure), *load)))

    def _trip(
        self, lane: LaneSection, departure: float, rows: RowArray, kinds: RowArray, numbers: RowArray
    ) -> Process:
        world, env = self.world, self.world.env
        origin, destination = world.network.site[lane.origin], world.network.site[lane.destination]
        floor, kind = world.floors[origin], self._kinds[lane.vehicle]
        truck = self._hire(origin, kind)
        vehicle = world.custody.number(f"vehicle:{truck.name}")
        trip = world.new_trip()
        begun = env.now
        with floor.docks.request() as dock:
            yield dock
            docked_s = env.now
            yield env.timeout(max(len(rows) * floor.site.load_s_per_parcel, departure - env.now))
            world.custody.move(rows, world.site_custody[origin], vehicle, env.now)
            self._leave_dock(origin, docked_s)
        for container in np.unique(kinds):
            of_kind = kinds == container
            world.record.containers(trip, int(container), destination, numbers[of_kind], rows[of_kind])
        yield from self._drive(truck, trip, lane.id, destination, len(rows), world.load_of(rows))
        floor = world.floors[destination]
        opens = floor.closed_until(env.now)
        if opens > env.now:
            yield env.timeout(opens - env.now)
        with floor.docks.request() as dock:
            yield dock
            each = floor.site.unload_s_per_parcel
            world.custody.move(rows, vehicle, world.site_custody[destination], env.now)
            arrive_s = env.now + each * np.arange(1.0, len(rows) + 1)
            world.enter_site(destination, rows, arrive_s, "sort")
            docked_s = env.now
            yield env.timeout(each * len(rows))
            self._leave_dock(destination, docked_s)
        self.busy.add(truck.name, begun, env.now)
        self._release(truck)
        yield from self._lay_over(truck)

    def haul_goods(
        self, origin: int, destination: int, load_g: int, load_ml: int
    ) -> Generator[simpy.Event, object, bool]:
        """Goods from a supplier ride to a warehouse, on as many trucks as they need, and are unloaded.

        Returns whether they did: goods that still wait for their departure when the run is cut stay. They take
        the next departure of the lane between the two; without a lane they leave at once with the first linehaul
        vehicle of the scenario.
        """
        world, env = self.world, self.world.env
        lane = next(iter(world.network.lanes_between(origin, destination)), None)
        if lane is None:
            kind = next(v for v in world.scenario.vehicles if v.role == "linehaul")
            lane_id = None
        else:
            section = world.scenario.lanes[lane]
            kind, lane_id = self._kinds[section.vehicle], section.id
            times = self.departures_s[lane]
            k = int(np.searchsorted(times, env.now))
            if k < len(times):
                yield env.any_of([env.timeout(float(times[k]) - env.now), world.cut])
                if world.closing:
                    return False
        self.hauls += 1
        count = max(1, -(-load_g // kind.capacity_g), -(-load_ml // kind.capacity_ml))
        trucks = [self._hire(origin, kind) for _ in range(count)]
        trips = [
            env.process(
                self._drive(
                    truck,
                    world.new_trip(),
                    lane_id,
                    destination,
                    parcels=0,
                    load=(load_g // count, load_ml // count),
                )
            )
            for truck in trucks
        ]
        begun = env.now
        yield env.all_of(trips)
        with world.floors[destination].docks.request() as dock:
            yield dock
            docked_s = env.now
            yield env.timeout(UNLOAD_S_PER_M3 * load_ml / 1e6)
            self._leave_dock(destination, docked_s)
        for truck in trucks:
            self.busy.add(truck.name, begun, env.now)
            self._release(truck)
            env.process(world.activity(self._lay_over(truck)))
        self.hauls -= 1
        return True

    def settle(self, truck: Truck) -> Process:
        """Take on a truck that an earlier run left at a site, when it gets there."""
        env = self.world.env
        if truck.free_s > env.now:
            yield env.timeout(truck.free_s - env.now)
        self._idle[truck.at, truck.kind.id].append(truck)
        yield from self._lay_over(truck)

    def occupy(self, site: int, from_s: float, to_s: float) -> Process:
        """Keep a dock for a truck of an earlier run."""
        env = self.world.env
        if from_s > env.now:
            yield env.timeout(from_s - env.now)
        with self.world.floors[site].docks.request() as dock:
            yield dock
            yield env.timeout(max(0.0, to_s - env.now))

    def _leave_dock(self, site: int, docked_s: float) -> None:
        if self.world.closing:
            self.docked.append((site, docked_s, self.world.env.now))

    def _lane_closed(self, lane: str, at_s: float) -> bool:
        return any(name == lane and starts <= at_s < ends for name, starts, ends in self._closed)

    def _load(
        self, origin: int, destination: int, kind: VehicleSection
    ) -> tuple[RowArray, RowArray, RowArray]:
        """Parcels sorted by now that fit on one truck, with container kinds and numbers; they leave the
        outbound area."""
        world = self.world
        rows, _ = world.floors[origin].waiting_for(destination)
        if not len(rows):
            return rows, rows, rows
        kinds = world.sort_plan.container[origin, world.area[rows], world.service[rows]]
        numbers = load_truck(
            kinds.astype(np.int64),
            world.demand.parcels.weight_g[rows],
            world.demand.parcels.volume_ml[rows],
            self._container_g,
            self._container_ml,
            kind.capacity_g,
            kind.capacity_ml,
        )
        taken = numbers >= 0
        world.floors[origin].take_outbound(destination, rows[taken])
        return rows[taken], kinds[taken], numbers[taken]

    def _drive(
        self,
        truck: Truck,
        trip: int,
        lane: str | None,
        destination: int,
        parcels: int,
        load: tuple[int, int],
    ) -> Process:
        """Move a truck to another site and record the leg."""
        world, env = self.world, self.world.env
        origin, departed = truck.at, env.now
        metres, seconds = world.linehaul_roads.leg(
            int(world.site_linehaul_place[origin]), int(world.site_linehaul_place[destination]), departed
        )
        yield env.timeout(seconds * world.slowdown(truck.name, truck.trips))
        truck.trips += 1
        truck.at = destination
        points = [world.site_point(origin), world.site_point(destination)]
        arrived = np.array([env.now])
        world.record.trip(
            TripLegs(
                trip=trip,
                vehicle=truck.name,
                kind=truck.kind,
                role="linehaul",
                lane=lane,
                site=world.scenario.sites[truck.home].id,
                points=np.array(points),
                place=np.array([-1], dtype=np.int32),
                depart_s=np.array([departed]),
                arrive_s=arrived,
                leave_s=arrived,
                distance_m=np.array([metres], dtype=np.int64),
                parcels=np.array([parcels], dtype=np.int32),
                load_g=np.array([load[0]], dtype=np.int64),
                load_ml=np.array([load[1]], dtype=np.int64),
            )
        )

    def _hire(self, site: int, kind: VehicleSection) -> Truck:
        idle = self._idle[site, kind.id]
        if idle:
            truck = idle.pop(0)
        else:
            truck = Truck(f"{kind.id}-{len(self.trucks) + 1}", kind, site, site)
            self.trucks.append(truck)
        truck.call += 1
        return truck

    def _release(self, truck: Truck) -> None:
        truck.free_s = self.world.env.now
        self._idle[truck.at, truck.kind.id].append(truck)

    def _lay_over(self, truck: Truck) -> Process:
        """A truck away from home waits for a load back, and drives home empty when none comes."""
        world, env = self.world, self.world.env
        if truck.at == truck.home or world.closing:
            return
        call = truck.call
        yield env.any_of([env.timeout(max(0.0, truck.free_s + LAYOVER_S - env.now)), world.cut])
        if truck.call != call or world.closing:
            return
        self._idle[truck.at, truck.kind.id].remove(truck)
        truck.call += 1
        begun = env.now
        yield from self._drive(truck, world.new_trip(), None, truck.home, 0, (0, 0))
        self.busy.add(truck.name, begun, env.now)
        self._release(truck)
