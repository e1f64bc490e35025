"""The dispatcher: a deterministic state machine from events to commands.

`step(state, events, now)` has no threads, no I/O, no clock and no randomness of its own; the same events give
the same commands, whether a simulated or a real fleet stands behind them. One driver runs it inside the
simulator (`sim.twin`). State is changed in place and returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from logistics.clock import LocalClock
from logistics.dispatch.book import ParcelBook, Status
from logistics.dispatch.messages import (
    COLLECTION,
    DELIVERY,
    NO_VAN_IDLE,
    WAVE_FULL,
    WINDOW_CLOSED,
    CancellationsAsked,
    Command,
    Event,
    LeftOut,
    OrdersPlaced,
    ParcelsReady,
    PublishPlan,
    Reserve,
    ReturnPlan,
    RoutePlan,
    SetTimer,
    Solve,
    SolveFinished,
    SortiePlan,
    Started,
    StockAnswered,
    TimerFired,
    Trip,
    VehicleReturned,
    WavePlan,
    Withdrawal,
)
from logistics.dispatch.routing import Stops, VehicleGroup, build_problem, group_stops, trip_stops
from logistics.drones import sortie, within_range
from logistics.fleet import Fleet
from logistics.network import great_circle_m
from logistics.roads import Roads
from logistics.scenario import Scenario, VehicleSection, Wave
from logistics.tables import IntArray, RowArray
from solvers import Problem
from solvers.explain import Explainer

EXPLAINED = 10  # stops left out of a plan whose reasons are worked out
UNEXAMINED = "unexamined"
SHORTEST_TRIP_S = 1800  # a vehicle with less of its shift left stays in


@dataclass(frozen=True)
class DispatchConfig:
    """What the dispatcher knows from the start and never changes."""

    scenario: Scenario
    roads: Roads
    fleet: Fleet
    collecting_station: IntArray  # site -> station whose vans collect there, or -1
    pickup_opens: IntArray  # site -> clock second, merchants only
    pickup_closes: IntArray
    seed: int

    def __post_init__(self) -> None:
        sites = self.scenario.sites
        points = np.array([[s.lon, s.lat] for s in sites], dtype=np.float64)
        set_ = object.__setattr__
        set_(self, "clock", LocalClock(self.scenario.scenario))
        set_(self, "site_place", self.roads.places(points))
        priority = [service.priority for service in self.scenario.services]
        set_(self, "priority_of_service", np.array(priority, dtype=np.int64))

    clock: LocalClock = field(init=False)
    site_place: RowArray = field(init=False)
    priority_of_service: IntArray = field(init=False)
    _shifts: dict[tuple[int, int, int], tuple[int, int]] = field(init=False, default_factory=dict)

    def kind(self, vehicle: int) -> VehicleSection:
        """What kind of vehicle a vehicle of the fleet is."""
        return self.scenario.vehicles[int(self.fleet.kind[vehicle])]

    def shift(self, vehicle: int, day: int) -> tuple[int, int]:
        """A vehicle's shift on a local day, in seconds from the start."""
        key = day, int(self.fleet.opens_s[vehicle]), int(self.fleet.closes_s[vehicle])
        if key not in self._shifts:
            self._shifts[key] = (self.clock.second(day, key[1]), self.clock.second(day, key[2]))
        return self._shifts[key]


@dataclass
class Asked:
    """A routing problem on its way through the solver."""

    site: int
    role: str
    stops: Stops
    groups: list[VehicleGroup]
    depart_s: int
    problem: Problem


@dataclass
class DispatchState:
    """All that the dispatcher remembers."""

    book: ParcelBook = field(default_factory=ParcelBook)
    road_place: RowArray = field(default_factory=lambda: np.full(1024, -1, dtype=np.int32))  # of addresses
    idle: set[int] = field(default_factory=set)  # vehicles at their station
    asked: dict[int, Asked] = field(default_factory=dict)
    deferred: list[tuple[int, str]] = field(default_factory=list)  # waves that found all vans spoken for
    next_solve: int = 0
    timers: dict[str, int] = field(default_factory=dict)  # timer -> occurrences so far


