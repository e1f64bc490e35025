"""Puts into a new twin what an earlier run left: `sim.handover` took it out.

What goes on exactly as if there had been no cut: queues and work at sites, parcels waiting for trucks, stock and
reservations, goods ordered, the dispatcher's book, timers and open solves, the luck of parcels and vehicles. What
was on the road at the cut was carried to its end by the earlier run and comes in here at its time: parcels as
arrivals, vehicles as reports, docks as taken. Only there can a run in one piece differ: the earlier run's late
arrivals did not see this run's trucks at the docks and parcels in the lockers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from logistics.dispatch.memory import AskedMemory, BookMemory, resume
from logistics.dispatch.messages import VehicleReturned
from logistics.dispatch.routing import VehicleGroup
from logistics.network import rows
from logistics.scenario import Scenario
from logistics.stock import Replenishment
from sim.custody import NOT_ORDERED
from sim.floor import SiteFloor
from sim.joining import coded
from sim.state import RunState
from sim.stations import Waiting
from sim.trucks import Truck
from sim.twin import Twin
from sim.world import STAMPS
from solvers.errors import Fault, InvalidInputError

NOTHING = np.empty(0, dtype=np.int32)


def check_vehicles(state: RunState, twin: Twin, folder: str) -> None:
    """Raise `InvalidInputError` where vans or drones on the road are not of the scenario's fleet."""
    away = {report["vehicle"] for report in state.header["reports"]}
    for solve in state.header["solves"]:
        away |= {name for group in solve["groups"] for name in group["vehicles"]}
    missing = sorted(away - set(twin.fleet.id))
    if missing:
        raise InvalidInputError(
            [
                Fault(
                    folder, f"vehicle {name}", "", "other-fleet", "it is on the road, and the fleet lacks it",
                    "keep it in the fleet, or start from a state in which it is at its station",
                )
                for name in missing
            ]
        )  # fmt: skip


def put_state(twin: Twin, state: RunState) -> None:
    """Bring a twin, built on the joined demand and not yet run, into the state."""
    _Putting(twin, state).all()


