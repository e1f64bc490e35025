"""CVRPLIB solution files (.sol): `Route #k: a b c` lines, then `Cost: value`.

Numbers in a route are nodes counted from 0 with the depots first; a depot within a route is where the vehicle
reloads or, where it cannot reload, charges. With one vehicle type the number of a route means nothing; with
several, route k is driven by vehicle k, counted through the types in order.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from solvers.errors import UnsupportedFeatureError
from solvers.problem import Problem
from solvers.readers.lines import Faults, read_lines
from solvers.solution import Halt, Route, Solution

_ROUTE = re.compile(r"route\s*#?\s*(\S+?)\s*:\s*(.*)", re.IGNORECASE)
COST = re.compile(r"cost\s*:?\s*(\S+)", re.IGNORECASE)


def read_sol(path: Path | str, problem: Problem) -> tuple[Solution, float | None]:
    """The solution and the cost that the file states; raises `InvalidInputError` with every fault found.

    Visits served twice and the like are not faults of the file: they are for the checker to find.
    """
    path = Path(path)
    faults, cost = Faults(path), None
    ends = np.cumsum(problem.vehicle_types.count)
    depots, nodes = problem.num_depots, problem.num_nodes
    routes = []
    for line in read_lines(path):
        if match := _ROUTE.match(line.text):
            vehicle = faults.integer(line.number, match[1], "route number", least=1)
            read = (faults.index(line.number, word, "client") for word in match[2].split())
            visits = [client for client in read if client is not None]
            t = problem.vehicle_types
            least = depots if t.reload_depots is None and t.stations is None else 0
            for client in visits:
                if not least <= client < nodes:
                    faults.add(
                        line.number, client, "bad-index", "no such client", f"use {least} to {nodes - 1}"
                    )
            kind = 0 if len(ends) == 1 else int(np.searchsorted(ends, vehicle))
            if kind >= len(ends):
                faults.add(line.number, vehicle, "bad-index", "no such vehicle", f"use 1 to {ends[-1]}")
                continue
            routes.append(_route(problem, kind, visits))
        elif match := COST.match(line.text):
            cost = faults.number(line.number, match[1], "cost")
        elif not re.match(r"[A-Za-z ]+:", line.text):
            faults.add(line.number, line.text[:40], "stray-line", "neither a route nor the cost", "remove it")
    faults.check()
    return Solution.of(routes), cost


def _route(problem: Problem, kind: int, nodes: list[int]) -> Route:
    depots, charges = problem.num_depots, _stations_only(problem, kind)
    visits: list[int] = []
    halts: list[Halt] = []
    for node in nodes:
        if node < depots:
            halts.append(Halt(len(visits), node, node in charges))
        else:
            visits.append(node - depots)
    return Route(kind, tuple(visits), tuple(halts))


def _stations_only(problem: Problem, kind: int) -> set[int]:
    """The stations where a vehicle of the type cannot reload."""
    t = problem.vehicle_types
    stations = set() if t.stations is None else set(t.stations[kind])
    return stations - (set() if t.reload_depots is None else set(t.reload_depots[kind]))


def beyond_sol(problem: Problem) -> str | None:
    """What plans of the problem may hold and a .sol file cannot, in words; None where it holds all."""
    if "split_delivery" in problem.features:
        return "split_delivery (parts of a demand)"
    kinds = range(len(problem.vehicle_types.count))
    stations = problem.vehicle_types.stations
    if stations is not None and any(_stations_only(problem, k) != set(stations[k]) for k in kinds):
        return "charging where a vehicle may reload"
    return None


def sol_text(problem: Problem, solution: Solution, cost: int) -> str:
    """The solution as a .sol file. `cost` is in the problem's units and is written in those of the instance's
    coordinates, divided by `cost_scale`. (Published files of some families state it undivided: `families.Family`.)

    Raises `UnsupportedFeatureError` where a vehicle charges at a depot where it also may reload: a .sol file
    does not tell the two apart; and for routes that share a visit.
    """
    if any(route.parts for route in solution.routes):
        raise UnsupportedFeatureError("a .sol file does not support: split_delivery (parts of a demand)")
    for route in solution.routes:
        only = _stations_only(problem, route.vehicle_type)
        if any(halt.charge != (halt.place in only) for halt in route.halts):
            raise UnsupportedFeatureError("a .sol file does not support: charging where a vehicle may reload")
    numbers: list[int] = []
    first = np.cumsum([0, *problem.vehicle_types.count[:-1].tolist()])
    used = [0] * len(first)
    for position, route in enumerate(solution.routes):
        single = len(first) == 1
        numbers.append(
            position + 1 if single else int(first[route.vehicle_type]) + used[route.vehicle_type] + 1
        )
        used[route.vehicle_type] += 1
    rows = []
    for number, route in sorted(zip(numbers, solution.routes, strict=True), key=lambda pair: pair[0]):
        clients = [str(v + problem.num_depots) for v in route.visits]
        for halt in reversed(route.halts):
            clients.insert(halt.before, str(halt.place))
        rows.append(f"Route #{number}: {' '.join(clients)}")
    value = cost / problem.cost_scale
    rows.append(f"Cost: {int(value) if value == int(value) else value}")
    return "\n".join(rows) + "\n"
