"""A problem as PyVRP's data, and routes there and back. Says how PyVRP's terms stand for ours."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.backhauls import barred_arcs
from solvers.ortools_parts import servable_visits, usable_types
from solvers.peers.common import matrices
from solvers.problem import UNLIMITED, Objective, Problem
from solvers.schedule import leg_function
from solvers.solution import Halt, Route

FORBIDDEN = 10**9  # distance and duration of an arc that a vehicle type may not take
_MOST = 2**62


def _begin(value: int) -> int:
    """PyVRP knows no time before 0, when nothing leaves anyway."""
    return max(0, int(value))


def _end(value: int) -> int:
    return _MOST if value >= UNLIMITED else _begin(value)


class PyvrpModel:
    """PyVRP's data for a problem, with the numbers of its clients, shipments and depots in ours.

    Skills, and the order of backhauls, are forbidden arcs. A pair is a shipment, a group of alternatives a group
    of clients. A depot where loading for a further trip takes time is a second depot at the same place, where
    trips do not begin; goods are then released later by the longest of those times. Vehicles first is a fixed
    cost beyond what all routes cost. What PyVRP calls a shift's duration and overtime is our overtime's start
    and what the longest duration leaves beyond it.

    PyVRP's shipments have no release times: where one matters a route may turn out late.
    """

    def __init__(self, pyvrp: Any, problem: Problem) -> None:
        self.pyvrp, self.problem = pyvrp, problem
        v = problem.visits
        served = servable_visits(problem, usable_types(problem))
        self.pairs = [(int(v.pair[x]), x) for x in served if v.pair is not None and v.pair[x] >= 0]
        paired = {x for pair in self.pairs for x in pair}
        self.clients = [x for x in served if x not in paired]
        self.visits = [*self.clients, *(x for pair in self.pairs for x in pair)]
        self.depots = list(range(problem.num_depots))  # our depot by PyVRP's
        self._loading = self._loading_depots()
        self.per_vehicle = self._per_vehicle()
        self._activity = self._activities()
        if self.visits:
            self.data = self._data()

    def cost(self, theirs: int) -> int:
        """Our cost of a feasible solution that costs `theirs` in PyVRP's terms."""
        bare = theirs % self.per_vehicle if self.per_vehicle else theirs
        return bare + self._prizes_beyond()

    def to_peer(self, route: Route) -> Any:
        """A route that keeps the rules, without visits that nothing can serve; None where nothing is left."""
        made: list[Any] = []
        kind = route.vehicle_type
        halts = {halt.before: halt.place for halt in route.halts}
        for position, visit in enumerate(route.visits):
            if position in halts and made:
                made.append(self._depot_activity(self._reload_depot(kind, halts[position])))
            if visit in self._activity:
                made.append(self._activity[visit])
        return self.pyvrp.Route(self.data, made, kind) if made else None

    def from_peer(self, route: Any) -> Route:
        """One of PyVRP's routes; stops at depots ahead of no visit are left out."""
        visits: list[int] = []
        halts: list[Halt] = []
        place: int | None = None
        for activity in route:
            if activity.is_depot():
                place = self.depots[activity.idx]
                continue
            if visits and place is not None:
                halts.append(Halt(len(visits), place))
            place = None
            if activity.is_client():
                visits.append(self.clients[activity.idx])
            else:
                visits.append(self.pairs[activity.idx][0 if activity.is_pickup() else 1])
        return Route(route.vehicle_type(), tuple(visits), tuple(halts))

    def _activities(self) -> dict[int, Any]:
        kinds, made = self.pyvrp.ActivityType, self.pyvrp.Activity
        out = {visit: made(kinds.CLIENT, i) for i, visit in enumerate(self.clients)}
        for i, (start, end) in enumerate(self.pairs):
            out[start], out[end] = made(kinds.PICKUP, i), made(kinds.DELIVERY, i)
        return out

    def _depot_activity(self, depot: int) -> Any:
        return self.pyvrp.Activity(self.pyvrp.ActivityType.DEPOT, depot)

    def _reload_time(self, kind: int) -> int:
        times = self.problem.vehicle_types.reload_time
        return 0 if times is None else int(times[kind])

    def _reload_depot(self, kind: int, place: int) -> int:
        """PyVRP's number of the depot `place` where vehicles of type `kind` reload."""
        return self._loading.get((place, self._reload_time(kind)), place)

    def _loading_depots(self) -> dict[tuple[int, int], int]:
        """PyVRP's numbers of depots where loading takes time, by place and time; they follow ours."""
        known: dict[tuple[int, int], int] = {}
        for kind, places in enumerate(self.problem.vehicle_types.reload_depots or ()):
            time = self._reload_time(kind)
            for place in places if time else ():
                if (place, time) not in known:
                    known[place, time] = len(self.depots)
                    self.depots.append(place)
        return known

    def _per_vehicle(self) -> int:
        """What a vehicle costs beside its fixed cost, where fewest vehicles come first: more than a solution."""
        problem = self.problem
        if problem.objective is not Objective.VEHICLES:
            return 0
        t, most = problem.vehicle_types, 1 + int(problem.visits.prize.sum())
        for visit in self.visits:
            node, dearest = problem.num_depots + visit, 0
            for kind in range(len(t.count)):
                leg = leg_function(problem, int(t.profile[kind]))
                out, back = leg(int(t.start_depot[kind]), node), leg(node, int(t.end_depot[kind]))
                distance, duration = (a + b for a, b in zip(out, back, strict=True))
                cost = int(t.distance_cost[kind]) * distance + int(t.fixed_cost[kind])
                dearest = max(dearest, cost + int(t.time_cost[kind]) * duration)
            most += dearest
        return 8 * most

    def _prizes_beyond(self) -> int:
        """Prizes lost in our terms less those in PyVRP's, which knows no visit that nothing can serve and counts
        the prizes of all members of a group that are not served."""
        problem, v = self.problem, self.problem.visits
        known, prize = set(self.visits), [int(p) for p in v.prize]
        beyond = sum(prize[x] for x in range(problem.num_visits) if not v.required[x] and x not in known)
        for members in problem.members.values():
            if not v.required[members[0]]:
                beyond += max(prize[x] for x in members) - sum(prize[x] for x in members)
        return beyond

    def _data(self) -> Any:
        pyvrp, problem, v = self.pyvrp, self.problem, self.problem.visits
        nodes = np.array([*range(problem.num_depots), *(problem.num_depots + i for i in self.visits)])
        xy = np.zeros((problem.num_nodes, 2)) if problem.coords is None else problem.coords
        location = {visit: problem.num_depots + i for i, visit in enumerate(self.visits)}
        t = problem.vehicle_types
        reloading = [k for k in range(len(t.count)) if t.reload_depots is not None and t.reload_depots[k]]
        held = max((self._reload_time(k) for k in reloading), default=0)
        groups, group_of = self._groups()
        clients = [
            pyvrp.Client(
                location=location[visit],
                delivery=v.delivery[visit].tolist(),
                pickup=v.pickup[visit].tolist(),
                service_duration=int(v.service[visit]),
                tw_early=_begin(v.tw[visit, 0]),
                tw_late=_end(v.tw[visit, 1]),
                release_time=int(v.release[visit]) + (held if v.release[visit] else 0),
                prize=0 if v.required[visit] else int(v.prize[visit]),
                required=bool(v.required[visit]) and visit not in group_of,
                group=group_of.get(visit),
            )
            for visit in self.clients
        ]
        tables, profiles = self._profiles(nodes)
        return pyvrp.ProblemData(
            locations=[pyvrp.Location(x=float(x), y=float(y)) for x, y in xy[nodes]],
            clients=clients,
            depots=self._depots(),
            vehicle_types=[self._vehicle_type(k, profiles[k]) for k in range(len(t.count))],
            distance_matrices=[distance for distance, _ in tables],
            duration_matrices=[duration for _, duration in tables],
            groups=groups,
            shipments=[self._shipment(start, end, location) for start, end in self.pairs],
        )

    def _groups(self) -> tuple[list[Any], dict[int, int]]:
        """PyVRP's groups, and the group of each visit in one."""
        made: list[Any] = []
        group_of: dict[int, int] = {}
        position = {visit: i for i, visit in enumerate(self.clients)}
        for members in self.problem.members.values():
            known = [x for x in members if x in position]
            if known:
                required = bool(self.problem.visits.required[members[0]])
                group_of |= dict.fromkeys(known, len(made))
                made.append(self.pyvrp.ClientGroup([position[x] for x in known], required))
        return made, group_of

    def _shipment(self, start: int, end: int, location: dict[int, int]) -> Any:
        v = self.problem.visits
        return self.pyvrp.Shipment(
            pickup_location=location[start],
            delivery_location=location[end],
            pickup_tw_early=_begin(v.tw[start, 0]),
            pickup_tw_late=_end(v.tw[start, 1]),
            pickup_service_duration=int(v.service[start]),
            delivery_tw_early=_begin(v.tw[end, 0]),
            delivery_tw_late=_end(v.tw[end, 1]),
            delivery_service_duration=int(v.service[end]),
            amount=v.pickup[start].tolist(),
            prize=0 if v.required[start] else int(v.prize[start] + v.prize[end]),
            required=bool(v.required[start]),
        )

    def _depots(self) -> list[Any]:
        """Ours, then those where loading takes time."""
        time = {number: time for (_, time), number in self._loading.items()}
        hours = self.problem.depots.tw
        return [
            self.pyvrp.Depot(
                location=place,
                tw_early=_begin(hours[place, 0]),
                tw_late=_end(hours[place, 1]),
                service_duration=time.get(number, 0),
            )
            for number, place in enumerate(self.depots)
        ]

    def _vehicle_type(self, kind: int, profile: int) -> Any:
        t = self.problem.vehicle_types
        nominal, beyond, price = int(t.max_duration[kind]), 0, 0
        if t.overtime_cost is not None and t.overtime_after is not None and t.overtime_cost[kind]:
            nominal = min(nominal, int(t.overtime_after[kind]))
            beyond, price = int(t.max_duration[kind]) - nominal, int(t.overtime_cost[kind])
        places = () if t.reload_depots is None else t.reload_depots[kind]
        more: dict[str, Any] = {}
        if places:
            more["reload_depots"] = [self._reload_depot(kind, place) for place in places]
            if t.max_reloads is not None and t.max_reloads[kind] < UNLIMITED:
                more["max_reloads"] = int(t.max_reloads[kind])
        return self.pyvrp.VehicleType(
            num_available=max(1, min(int(t.count[kind]), len(self.visits))),
            capacity=t.capacity[kind].tolist(),
            start_depot=int(t.start_depot[kind]),
            end_depot=int(t.end_depot[kind]),
            fixed_cost=int(t.fixed_cost[kind]) + self.per_vehicle,
            tw_early=_begin(t.shift[kind, 0]),
            tw_late=_end(t.shift[kind, 1]),
            shift_duration=_end(nominal),
            max_overtime=_end(beyond),
            unit_overtime_cost=price,
            max_distance=_end(t.max_distance[kind]),
            unit_distance_cost=int(t.distance_cost[kind]),
            unit_duration_cost=int(t.time_cost[kind]),
            profile=profile,
            **more,
        )

    def _profiles(self, nodes: Any) -> tuple[list[tuple[Any, Any]], list[int]]:
        """Matrices per travel profile and skill set that needs its own; the profile of each vehicle type."""
        problem, t = self.problem, self.problem.vehicle_types
        whole, block = matrices(problem), np.ix_(nodes, nodes)
        tables: list[tuple[Any, Any]] = []
        made: dict[tuple[int, bytes], int] = {}
        visits = nodes[problem.num_depots :] - problem.num_depots
        needs, out_of_order = problem.visits.skills[visits], barred_arcs(problem, visits)
        profiles = []
        for kind in range(len(t.count)):
            barred = np.flatnonzero(needs & ~t.skills[kind]) + problem.num_depots
            key = int(t.profile[kind]), barred.tobytes()
            if key not in made:
                pair = [table[block].copy() for table in whole[key[0]]]
                for table in pair:
                    if out_of_order is not None:
                        table[out_of_order] = FORBIDDEN
                    table[:, barred] = table[barred, :] = FORBIDDEN
                    np.fill_diagonal(table, 0)
                made[key] = len(tables)
                tables.append((pair[0], pair[1]))
            profiles.append(made[key])
        return tables, profiles
