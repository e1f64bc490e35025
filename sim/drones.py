"""Delivery drones: out with one parcel, back empty, a fresh battery, and out again."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import simpy

from logistics.dispatch.messages import SortiePlan, VehicleReturned
from logistics.drones import sortie
from logistics.fleet import Fleet
from logistics.network import great_circle_m
from logistics.tables import RowArray
from sim.custody import CUSTOMER
from sim.draws import attempt_keys
from sim.legs import TripLegs
from sim.world import DRONE, BusyTime, Process, World


@dataclass
class Drones:
    """The drones of all stations."""

    world: World
    fleet: Fleet
    busy: BusyTime

    def fly(self, plan: SortiePlan) -> Process:
        """Carry out one plan: a sortie per parcel, with a battery swap between two."""
        world, env = self.world, self.world.env
        name = self.fleet.id[plan.drone]
        kind = world.scenario.vehicles[self.fleet.kind[plan.drone]]
        on_board = world.custody.number(f"vehicle:{name}")
        opens = world.clock.second(world.clock.day_of(env.now), int(self.fleet.opens_s[plan.drone]))
        if opens > env.now:
            yield env.timeout(opens - env.now)
        begun = env.now
        failed: list[int] = []
        delivered: list[int] = []
        for k, row in enumerate(plan.parcels.tolist()):
            if k:
                yield env.timeout(kind.swap_s)
            parcel = np.array([row], dtype=np.int32)
            handed = yield from self._sortie(plan, parcel, on_board, name)
            (delivered if handed else failed).append(row)
        self.busy.add(name, begun, env.now)
        world.tell(
            VehicleReturned(plan.drone, np.array(failed, dtype=np.int32), np.array(delivered, dtype=np.int32))
        )

    def _sortie(
        self, plan: SortiePlan, parcel: RowArray, on_board: int, name: str
    ) -> Generator[simpy.Event, object, bool]:
        world, env = self.world, self.world.env
        row = int(parcel[0])
        kind = world.scenario.vehicles[self.fleet.kind[plan.drone]]
        base, door = world.site_point(plan.site), world.place_point(int(world.place[row]))
        metres = great_circle_m(*base, *door)
        rules = world.scenario.delivery
        key = attempt_keys(world.key[parcel], world.parcels.attempts[parcel])
        service_s = rules.per_stop_s * float(world.draws("door", "service").multiplier(key, rules.cv)[0])
        somebody = bool(world.draws("door", "answer").uniform(key)[0] >= rules.failure)
        load = world.load_of(parcel)
        flight = sortie(kind, metres, load[0], service_s)
        departed = env.now
        world.custody.move(parcel, world.site_custody[plan.site], on_board, env.now)
        world.stamp("loaded_s", parcel, env.now)
        world.parcels.mode[parcel] = DRONE
        yield env.timeout(flight.out_s + service_s)
        if world.parcels.attempts[row] == 0:
            world.parcels.delivered_first[row] = int(somebody)
        world.parcels.attempts[row] += 1
        if somebody:
            world.finish(parcel, on_board, CUSTOMER)
        left = env.now
        yield env.timeout(flight.total_s - flight.out_s - service_s)
        if not somebody:
            world.custody.move(parcel, on_board, world.site_custody[plan.site], env.now)
        out = flight.energy_j * (flight.out_s / flight.total_s)
        back = (0, 0, 0) if somebody else (1, *load)
        world.record.trip(
            TripLegs(
                trip=world.new_trip(),
                vehicle=name,
                kind=kind,
                role="drone",
                lane=None,
                site=world.scenario.sites[plan.site].id,
                points=np.array([base, door, base]),
                place=np.array([world.place[row], -1], dtype=np.int32),
                depart_s=np.array([departed, left]),
                arrive_s=np.array([departed + flight.out_s, env.now]),
                leave_s=np.array([left, env.now]),
                distance_m=np.array([round(metres)] * 2, dtype=np.int64),
                parcels=np.array([1, back[0]], dtype=np.int32),
                load_g=np.array([load[0], back[1]], dtype=np.int64),
                load_ml=np.array([load[1], back[2]], dtype=np.int64),
                energy_j=np.array([out, flight.energy_j - out]),
            )
        )
        return somebody
