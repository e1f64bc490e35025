"""The twin: one simulated parcel network, from order to doorstep, driven by the dispatcher that runs it live."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import pandas as pd
import simpy

from logistics.clock import LocalClock
from logistics.dispatch import DispatchConfig, Dispatcher
from logistics.dispatch.messages import (
    CancellationsAsked,
    Command,
    Event,
    LeftOut,
    OrdersPlaced,
    PublishPlan,
    Reserve,
    ReturnPlan,
    RoutePlan,
    SetTimer,
    Solve,
    SolveFinished,
    SortiePlan,
    Started,
    TimerFired,
    WavePlan,
    Withdrawal,
)
from logistics.fleet import Fleet
from logistics.network import Network
from logistics.roads import Roads
from logistics.scenario import DAY_S, Scenario
from logistics.sort_plan import SortPlan
from logistics.stock import Stock
from logistics.tables import NOBODY, BoolArray, Demand, IntArray, RowArray
from logistics.timetable import departures
from sim.custody import CANCELLED, NOT_ORDERED, ORDER_BOOK, RETURNED, Custody
from sim.draws import KeyArray, parcel_keys
from sim.drones import Drones
from sim.floor import Closure, SiteFloor
from sim.lockers import Locker
from sim.random_streams import Streams
from sim.record import Recorder
from sim.solving import Solved, SolverPool
from sim.sorting.site import site_sorting
from sim.supply import Supply
from sim.trucks import Linehaul
from sim.vans import Vans
from sim.warehouse.site import site_picking, storage_faults
from sim.world import BusyTime, World

AUDIT_EVERY_S = 3600


@dataclass(frozen=True, slots=True)
class TwinOptions:
    """How to run: threads for solvers, wall-clock solve times, an audit at every movement, an event log."""

    jobs: int | None = None
    measured_solve_time: bool = False
    audit_every_move: bool = False
    keep_events: bool = False


class Twin:
    """Build one per run, call `run`, then read `world`, `record` and the rest."""

    def __init__(
        self,
        scenario: Scenario,
        demand: Demand,
        roads: Roads,
        linehaul_roads: Roads,
        streams: Streams,
        options: TwinOptions | None = None,
        begins_s: float = 0.0,
        keys: KeyArray | None = None,
        policy_demand: Demand | None = None,
        past: pd.DataFrame | None = None,
    ) -> None:
        """A world in which nothing has been ordered yet; `sim.resume` puts in what an earlier run left.

        `begins_s` is when the clock starts, in seconds from the scenario's start; `keys` name the parcels in draws
        of luck (by default `parcel_keys`); stock levels are set for `policy_demand` (by default the demand);
        slotting learns from `past` (`logistics.past_orders`; by default from nothing).
        """
        self.options = options or TwinOptions()
        self.scenario = scenario
        self.demand = demand
        self.begins_s = begins_s
        self.env = simpy.Environment(initial_time=begins_s)
        network = Network.of(scenario)
        clock = LocalClock(scenario.scenario)
        days = scenario.scenario.horizon_days
        self.horizon_s = clock.day_start(0) + days * DAY_S
        self.stop_s = min(float(self.horizon_s), stop_second(scenario))
        self.cut_s = begins_s
        self.record = Recorder()
        self.custody = Custody(demand.parcels.units, self.options.audit_every_move)
        self.world = World(
            env=self.env,
            scenario=scenario,
            clock=clock,
            demand=demand,
            network=network,
            sort_plan=SortPlan.of(network),
            roads=roads,
            linehaul_roads=linehaul_roads,
            streams=streams,
            custody=self.custody,
            record=self.record,
            tell=self.tell,
            key=parcel_keys(demand, round(scenario.scenario.start.timestamp())) if keys is None else keys,
        )
        for row, site in enumerate(scenario.sites):
            if site.stages:
                self.world.floors[row] = SiteFloor(
                    self.env,
                    site,
                    clock,
                    days,
                    list(_closures(scenario, site.id)),
                    self.world.stage_service_s(site.id),
                    self.world.priority,
                    site_picking(
                        site,
                        row,
                        clock,
                        days,
                        list(_closures(scenario, site.id)),
                        demand,
                        streams,
                        past,
                        storage_faults(scenario, site.id),
                    ),
                    site_sorting(self.world, row, days, list(_closures(scenario, site.id))),
                )
        self.fleet = Fleet.of(scenario)
        self.busy = BusyTime()
        timetable = tuple(departures(lane, scenario.scenario, self.horizon_s) for lane in scenario.lanes)
        self.linehaul = Linehaul(self.world, self.busy, timetable)
        self.vans = Vans(self.world, self.fleet, self.busy, self._lockers())
        self.drones = Drones(self.world, self.fleet, self.busy)
        self.supply = Supply(self.world, Stock(scenario, demand, policy_demand=policy_demand), self.linehaul)
        self.config = DispatchConfig(
            scenario=scenario,
            roads=roads,
            fleet=self.fleet,
            collecting_station=np.where(
                [site.kind == "merchant" for site in scenario.sites], network.home, NOBODY
            ),
            pickup_opens=_pickup_clock(scenario, "opens", 0),
            pickup_closes=_pickup_clock(scenario, "closes", DAY_S),
            seed=streams.spawn_seed("dispatcher", "solves"),
        )
        self.dispatcher = Dispatcher(self.config)
        self.state = self.dispatcher.start()
        self.events: list[tuple[int, Event]] = []
        self.reports: list[
            tuple[float, Event]
        ] = []  # what vehicles report after the cut: the next run's to hear
        self.solving: dict[
            int, tuple[Solve, float, float]
        ] = {}  # asked for, by number: asked and answered when
        self.intake = [0, 0]  # orders and cancellations taken in so far, as rows of the demand
        self.commands: list[tuple[int, Command]] = []
        self.pool = SolverPool(self.options.jobs)
        self.waited_s = 0.0  # wall time in which the simulation waited for solvers
        self._cancelling: tuple[IntArray, IntArray] = (np.empty(0, np.int64), np.empty(0, np.int64))

    # --- running --------------------------------------------------------------------------------------

    def run(self) -> None:
        """Simulate until every parcel is final and every vehicle is back, or to the cut (the scenario's `stop_at`
        or horizon). What was begun before the cut is then carried to its end; nothing new begins."""
        env, world = self.env, self.world
        self.tell(Started())
        env.process(self._intake())
        env.process(self._audit())
        reviews = [
            world.clock.second(day, self.scenario.stock.review)
            for day in range(self.scenario.scenario.horizon_days)
        ]
        env.process(
            self.supply.review_daily(np.array([t for t in reviews if t >= self.begins_s], dtype=np.int64))
        )
        for row in range(len(self.scenario.lanes)):
            env.process(self.linehaul.serve(row))
        try:
            if len(self.demand.parcels):
                while not world.ended.triggered and env.peek() < self.stop_s:
                    env.step()
                if not world.ended.triggered and env.now < self.stop_s:
                    env.run(until=self.stop_s)
            self._close()
        finally:
            self.pool.close()

    def _close(self) -> None:
        """Cut the run now."""
        world = self.world
        for site in world.floors:
            world.work(site)
        self.cut_s = self.env.now
        world.close()
        while world.active or self.linehaul.hauls:
            self.env.step()
        self.custody.audit()

    def _audit(self) -> Generator[simpy.Event, object, None]:
        while True:
            yield self.env.timeout(AUDIT_EVERY_S)
            self.custody.audit()

    def _intake(self) -> Generator[simpy.Event, object, None]:
        """Take in what was ordered and cancelled, every `intake_s` in which there was any."""
        step = self.scenario.dispatch.intake_s
        placed = self.world.placed_s
        asked = self.demand.cancellations.at_s
        first, first_cancelled = self.intake
        while first < len(placed) or first_cancelled < len(asked):
            pending = [placed[first]] if first < len(placed) else []
            pending += [asked[first_cancelled]] if first_cancelled < len(asked) else []
            wake = max(0, math.ceil(float(min(pending)) / step) * step)
            yield self.env.timeout(max(0.0, wake - self.env.now))
            if self.world.closing:
                return
            last = int(np.searchsorted(placed, self.env.now, side="right"))
            if last > first:
                self._take_in(np.arange(first, last, dtype=np.int32))
            first = last
            while first_cancelled < len(asked) and asked[first_cancelled] <= self.env.now:
                self._cancel(first_cancelled)
                first_cancelled += 1
            self.intake = [first, first_cancelled]

    def _take_in(self, rows: RowArray) -> None:
        world = self.world
        origin = world.origin[rows]
        stocked = self._stocked(rows)
        world.stamp("accepted_s", rows, self.env.now)
        self.custody.move(rows[stocked], NOT_ORDERED, ORDER_BOOK, self.env.now)
        for site in np.unique(origin[~stocked]):
            here = rows[origin == site]
            self.custody.move(here, NOT_ORDERED, world.site_custody[site], self.env.now)
            if self.scenario.sites[site].kind != "merchant":  # handed in at the counter
                world.stamp("collected_s", here, self.env.now)
                world.enter_site(int(site), here, np.full(len(here), self.env.now), "sort")
        self.tell(self.orders_placed(rows))

    def _stocked(self, rows: RowArray) -> BoolArray:
        """Which parcels take stock from a warehouse."""
        kinds = np.array([site.kind for site in self.scenario.sites])
        stocked: BoolArray = kinds[self.world.origin[rows]] == "warehouse"
        return stocked

    def orders_placed(self, rows: RowArray) -> OrdersPlaced:
        """What the dispatcher is told of new parcels."""
        world, parcels, places = self.world, self.demand.parcels, self.demand.places
        place = world.place[rows]
        return OrdersPlaced(
            service=world.service[rows],
            place=place,
            lon=places.lon[place],
            lat=places.lat[place],
            station=world.station[rows],
            origin=world.origin[rows],
            needs_stock=self._stocked(rows).astype(np.int64),
            weight_g=parcels.weight_g[rows],
            volume_ml=parcels.volume_ml[rows],
            promise_s=world.promise_s[rows],
        )

    def _cancel(self, number: int) -> None:
        """Ask the dispatcher to withdraw units of a line, as far as the line still has any."""
        cancellations, lines = self.demand.cancellations, self.demand.lines
        line = int(cancellations.line[number])
        row = int(lines.parcel[line])
        units = min(int(cancellations.quantity[number]), int(self.supply.quantity[line]))
        if units <= 0 or self.custody.place[row] != ORDER_BOOK:
            return
        remaining = int(self.custody.units[row]) - units
        self._cancelling = (np.array([line]), np.array([units]))
        self.tell(
            CancellationsAsked(
                np.array([row], dtype=np.int32), np.array([units]), np.array([remaining], dtype=np.int64)
            )
        )

    # --- the dispatcher -------------------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Hand an event to the dispatcher and carry out what it commands."""
        if self.world.closing:
            self.reports.append((self.env.now, event))
            return
        now = math.ceil(self.env.now)
        if self.options.keep_events:
            self.events.append((now, event))
        self.state, commands = self.dispatcher.step(self.state, [event], now)
        if self.options.keep_events:
            self.commands += [(now, command) for command in commands]
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        match command:
            case Reserve(parcels):
                self.supply.reserve(parcels)
            case SetTimer(at_s, timer):
                self._later(at_s - self.env.now, lambda: self._fire(timer))
            case Solve():
                self._solve(command)
            case PublishPlan(plan):
                self._carry_out_plan(plan)

    def _later(self, delay_s: float, action: object) -> None:
        wake = self.env.timeout(max(0.0, delay_s))
        wake.callbacks.append(lambda _: action())  # type: ignore[operator]

    def hear(self, at_s: float, event: Event) -> None:
        """Let the dispatcher hear at a moment what a vehicle of an earlier run reports."""
        report = (at_s, event)
        self.reports.append(report)

        def arrives() -> None:
            if not self.world.closing:
                self.reports = [each for each in self.reports if each is not report]
                self.tell(event)

        self._later(at_s - self.env.now, arrives)

    def _fire(self, timer: str) -> None:
        if self.world.closing:
            return
        for site in self.world.floors:
            if self.scenario.sites[site].kind == "station":
                self.world.work(site)
        self.tell(TimerFired(timer))

    def _solve(self, command: Solve) -> None:
        future = self.pool.submit(command)
        charge = command.charge_s
        if self.options.measured_solve_time:
            charge = future.result().runtime_s
        self._await(command, future, self.env.now, self.env.now + math.ceil(charge))

    def solve_again(self, command: Solve, asked_s: float, answered_s: float) -> None:
        """Take up a solve that an earlier run asked for and did not see answered."""
        self._await(command, self.pool.submit(command), asked_s, answered_s)

    def _await(self, command: Solve, future: Future[Solved], asked_s: float, answered_s: float) -> None:
        self.solving[command.solve] = command, asked_s, answered_s
        self._later(answered_s - self.env.now, lambda: self._solved(command, future, asked_s))

    def _solved(self, command: Solve, future: Future[Solved], asked_s: float) -> None:
        if self.world.closing:
            return
        del self.solving[command.solve]
        begun = time.perf_counter()
        solved = self.pool.collect(future)
        self.waited_s += time.perf_counter() - begun
        result = solved.result
        self.record.row(
            "solves",
            solve=command.solve,
            site=self.scenario.sites[command.site].id,
            role=command.role,
            asked_s=asked_s,
            answered_s=self.env.now,
            solver=command.solver,
            stops=command.problem.num_visits,
            parcels=command.parcels,
            vehicles=int(command.problem.vehicle_types.count.sum()),
            routes=len(result.solution.routes),
            unserved=len(result.unserved),
            cost=result.cost,
            distance_m=solved.distance_m,
        )
        self.tell(SolveFinished(command.solve, result))

    def _carry_out_plan(self, plan: object) -> None:
        world, env = self.world, self.env
        match plan:
            case WavePlan(site, rows):
                self.supply.take(rows)
                self.custody.move(rows, ORDER_BOOK, world.site_custody[site], env.now)
                world.stamp("released_s", rows, env.now)
                world.enter_site(site, rows, np.full(len(rows), env.now), "pick")
            case RoutePlan():
                for trip in plan.trips:
                    env.process(world.activity(self.vans.drive(trip, plan.role, plan.solve)))
                self.record.unassigned(env.now, plan.site, plan.unassigned, plan.reasons, plan.details)
            case LeftOut(site, _, rows, reason, detail):
                self.record.unassigned(env.now, site, rows, (reason,), (detail,))
            case SortiePlan():
                env.process(world.activity(self.drones.fly(plan)))
            case Withdrawal(rows, units):
                lines, line_units = self._cancelling
                for row, count in zip(rows.tolist(), units.tolist(), strict=True):
                    self.supply.withdraw(row, lines, line_units)
                    if count == self.custody.units[row]:
                        world.finish(np.array([row], dtype=np.int32), ORDER_BOOK, CANCELLED)
                    else:
                        self.custody.cancel_units(row, count, env.now)
            case ReturnPlan(rows):
                for station in np.unique(world.station[rows]):
                    here = rows[world.station[rows] == station]
                    world.finish(here, world.site_custody[station], RETURNED)

    def _lockers(self) -> dict[int, Locker]:
        return {
            row: Locker(
                site.space_parcels,
                site.dwell_s,
                self.world.draws(site.id, "dwell"),
            )
            for row, site in enumerate(self.scenario.sites)
            if site.kind == "locker" and site.space_parcels is not None  # validation asks for it
        }


def stop_second(scenario: Scenario) -> float:
    """When the scenario's `stop_at` comes, in seconds from its start; infinity where it has none."""
    stop = scenario.scenario.stop_at
    return math.inf if stop is None else float(scenario.seconds(stop))


def _closures(scenario: Scenario, site: str) -> Iterator[Closure]:
    for disruption in scenario.disruptions:
        if disruption.kind == "site_closed" and disruption.target == site:
            yield float(scenario.seconds(disruption.starts)), float(scenario.seconds(disruption.ends))


def _pickup_clock(scenario: Scenario, end: str, default: int) -> IntArray:
    return np.array(
        [getattr(s.pickup_window, end) if s.pickup_window else default for s in scenario.sites],
        dtype=np.int64,
    )