def solve_seed(seed: int, number: int) -> int:
    """The seed of a dispatcher's solve of that number."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])


class Dispatcher:
    """`step` and the rules behind it."""

    def __init__(self, config: DispatchConfig) -> None:
        self.config = config
        rules = config.scenario.dispatch
        days = config.scenario.scenario.horizon_days
        self._waves: dict[str, tuple[str, Wave, IntArray]] = {}
        for role, waves in (
            ("warehouse", rules.warehouse_waves),
            (COLLECTION, rules.collection_waves),
            (DELIVERY, rules.delivery_waves),
        ):
            for k, wave in enumerate(waves):
                self._waves[f"{role}.{k}"] = (role, wave, config.clock.wave_times(wave, days))
        self._service_row = {service.id: k for k, service in enumerate(config.scenario.services)}
        self._handle: dict[type, Callable[..., list[Command]]] = {
            Started: self._started,
            OrdersPlaced: self._orders_placed,
            StockAnswered: self._stock_answered,
            CancellationsAsked: self._cancellations_asked,
            ParcelsReady: self._parcels_ready,
            VehicleReturned: self._vehicle_returned,
            TimerFired: self._timer_fired,
            SolveFinished: self._solve_finished,
        }

    def start(self) -> DispatchState:
        """The state before the first event: nothing ordered, every vehicle at its station."""
        return DispatchState(idle=set(range(len(self.config.fleet))))

    def knows(self, timer: str) -> bool:
        """Whether the scenario has this wave."""
        return timer in self._waves

    def step(
        self, state: DispatchState, events: Sequence[Event], now: int
    ) -> tuple[DispatchState, list[Command]]:
        """Take in events that happened by `now` (seconds from the start); say what is to be done."""
        commands: list[Command] = []
        for event in events:
            commands += self._handle[type(event)](state, event, now)
        return state, commands

    # --- orders and stock -----------------------------------------------------------------------------

    def _started(self, state: DispatchState, _: Started, now: int) -> list[Command]:
        return [command for timer in self._waves for command in self._next_timer(state, timer, now)]

    def _orders_placed(self, state: DispatchState, event: OrdersPlaced, _: int) -> list[Command]:
        rows = state.book.add(event, self.road_places(state, event))
        stocked = event.needs_stock.astype(bool)
        commands: list[Command] = []
        if stocked.any():
            state.book.put(Status.ASKED, rows[stocked], event.origin[stocked])
            commands.append(Reserve(rows[stocked]))
        stations = self.config.collecting_station[event.origin]
        fetched = ~stocked & (stations >= 0)
        if fetched.any():
            state.book.put(Status.TO_COLLECT, rows[fetched], stations[fetched])
        dropped_off = ~stocked & (stations < 0)
        state.book.status[rows[dropped_off]] = Status.MOVING
        return commands

    def road_places(self, state: DispatchState, event: OrdersPlaced) -> RowArray:
        """Road places of the parcels' addresses; each address is put on the road network once."""
        known = state.road_place
        if event.place.max(initial=-1) >= len(known):
            grown = np.full(max(2 * len(known), int(event.place.max()) + 1), -1, dtype=np.int32)
            grown[: len(known)] = known
            state.road_place = known = grown
        new, first = np.unique(event.place[known[event.place] < 0], return_index=True)
        if len(new):
            unknown = np.flatnonzero(known[event.place] < 0)[first]
            points = np.stack([event.lon[unknown], event.lat[unknown]], axis=1)
            known[new] = self.config.roads.places(points)
        return known[event.place]

    def _stock_answered(self, state: DispatchState, event: StockAnswered, _: int) -> list[Command]:
        book = state.book
        live = event.reserved[book.status[event.reserved] == Status.ASKED]
        book.put(Status.RESERVED, live, book.origin[live])
        book.status[event.refused] = Status.DONE
        return []

    def _cancellations_asked(self, state: DispatchState, event: CancellationsAsked, _: int) -> list[Command]:
        """Granted while the parcel has not left for the floor; afterwards it is too late."""
        status = state.book.status[event.parcels]
        early = (status == Status.ASKED) | (status == Status.RESERVED) | (status == Status.TO_COLLECT)
        if not early.any():
            return []
        state.book.status[event.parcels[early & (event.remaining == 0)]] = Status.DONE
        return [PublishPlan(Withdrawal(event.parcels[early], event.units[early]))]

    # --- waves ----------------------------------------------------------------------------------------

    def _next_timer(self, state: DispatchState, timer: str, now: int) -> list[Command]:
        times = self._waves[timer][2]
        k = int(np.searchsorted(times, now, side="right" if state.timers.get(timer) else "left"))
        state.timers[timer] = 1
        return [SetTimer(int(times[k]), timer)] if k < len(times) else []

    def _timer_fired(self, state: DispatchState, event: TimerFired, now: int) -> list[Command]:
        role, wave, _ = self._waves[event.timer]
        commands = self._next_timer(state, event.timer, now)
        if role == "warehouse":
            for site in state.book.pool_sites(Status.RESERVED):
                rows = self._of_services(state, state.book.pool(Status.RESERVED, site), wave)
                if len(rows):
                    state.book.status[rows] = Status.MOVING
                    commands.append(PublishPlan(WavePlan(site, rows)))
        else:
            pool = Status.TO_COLLECT if role == COLLECTION else Status.READY
            for site in state.book.pool_sites(pool):
                commands += self._wave_at(state, event.timer, site, now)
        return commands

    def _wave_at(self, state: DispatchState, timer: str, site: int, now: int) -> list[Command]:
        """A wave's flights and routing problem at one station.

        While another wave's problem is being solved, all idle vans there are spoken for; the wave is asked for
        again when the answer has given back those that it does not use.
        """
        role, wave, _ = self._waves[timer]
        if role == COLLECTION:
            commands = self._ask_collection(state, site, wave, now)
        else:
            rows = self._of_services(state, state.book.pool(Status.READY, site), wave)
            rows, commands = self._fly(state, site, rows, now)
            commands = commands + self._ask_delivery(state, site, rows, now)
        solving = any(isinstance(command, Solve) for command in commands)
        if not solving and any(asked.site == site for asked in state.asked.values()):
            state.deferred.append((site, timer))
            return [c for c in commands if not (isinstance(c, PublishPlan) and isinstance(c.plan, LeftOut))]
        return commands

    def _of_services(self, state: DispatchState, rows: RowArray, wave: Wave) -> RowArray:
        if not wave.services:
            return rows
        wanted = [self._service_row[name] for name in wave.services]
        return rows[np.isin(state.book.service[rows], wanted)]

    # --- routing --------------------------------------------------------------------------------------

    def _vehicle_groups(self, state: DispatchState, site: int, depart_s: int) -> list[VehicleGroup]:
        """Idle vans of a station with enough of their shift left, grouped by kind and shift."""
        groups: dict[tuple[int, int, int], list[int]] = {}
        day = self.config.clock.day_of(depart_s)
        for number in self._idle_at(state, site, "delivery"):
            opens, closes = self.config.shift(number, day)
            if closes - max(depart_s, opens) >= SHORTEST_TRIP_S:
                groups.setdefault((int(self.config.fleet.kind[number]), opens, closes), []).append(number)
        return [
            VehicleGroup(self.config.scenario.vehicles[kind], tuple(numbers), opens, closes)
            for (kind, opens, closes), numbers in sorted(groups.items())
        ]

    def _idle_at(self, state: DispatchState, site: int, role: str) -> list[int]:
        return [
            int(n)
            for n in self.config.fleet.at(site)
            if int(n) in state.idle and self.config.kind(int(n)).role == role
        ]

    def _charge_s(self, stops: int) -> float:
        model = self.config.scenario.dispatch.solve_time
        return min(model.ceiling_s, model.floor_s + model.per_stop_s * stops)

    def _ask_delivery(self, state: DispatchState, site: int, rows: RowArray, now: int) -> list[Command]:
        if not len(rows):
            return []
        depart = now + int(np.ceil(self._charge_s(min(len(rows), self.config.scenario.dispatch.max_stops))))
        opens, closes = self.config.clock.window(
            self.config.clock.day_of(depart), self.config.scenario.delivery.window
        )
        if closes <= depart:
            why = "a van of this wave would leave after the end of delivery.window"
            return _left_out(site, DELIVERY, rows, WINDOW_CLOSED, why)
        promise = state.book.promise_s[rows]
        # A promise that can't be met any more, or that already kept a parcel out of a plan, binds no longer.
        binding = (promise > depart) & (promise < closes) & (state.book.postponed[rows] == 0)
        latest = np.where(binding, promise, closes)
        return self._ask(state, site, DELIVERY, rows, np.full(len(rows), opens), latest, now)

    def _ask_collection(self, state: DispatchState, station: int, wave: Wave, now: int) -> list[Command]:
        rows = self._of_services(state, state.book.pool(Status.TO_COLLECT, station), wave)
        if not len(rows):
            return []
        day = self.config.clock.day_of(now)
        midnight = self.config.clock.day_start(day)
        origin = state.book.origin[rows]
        opens = midnight + self.config.pickup_opens[origin]
        closes = midnight + self.config.pickup_closes[origin]
        open_still = closes > now
        too_late = _left_out(
            station, COLLECTION, rows[~open_still], WINDOW_CLOSED, "the merchant's pickup window had closed"
        )
        return too_late + self._ask(
            state, station, COLLECTION, rows[open_still], opens[open_still], closes[open_still], now
        )

    def _ask(
        self,
        state: DispatchState,
        site: int,
        role: str,
        rows: RowArray,
        opens: IntArray,
        closes: IntArray,
        now: int,
    ) -> list[Command]:
        """A `Solve` command for the most urgent stops, if there are vans to drive them, and what is left out."""
        rules = self.config.scenario.dispatch
        book = state.book
        if not len(rows):
            return []
        if role == DELIVERY:
            place, road_place = book.place[rows], book.road_place[rows]
        else:
            place = book.origin[rows]
            road_place = self.config.site_place[place]
        beyond: list[Command] = []
        if len(rows) > rules.max_stops and len(np.unique(place)) > rules.max_stops:
            places, inverse = np.unique(place, return_inverse=True)
            urgency = np.full(len(places), np.iinfo(np.int64).max)
            np.minimum.at(urgency, inverse, book.promise_s[rows])
            chosen = np.argsort(urgency, kind="stable")[: rules.max_stops]
            kept = np.isin(inverse, chosen)
            why = f"a wave takes {rules.max_stops} stops (dispatch.max_stops), the most urgent first"
            beyond = _left_out(site, role, rows[~kept], WAVE_FULL, why)
            rows, opens, closes = rows[kept], opens[kept], closes[kept]
            place, road_place = place[kept], road_place[kept]
        scenario = self.config.scenario
        handling = scenario.sites[site].load_s_per_parcel
        groups = self._vehicle_groups(state, site, now + int(np.ceil(self._charge_s(len(np.unique(place))))))
        if not groups:
            why = f"no van was idle with {SHORTEST_TRIP_S // 60} min of its shift left"
            return beyond + _left_out(site, role, rows, NO_VAN_IDLE, why)
        stops = group_stops(
            book,
            rows,
            place,
            road_place,
            scenario.delivery,
            handling,
            opens,
            closes,
            max(group.kind.capacity_g for group in groups),
            max(group.kind.capacity_ml for group in groups),
        )
        charge = self._charge_s(len(stops))
        depart = now + int(np.ceil(charge))
        number = state.next_solve
        state.next_solve += 1
        problem = build_problem(
            f"{role} {scenario.sites[site].id} #{number}",
            book,
            stops,
            groups,
            self.config.roads,
            int(self.config.site_place[site]),
            depart,
            self.config.priority_of_service,
            role,
        )
        book.status[rows] = Status.PLANNED
        state.idle.difference_update(v for group in groups for v in group.vehicles)
        state.asked[number] = Asked(site, role, stops, groups, depart, problem)
        seed = solve_seed(self.config.seed, number)
        return [
            *beyond,
            Solve(
                number,
                site,
                role,
                problem,
                len(rows),
                rules.solver,
                rules.iterations,
                dict(rules.parameters),
                seed,
                charge,
            ),
        ]

    def _solve_finished(self, state: DispatchState, event: SolveFinished, now: int) -> list[Command]:
        asked = state.asked.pop(event.solve)
        stops, solution = asked.stops, event.result.solution
        waiting = [list(group.vehicles) for group in asked.groups]
        trips = []
        for route in solution.routes:
            number = waiting[route.vehicle_type].pop(0)
            planned = trip_stops(stops, route)
            _, drive_s = self.config.roads.leg(
                int(self.config.site_place[asked.site]), planned[0].road_place, float(now)
            )
            shift_opens = asked.groups[route.vehicle_type].earliest_s
            depart = max(now, shift_opens, planned[0].earliest_s - int(drive_s))
            trips.append(Trip(number, planned, depart))
            for stop in planned:
                state.book.status[stop.parcels] = Status.OUT
        state.idle.update(v for group in waiting for v in group)
        left = [stops.parcels(v) for v in event.result.unserved]
        reasons: list[str] = []
        details: list[str] = []
        explainer = Explainer(asked.problem, solution)
        for k, (visit, rows) in enumerate(zip(event.result.unserved, left, strict=True)):
            code, message = (
                UNEXAMINED,
                f"one of {len(left)} stops left out; the first {EXPLAINED} are explained",
            )
            if k < EXPLAINED:
                reason = explainer.reason(visit)
                code, message = reason.code, reason.message
            reasons += [code] * len(rows)
            details += [message] * len(rows)
        unassigned = np.concatenate(left) if left else np.empty(0, dtype=np.int32)
        state.book.postponed[unassigned] += 1
        again = Status.READY if asked.role == DELIVERY else Status.TO_COLLECT
        state.book.put(again, unassigned, np.full(len(unassigned), asked.site))
        plan = RoutePlan(
            event.solve, asked.site, asked.role, tuple(trips), unassigned, tuple(reasons), tuple(details)
        )
        waves = [timer for site, timer in state.deferred if site == asked.site]
        state.deferred = [each for each in state.deferred if each[0] != asked.site]
        commands: list[Command] = [PublishPlan(plan)]
        for timer in waves:
            commands += self._wave_at(state, timer, asked.site, now)
        return commands

    # --- drones ---------------------------------------------------------------------------------------

    def _fly(
        self, state: DispatchState, site: int, rows: RowArray, now: int
    ) -> tuple[RowArray, list[Command]]:
        """Give light, near, urgent parcels to idle drones; returns the parcels left for vans.

        Each idle drone takes parcels one after the other, the most urgent first, as long as the last of them
        still arrives by its promise.
        """
        drones = self._idle_at(state, site, "drone")
        if not drones or not len(rows):
            return rows, []
        book, scenario = state.book, self.config.scenario
        may_fly = np.array([service.drone for service in scenario.services])[book.service[rows]]
        flown: list[int] = []
        free_s = {n: float(now) for n in drones}
        loads: dict[int, list[int]] = {n: [] for n in drones}
        base = scenario.sites[site]
        day = self.config.clock.day_of(now)
        for row in rows[may_fly][np.argsort(book.promise_s[rows[may_fly]], kind="stable")]:
            number = min(drones, key=lambda n: (free_s[n], n))
            kind = self.config.kind(number)
            opens, closes = self.config.shift(number, day)
            metres = great_circle_m(base.lon, base.lat, float(book.lon[row]), float(book.lat[row]))
            weight, service_s = float(book.weight_g[row]), scenario.delivery.per_stop_s
            if book.volume_ml[row] > kind.capacity_ml or not within_range(kind, metres, weight, service_s):
                continue
            flight = sortie(kind, metres, weight, service_s)
            starts = max(free_s[number], opens)
            late = starts + flight.out_s > book.promise_s[row]
            if starts + flight.total_s > closes or (late and loads[number]):
                continue
            free_s[number] = starts + flight.total_s + kind.swap_s
            loads[number].append(int(row))
            flown.append(int(row))
        commands: list[Command] = []
        for number, carried in loads.items():
            if carried:
                state.idle.discard(number)
                commands.append(PublishPlan(SortiePlan(site, number, np.array(carried, dtype=np.int32))))
        book.status[flown] = Status.OUT
        return rows[~np.isin(rows, flown)], commands

    # --- reports from the world -----------------------------------------------------------------------

    def _parcels_ready(self, state: DispatchState, event: ParcelsReady, _: int) -> list[Command]:
        state.book.put(Status.READY, event.parcels, np.full(len(event.parcels), event.site))
        return []

    def _vehicle_returned(self, state: DispatchState, event: VehicleReturned, _: int) -> list[Command]:
        state.idle.add(event.vehicle)
        book = state.book
        book.status[event.delivered] = Status.DONE
        book.attempts[event.failed] += 1
        spent = book.attempts[event.failed] >= self.config.scenario.dispatch.max_attempts
        again, given_up = event.failed[~spent], event.failed[spent]
        book.put(Status.READY, again, np.full(len(again), self.config.fleet.site[event.vehicle]))
        if not len(given_up):
            return []
        book.status[given_up] = Status.DONE
        return [PublishPlan(ReturnPlan(given_up))]


def _left_out(site: int, role: str, rows: RowArray, reason: str, detail: str) -> list[Command]:
    return [PublishPlan(LeftOut(site, role, rows, reason, detail))] if len(rows) else []
