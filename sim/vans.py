"""Delivery vans: they carry out the trips of a plan, stop by stop, and report what happened at the doors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from logistics.dispatch.messages import COLLECTION, Stop, Trip, VehicleReturned
from logistics.fleet import Fleet
from logistics.tables import LOCKER, RowArray
from sim.custody import CUSTOMER
from sim.legs import place_point, record_leg, site_point
from sim.lockers import Locker
from sim.world import VAN, BusyTime, Process, World

NOTHING = np.empty(0, dtype=np.int32)


@dataclass
class Vans:
    """The vans of all stations."""

    world: World
    fleet: Fleet
    busy: BusyTime
    lockers: dict[int, Locker] = field(default_factory=dict)  # site row -> locker

    def __post_init__(self) -> None:
        self._trips = [0] * len(self.fleet)

    def drive(self, trip: Trip, role: str) -> Process:
        """One trip: load, visit the stops, come back, unload, report."""
        world, env = self.world, self.world.env
        vehicle = trip.vehicle
        name, site = self.fleet.id[vehicle], int(self.fleet.site[vehicle])
        kind = world.scenario.vehicles[self.fleet.kind[vehicle]]
        floor = world.floors[site]
        on_board = world.custody.number(f"vehicle:{name}")
        at_station = world.site_custody[site]
        begun = env.now
        rows = NOTHING if role == COLLECTION else np.concatenate([s.parcels for s in trip.stops])
        if len(rows):
            world.custody.move(rows, at_station, on_board, env.now)
            world.stamp("loaded_s", rows, env.now)
            world.parcels.mode[rows] = VAN
            yield env.timeout(len(rows) * floor.site.load_s_per_parcel)
        if trip.depart_s > env.now:
            yield env.timeout(trip.depart_s - env.now)
        home = self._home(trip.stops) if role != COLLECTION else [True] * len(trip.stops)
        driven = world.roads.drive(
            self._places(site, trip.stops),
            env.now,
            self._dwell_s(trip.stops, home),
            np.array([0.0, *(float(s.earliest_s) for s in trip.stops), 0.0]),
            world.slowdown(name, self._trips[vehicle]),
        )
        self._trips[vehicle] += 1
        number = world.new_trip()
        point = site_point if role == COLLECTION else place_point
        points = [site_point(world, site), *(point(world, s.place) for s in trip.stops)]
        points.append(points[0])
        held, delivered, failed = rows, [], []
        for k in range(1, len(points)):
            stop = trip.stops[k - 1] if k <= len(trip.stops) else None
            load = held if role != COLLECTION or k == 1 else np.concatenate([NOTHING, *delivered])
            record_leg(
                world,
                trip=number,
                leg=k - 1,
                vehicle=name,
                kind=kind,
                role=role,
                lane=None,
                site=floor.site.id,
                origin=points[k - 1],
                destination=points[k],
                place=stop.place if stop and role != COLLECTION else None,
                depart_s=float(driven.leave_s[k - 1]),
                arrive_s=float(driven.arrive_s[k]),
                leave_s=float(driven.leave_s[k]),
                distance_m=int(driven.distance_m[k]),
                parcels=len(load),
                load=world.load_of(load),
            )
            yield env.timeout(max(0.0, driven.leave_s[k] - env.now))
            if stop is None:
                break
            if role == COLLECTION:
                delivered.append(self._collect(stop, on_board))
            else:
                handed = self._hand_over(stop, home[k - 1], on_board)
                delivered.append(handed)
                left = stop.parcels[~np.isin(stop.parcels, handed)]
                failed.append(left)
                held = held[~np.isin(held, handed)]
        self._unload(role, site, on_board, delivered, failed)
        self.busy.add(name, begun, env.now)
        world.tell(
            VehicleReturned(
                vehicle,
                np.concatenate([NOTHING, *failed]),
                NOTHING if role == COLLECTION else np.concatenate([NOTHING, *delivered]),
            )
        )

    def _places(self, site: int, stops: tuple[Stop, ...]) -> RowArray:
        station = int(self.world.site_place[site])
        return np.array([station, *(s.road_place for s in stops), station], dtype=np.int32)

    def _home(self, stops: tuple[Stop, ...]) -> list[bool]:
        """Whether somebody answers, stop by stop; lockers always do. Luck is by parcel and attempt."""
        world, failure = self.world, self.world.scenario.delivery.failure
        first = np.array([int(stop.parcels[0]) for stop in stops])
        luck = world.draws("door", "answer").uniform(first * 64 + world.parcels.attempts[first])
        lockers = world.demand.places.kind[[s.place for s in stops]] == LOCKER
        return [bool(x) for x in (luck >= failure) | lockers]

    def _dwell_s(self, stops: tuple[Stop, ...], home: list[bool]) -> np.ndarray:
        """Time at each stop: expected times luck, without the parcels where nobody answers."""
        world, rules = self.world, self.world.scenario.delivery
        first = np.array([int(stop.parcels[0]) for stop in stops])
        counts = np.array([len(stop.parcels) for stop in stops])
        expected = rules.parking_s + rules.per_stop_s + rules.per_parcel_s * counts * np.array(home)
        luck = world.draws("door", "service").multiplier(first * 64 + world.parcels.attempts[first], rules.cv)
        return np.concatenate([[0.0], expected * luck, [0.0]])

    def _collect(self, stop: Stop, on_board: int) -> RowArray:
        world = self.world
        rows = stop.parcels[np.isin(world.custody.place[stop.parcels], world.site_custody)]
        for merchant in np.unique(world.origin[rows]):
            chosen = rows[world.origin[rows] == merchant]
            world.custody.move(chosen, world.site_custody[merchant], on_board, world.env.now)
        world.stamp("collected_s", rows, world.env.now)
        return rows

    def _hand_over(self, stop: Stop, somebody: bool, on_board: int) -> RowArray:
        """Deliver what can be delivered at a stop; returns it."""
        world, rows = self.world, stop.parcels
        place_site = int(world.demand.places.site[stop.place])
        accepted = len(rows) if somebody else 0
        if somebody and place_site in self.lockers:
            accepted = self.lockers[place_site].put(rows, world.env.now)
        handed = rows[:accepted]
        first = world.parcels.attempts[rows] == 0
        world.parcels.delivered_first[rows[first]] = np.arange(len(rows))[first] < accepted
        world.parcels.attempts[rows] += 1
        world.finish(handed, on_board, CUSTOMER)
        return handed

    def _unload(
        self,
        role: str,
        site: int,
        on_board: int,
        delivered: list[RowArray],
        failed: list[RowArray],
    ) -> None:
        """What came back goes onto the station's floor (collected) or waits there (failed)."""
        world = self.world
        rows = np.concatenate([NOTHING, *(delivered if role == COLLECTION else failed)])
        world.custody.move(rows, on_board, world.site_custody[site], world.env.now)
        if role == COLLECTION and len(rows):
            each = world.floors[site].site.unload_s_per_parcel
            world.enter_site(site, rows, world.env.now + each * np.arange(1, len(rows) + 1), "sort")
