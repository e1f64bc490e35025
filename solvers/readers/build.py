"""From a VRPLIB file's content to a `Problem`."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np

from solvers.builder import ALWAYS, ProblemBuilder
from solvers.problem import UNLIMITED, Problem
from solvers.readers.rounding import Rounding
from solvers.readers.vrplib import RawInstance
from solvers.travel import FloatArray, Travel


def build_problem(raw: RawInstance, rounding: Rounding, name: str) -> Problem:
    """The problem. Like vehicles that follow each other become one type, so that vehicle numbers of solution
    files count through the types in order."""
    b = ProblemBuilder(name=raw.headers.get("NAME", name), cost_scale=rounding.scale)
    b.backhauls_alone = raw.headers["TYPE"].upper() != "VRPB"
    nodes, depots = raw.dimension, set(raw.depots)
    rows = raw.rows
    for node in range(nodes):
        where = rows["NODE_COORD_SECTION"][node] if "NODE_COORD_SECTION" in rows else ()
        window = rows["TIME_WINDOW_SECTION"][node] if "TIME_WINDOW_SECTION" in rows else None
        tw = ALWAYS if window is None else (rounding.whole(window[0]), rounding.whole(window[1]))
        if node in depots:
            b.depot(*where, tw=tw)
        else:
            b.visit(*where, tw=tw, **_visit(raw, rounding, node), name=str(node))
    kinds = _kinds_by_clients(raw)
    for number, clients in enumerate(dict.fromkeys(kinds.values())):
        for node in range(len(depots), nodes):
            if node not in clients:
                b.require_skill(node - len(depots), f"not of kind {number}")
    for details, vehicles in groupby(range(_vehicles(raw)), key=lambda k: _vehicle(raw, rounding, k, kinds)):
        b.vehicle_type(count=len(list(vehicles)), **dict(details))
    weights = _rounded_up(raw) if raw.headers["EDGE_WEIGHT_TYPE"] == "CEIL_2D" else raw.weights
    b.travel(rounding.travel() if weights is None else Travel.of_matrices(rounding.matrix(weights)))
    return b.build()


def _visit(raw: RawInstance, rounding: Rounding, node: int) -> dict[str, Any]:
    def value(section: str) -> float:
        return raw.rows[section][node][0] if section in raw.rows else 0.0

    service = (
        value("SERVICE_TIME_SECTION")
        if "SERVICE_TIME_SECTION" in raw.rows
        else raw.numbers.get("SERVICE_TIME", 0.0)
    )
    prize = rounding.whole(value("PRIZE_SECTION"))
    backhaul = int(value("BACKHAUL_SECTION"))
    return {
        "backhaul": backhaul > 0 and raw.headers["TYPE"].upper() == "VRPB",
        "pickup": backhaul,
        "delivery": [int(a) for a in raw.rows["DEMAND_SECTION"][node]],
        "service": rounding.whole(service),
        "release": rounding.whole(value("RELEASE_TIME_SECTION")),
        "prize": prize,
        "required": prize == 0,
    }


def _rounded_up(raw: RawInstance) -> FloatArray:
    """The distances of CEIL_2D: Euclidean ones, up to the next whole unit of the file."""
    xy = np.array([raw.rows["NODE_COORD_SECTION"][node] for node in range(raw.dimension)])
    x, y = xy[:, :1] - xy[:, 0], xy[:, 1:] - xy[:, 1]
    out: FloatArray = np.ceil(np.sqrt(x * x + y * y))
    return out


def _vehicles(raw: RawInstance) -> int:
    """Vehicles of the file, or one per visit where it names no number."""
    return int(raw.numbers.get("VEHICLES", max(1, raw.dimension - len(raw.depots))))


def _kinds_by_clients(raw: RawInstance) -> dict[int, frozenset[int]]:
    """Vehicle -> the client nodes it may serve; empty where the file restricts nothing.

    As skills: vehicles with the same clients are of one kind, and a client forbids the kinds that may not
    serve it. This takes as many skills as there are kinds, however the sets of clients overlap.
    """
    allowed = raw.rows.get("VEHICLES_ALLOWED_CLIENTS_SECTION")
    if allowed is None:
        return {}
    return {k: frozenset(int(c) - 1 for c in allowed.get(k, ())) for k in range(_vehicles(raw))}


def _vehicle(
    raw: RawInstance, rounding: Rounding, vehicle: int, kinds: dict[int, frozenset[int]]
) -> tuple[tuple[str, Any], ...]:
    """A vehicle's details, comparable with the next one's."""

    def value(section: str, header: str | None = None) -> float | None:
        if section in raw.rows:
            return raw.rows[section][vehicle][0]
        return raw.numbers.get(header) if header else None

    def limit(amount: float | None) -> int:
        return int(UNLIMITED) if amount is None else rounding.whole(amount)

    capacity = (
        raw.rows["CAPACITY_SECTION"][vehicle]
        if "CAPACITY_SECTION" in raw.rows
        else (raw.numbers["CAPACITY"],)
    )
    unit = value("VEHICLES_UNIT_DISTANCE_COST_SECTION")
    reloads = raw.rows.get("VEHICLES_RELOAD_DEPOT_SECTION", {})
    most = value("VEHICLES_MAX_RELOADS_SECTION", "VEHICLES_MAX_RELOADS")
    duration = value("VEHICLES_MAX_DURATION_SECTION", "VEHICLES_MAX_DURATION")
    return (
        ("capacity", tuple(int(c) for c in capacity)),
        ("fixed_cost", rounding.whole(value("VEHICLES_FIXED_COST_SECTION") or 0.0)),
        ("distance_cost", 1 if unit is None else int(unit)),
        ("start_depot", int(value("VEHICLES_DEPOT_SECTION") or 1) - 1),
        # DISTANCE of the older sets limits travel and service time together
        ("max_duration", limit(raw.numbers.get("DISTANCE") if duration is None else duration)),
        ("max_distance", limit(value("VEHICLES_MAX_DISTANCE_SECTION", "VEHICLES_MAX_DISTANCE"))),
        ("skills", _skills_of(vehicle, kinds)),
        ("reload_depots", tuple(int(d) - 1 for d in reloads.get(vehicle, ()))),
        ("max_reloads", int(UNLIMITED) if most is None else int(most)),
    )


def _skills_of(vehicle: int, kinds: dict[int, frozenset[int]]) -> tuple[str, ...]:
    distinct = enumerate(dict.fromkeys(kinds.values()))
    return tuple(f"not of kind {number}" for number, clients in distinct if clients != kinds[vehicle])
