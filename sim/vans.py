"""Delivery vans: they carry out the trips of a plan, stop by stop, and report what happened at the doors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from logistics.dispatch.messages import COLLECTION, DELIVERY, Trip, VehicleReturned
from logistics.fleet import Fleet
from logistics.roads import Drive
from logistics.tables import LOCKER, FloatArray, RowArray
from sim.custody import CUSTOMER
from sim.draws import attempt_keys
from sim.legs import TripLegs
from sim.lockers import Locker
from sim.world import VAN, BusyTime, Process, World

NOTHING = np.empty(0, dtype=np.int32)


@dataclass
class Vans:
    """The vans of all stations. Lockers are by site row."""

    world: World
    fleet: Fleet
    busy: BusyTime
    lockers: dict[int, Locker] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.trips = [0] * len(self.fleet)  # of each van so far

    def drive(self, trip: Trip, role: str, solve: int = -1) -> Process:
        """One trip of a plan: load, visit the stops, come back, unload, report."""
        world, env = self.world, self.world.env
        vehicle, stops = trip.vehicle, trip.stops
        name, site = self.fleet.id[vehicle], int(self.fleet.site[vehicle])
        on_board = world.custody.number(f"vehicle:{name}")
        at_station = world.site_custody[site]
        rows = np.concatenate([stop.parcels for stop in stops])
        begun = env.now
        if role == DELIVERY:
            world.custody.move(rows, at_station, on_board, env.now)
            world.stamp("loaded_s", rows, env.now)
            world.parcels.mode[rows] = VAN
            yield env.timeout(len(rows) * world.floors[site].site.load_s_per_parcel)
        if trip.depart_s > env.now:
            yield env.timeout(trip.depart_s - env.now)
        somebody, dwell_s = self._at_the_doors(trip, role)
        station = int(world.site_place[site])
        driven = world.roads.drive(
            np.array([station, *(stop.road_place for stop in stops), station], dtype=np.int32),
            env.now,
            dwell_s,
            np.array([0.0, *(float(stop.earliest_s) for stop in stops), 0.0]),
            world.slowdown(name, self.trips[vehicle]),
        )
        self.trips[vehicle] += 1
        number = world.new_trip()
        done: list[RowArray] = []
        for k, stop in enumerate(stops):
            wait = float(driven.leave_s[k + 1]) - env.now
            yield env.timeout(max(0.0, wait))
            if role == COLLECTION:
                done.append(self._collect(stop.parcels, on_board))
            else:
                done.append(self._hand_over(stop.parcels, stop.place, somebody[k], on_board))
        yield env.timeout(max(0.0, float(driven.arrive_s[-1]) - env.now))
        self._record(trip, number, role, solve, done, driven)
        self.busy.add(name, begun, env.now)
        handled = np.concatenate(done)
        if role == COLLECTION:
            self._unload(handled, site, on_board)
            world.tell(VehicleReturned(vehicle, NOTHING, NOTHING))
            return
        failed = np.concatenate(
            [stop.parcels[len(handed) :] for stop, handed in zip(stops, done, strict=True)]
        )
        first = world.parcels.attempts[rows] == 0
        world.parcels.delivered_first[rows[first]] = (world.custody.place[rows] == CUSTOMER)[first]
        world.parcels.attempts[rows] += 1
        world.custody.move(failed, on_board, at_station, env.now)
        world.tell(VehicleReturned(vehicle, failed, handled))

    def _at_the_doors(self, trip: Trip, role: str) -> tuple[NDArray[np.bool_], FloatArray]:
        """Whether somebody answers at each stop (lockers and merchants always do), and the time spent there:
        expected times luck, without the parcels where nobody answers. Luck is by parcel and attempt."""
        world, rules = self.world, self.world.scenario.delivery
        first = np.array([int(stop.parcels[0]) for stop in trip.stops])
        counts = np.array([len(stop.parcels) for stop in trip.stops])
        key = attempt_keys(world.key[first], world.parcels.attempts[first])
        somebody = world.draws("door", "answer").uniform(key) >= rules.failure
        if role == COLLECTION:
            somebody[:] = True
        else:
            somebody |= world.demand.places.kind[[stop.place for stop in trip.stops]] == LOCKER
        expected = rules.parking_s + rules.per_stop_s + rules.per_parcel_s * counts * somebody
        luck = world.draws("door", "service").multiplier(key, rules.cv)
        return somebody, np.concatenate([[0.0], expected * luck, [0.0]])

    def _collect(self, parcels: RowArray, on_board: int) -> RowArray:
        """Take what still stands at the merchant."""
        world = self.world
        merchant = world.site_custody[int(world.origin[parcels[0]])]
        rows: RowArray = parcels[world.custody.place[parcels] == merchant]
        world.custody.move(rows, merchant, on_board, world.env.now)
        world.stamp("collected_s", rows, world.env.now)
        return rows

    def _hand_over(self, parcels: RowArray, place: int, somebody: bool, on_board: int) -> RowArray:
        """Deliver what can be delivered at a stop: all, none, or what a locker has room for."""
        world = self.world
        accepted = len(parcels) if somebody else 0
        locker = self.lockers.get(int(world.demand.places.site[place]))
        if locker is not None:
            accepted = locker.put(world.key[parcels], world.env.now)
        handed = parcels[:accepted]
        world.finish(handed, on_board, CUSTOMER)
        return handed

    def _unload(self, rows: RowArray, site: int, on_board: int) -> None:
        """Collected parcels go onto the station's floor."""
        world = self.world
        if len(rows):
            world.custody.move(rows, on_board, world.site_custody[site], world.env.now)
            each = world.floors[site].site.unload_s_per_parcel
            arrive_s = world.env.now + each * np.arange(1.0, len(rows) + 1)
            world.enter_site(site, rows, arrive_s, "sort")

    def _record(
        self, trip: Trip, number: int, role: str, solve: int, done: list[RowArray], driven: Drive
    ) -> None:
        """The trip's legs, with what was on board of each."""
        world, fleet = self.world, self.fleet
        parcels = world.demand.parcels
        site = int(fleet.site[trip.vehicle])
        sums = np.array(
            [(len(d), parcels.weight_g[d].sum(), parcels.volume_ml[d].sum()) for d in done], dtype=np.int64
        )
        if role == COLLECTION:
            load = np.concatenate([np.zeros((1, 3), dtype=np.int64), np.cumsum(sums, axis=0)])
        else:
            rows = np.concatenate([stop.parcels for stop in trip.stops])
            total = np.array([len(rows), parcels.weight_g[rows].sum(), parcels.volume_ml[rows].sum()])
            load = np.concatenate([total[None, :], total - np.cumsum(sums, axis=0)])
        point = world.site_point if role == COLLECTION else world.place_point
        base = world.site_point(site)
        stops = [stop.place for stop in trip.stops]
        world.record.trip(
            TripLegs(
                trip=number,
                vehicle=fleet.id[trip.vehicle],
                kind=world.scenario.vehicles[fleet.kind[trip.vehicle]],
                role=role,
                lane=None,
                site=world.scenario.sites[site].id,
                points=np.array([base, *(point(place) for place in stops), base]),
                place=np.array(
                    [-1] * (len(stops) + 1) if role == COLLECTION else [*stops, -1], dtype=np.int32
                ),
                depart_s=driven.leave_s[:-1],
                arrive_s=driven.arrive_s[1:],
                leave_s=driven.leave_s[1:],
                distance_m=driven.distance_m[1:],
                parcels=load[:, 0].astype(np.int32),
                load_g=load[:, 1],
                load_ml=load[:, 2],
                solve=solve,
            )
        )