class _Putting:
    def __init__(self, twin: Twin, state: RunState) -> None:
        self.twin, self.state, self.header = twin, state, state.header
        self.shift = state.shift_s(twin.scenario)
        self.cut_s = float(state.header["cut_s"]) + self.shift
        self.parcels = state.columns("parcels")
        self.known = int(sum(name is not None for name in self.parcels["custody"]))
        self.site = twin.world.network.site

    def all(self) -> None:
        self._custody()
        self._parcels()
        self._work()
        self._stock()
        self._linehaul()
        self._vans()
        self._dispatcher()

    def later(self, moment_s: Any) -> float:
        return float(moment_s) + self.shift

    # --- parcels --------------------------------------------------------------------------------------

    def _custody(self) -> None:
        custody, now = self.twin.custody, self.twin.env.now
        where = self.parcels["custody"][: self.known]
        for name in dict.fromkeys(where.tolist()):
            here = np.flatnonzero(where == name).astype(np.int32)
            custody.move(here, NOT_ORDERED, custody.number(name), now)
        self.twin.intake = [self.known, 0]

    def _parcels(self) -> None:
        world, count = self.twin.world, len(self.parcels["key"])
        for name in STAMPS:
            world.parcels.stamps[name][:count] = self.parcels[name] + self.shift
        world.parcels.attempts[:count] = self.parcels["attempts"]
        world.parcels.delivered_first[:count] = self.parcels["first_attempt"]
        world.parcels.mode[:count] = self.parcels["mode"]

    def _work(self) -> None:
        work, outbound = self.state.columns("work"), self.state.columns("outbound")
        for site, floor in self.twin.world.floors.items():
            here = work["site"] == floor.site.id
            if here.any():
                self._resume_floor(floor, {name: column[here] for name, column in work.items()})
            here = outbound["site"] == self.twin.scenario.sites[site].id
            for name in dict.fromkeys(outbound["next"][here].tolist()):
                chosen = here & (outbound["next"] == name)
                floor.put_outbound(
                    self.site[name], outbound["parcel"][chosen], outbound["ready_s"][chosen] + self.shift
                )

    def _resume_floor(self, floor: SiteFloor, work: dict[str, Any]) -> None:
        """Queues and work of the stages; a storage or sorter takes in what waited there, what people had begun they
        end.

        Work that a storage or sorter of the earlier run had open has no service time yet where a stage of people
        goes on with it.
        """
        waiting, running = [], []
        service = self.twin.world.stage_service_s(floor.site.id)
        for stage in floor.stages:
            at_stage = work["stage"] == stage.name
            begun = at_stage & ~np.isnan(work["finish_s"])
            rest = at_stage & ~begun
            machine = floor.machine(stage.name)
            if machine is not None:
                machine.resume(work["parcel"][rest], work["arrive_s"][rest] + self.shift, self.twin.begins_s)
                rest = np.zeros_like(rest)
            parcels = work["parcel"][rest]
            declared_s = work["service_s"][rest]
            waiting.append(
                Waiting(
                    parcels,
                    work["arrive_s"][rest] + self.shift,
                    np.where(np.isnan(declared_s), service(stage, parcels), declared_s),
                    work["priority"][rest].astype(np.int32),
                )
            )
            running.append((work["parcel"][begun], work["finish_s"][begun] + self.shift))
        floor.chain.resume(self.cut_s, waiting, running)

    # --- stock ----------------------------------------------------------------------------------------

    def _stock(self) -> None:
        twin, supply = self.twin, self.twin.supply
        item = {code: row for row, code in enumerate(twin.demand.items.code.tolist())}
        table = self.state.columns("stock")
        cell = (
            np.searchsorted(supply.stock.warehouses, coded(table["warehouse"], self.site)),
            coded(table["item"], item),
        )
        for name in ("on_hand", "reserved", "on_order"):
            getattr(supply.stock, name)[cell] = table[name]
        waiting = self.state.columns("backorders")
        supply.waiting = waiting["parcel"].tolist()
        supply.deadline_s = dict(
            zip(supply.waiting, (waiting["deadline_s"] + self.shift).tolist(), strict=True)
        )
        for goods in self.header["goods"]:
            codes = coded(goods["items"], item)
            batch = Replenishment(
                np.full(len(codes), self.site[goods["supplier"]], dtype=np.int32),
                np.full(len(codes), self.site[goods["warehouse"]], dtype=np.int32),
                codes,
                np.array(goods["quantities"], dtype=np.int64),
            )
            arrives_s = goods["arrives_s"]
            twin.env.process(
                supply.bring(batch) if arrives_s is None else supply.receive_at(self.later(arrives_s), batch)
            )

    # --- vehicles -------------------------------------------------------------------------------------

    def _linehaul(self) -> None:
        twin, linehaul = self.twin, self.twin.linehaul
        lanes = twin.world.network.lane
        for name, last in self.header["handled_s"].items():
            if name in lanes:
                linehaul.handled_s[lanes[name]] = self.later(last)
        for dock in self.header["docks"]:
            taken = self.site[dock["site"]], self.later(dock["from_s"]), self.later(dock["to_s"])
            linehaul.docked.append(taken)
            twin.env.process(linehaul.occupy(*taken))
        kinds = {vehicle.id: vehicle for vehicle in twin.scenario.vehicles}
        trucks = [
            Truck(
                each["name"], kinds[each["kind"]], self.site[each["home"]], self.site[each["at"]],
                each["trips"], self.later(each["free_s"]),
            )
            for each in self.header["trucks"]
        ]  # fmt: skip
        linehaul.trucks += trucks
        for truck in sorted(trucks, key=lambda truck: truck.free_s):
            twin.env.process(twin.world.activity(linehaul.settle(truck)))

    def _vans(self) -> None:
        vans = self.twin.vans
        for number, name in enumerate(self.twin.fleet.id):
            vans.trips[number] = self.header["van_trips"].get(name, 0)
        for name, freed_s in self.header["lockers"].items():
            vans.lockers[self.site[name]].fill([self.later(at_s) for at_s in freed_s])

    # --- the dispatcher -------------------------------------------------------------------------------

    def _dispatcher(self) -> None:
        twin, header = self.twin, self.header
        number = {name: n for n, name in enumerate(twin.fleet.id)}
        known = np.arange(self.known, dtype=np.int32)
        column = {name: np.asarray(self.parcels[name][: self.known]) for name in self.parcels}
        memory = BookMemory(
            status=column["status"].astype(np.int64),
            attempts=column["book_attempts"].astype(np.int64),
            postponed=column["postponed"].astype(np.int64),
            pool_site=coded(column["pool_site"], self.site).astype(np.int64),
            rank=column["rank"].astype(np.int64),
        )
        twin.state, solves = resume(
            twin.dispatcher,
            twin.orders_placed(known),
            memory,
            [self._asked(solve, twin.scenario, number) for solve in header["solves"]],
            {number[report["vehicle"]] for report in header["reports"]},
            header["next_solve"],
            [(self.site[each["site"]], each["wave"]) for each in header["deferred"]],
        )
        for report in header["reports"]:
            failed = np.array(report["failed"], dtype=np.int32)
            twin.hear(self.later(report["at_s"]), VehicleReturned(number[report["vehicle"]], failed, NOTHING))
        for solve, told in zip(solves, header["solves"], strict=True):
            twin.solve_again(solve, self.later(told["asked_s"]), self.later(told["answered_s"]))

    def _asked(self, solve: dict[str, Any], scenario: Scenario, number: dict[str, int]) -> AskedMemory:
        kinds = rows(scenario.vehicles)
        return AskedMemory(
            solve=solve["solve"],
            site=self.site[solve["site"]],
            role=solve["role"],
            depart_s=solve["depart_s"] + self.shift,
            groups=tuple(
                VehicleGroup(
                    scenario.vehicles[kinds[group["kind"]]],
                    tuple(number[name] for name in group["vehicles"]),
                    group["earliest_s"] + self.shift,
                    group["latest_s"] + self.shift,
                )
                for group in solve["groups"]
            ),
            rows=np.array(solve["parcels"], dtype=np.int32),
            first=np.array(solve["first"], dtype=np.int64),
            service_s=np.array(solve["service_s"], dtype=np.int64),
            tw=np.array(solve["windows"], dtype=np.int64) + self.shift,
            solver=solve["solver"],
            iterations=solve["iterations"],
            parameters=solve["parameters"],
            seed=solve["seed"],
            charge_s=solve["charge_s"],
        )
