"""Random small routing problems of every feature, alone and in pairs, for the conformance suite."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from itertools import combinations
from typing import Any

import numpy as np

from solvers import Battery, Halt, Metric, Problem, ProblemBuilder, Route, Travel
from solvers.builder import ALWAYS
from solvers.duty import DutyRule
from solvers.features import CLASSIC, FEATURES
from solvers.problem import Objective
from solvers.speeds import Speeds

# a feature -> the features that it brings along
IMPLIED = {
    "profiles": {"heterogeneous_fleet"},
    "backhauls": {"pickups"},
    "service_by_type": {"heterogeneous_fleet", "time_windows"},
    "pickup_delivery": {"pickups"},
    "lifo": {"pickup_delivery", "pickups"},
    "several_windows": {"time_windows"},
    "soft_windows": {"time_windows"},
    "plan_changes": {"heterogeneous_fleet"},
    "locked_routes": {"heterogeneous_fleet"},
    "electric": {"multi_depot"},
}
# features that no problem has both of
EXCLUSIVE = ({"vehicles_first", "longest_route"},)

CASES: list[tuple[str, ...]] = [
    (),
    *((name,) for name in FEATURES),
    *(case for case in combinations(FEATURES, 2) if set(case) not in EXCLUSIVE),
    tuple(name for name in FEATURES if name in CLASSIC),
    tuple(name for name in FEATURES if name != "longest_route"),
]


def case_id(case: tuple[str, ...]) -> str:
    if len(case) <= 2:
        return "+".join(case) or "plain"
    return "all" if len(case) > len(CLASSIC) else "classic"


def supported(case: tuple[str, ...], features: Collection[str]) -> bool:
    needed = set(case).union(*(IMPLIED.get(name, set()) for name in case))
    return needed <= set(features)


def random_problem(case: Collection[str], seed: int, most: int = 12) -> Problem:
    """A problem that uses the features of `case`, mostly feasible, never trivially so."""
    rng = np.random.default_rng([seed, zlib.crc32("+".join(sorted(case)).encode())])
    on = set(case).union(*(IMPLIED.get(name, set()) for name in case))
    rich = sum(name in on for name in ("backhauls", "exclusive_groups", "pickup_delivery"))
    n = int(rng.integers(3 + 2 * rich, max(3 + 2 * rich, most) + 1))
    dims = 2 if "capacities" in on else 1
    depots = 2 if "multi_depot" in on else 1
    b = ProblemBuilder(name=f"{'+'.join(sorted(on))}-{seed}")
    if "vehicles_first" in on:
        b.objective = Objective.VEHICLES
    elif "longest_route" in on:
        b.objective = Objective.LONGEST
    if "backhauls" in on:
        b.backhauls_alone = bool(rng.random() < 0.5)
    kinds = int(rng.integers(2, 4)) if on & {"heterogeneous_fleet"} else 1
    paired = 2 * int(rng.integers(1, n // 2 - rich + 2)) if "pickup_delivery" in on else 0
    grouped = range(paired, paired + int(rng.integers(2, 4))) if "exclusive_groups" in on else range(0)
    reversed_from = n - 1 if "backhauls" in on else n
    under_way: list[int] = []
    if "locked_routes" in on:
        last = reversed_from == n and n - 1 not in grouped
        under_way = [0, 1] if paired else [n - 1] if last else []
    for _ in range(depots):
        b.depot(*rng.integers(20, 80, 2).tolist())
    stations: list[int] = []
    if "electric" in on:
        for _ in range(int(rng.integers(1, 4))):
            hours = {"tw": (0, int(rng.integers(300, 700)))} if "time_windows" in on else {}
            stations.append(b.depot(*rng.integers(20, 80, 2).tolist(), **hours))
    for i in range(n):
        details: dict[str, Any] = {"delivery": rng.integers(1, 6, dims).tolist()}
        if "pickups" in on:
            details["pickup"] = (rng.integers(0, 6, dims) * rng.integers(0, 2)).tolist()
        if "time_windows" in on:
            opens = int(rng.integers(0, 300))
            details["tw"] = (opens, opens + int(rng.integers(60, 300)))
            if i in under_way:  # whose vehicle is in time
                details["tw"] = (opens, 900)
        if on & {"time_windows", "max_duration", "time_costs"}:
            details["service"] = int(rng.integers(0, 15))
        if "release_times" in on and rng.random() < 0.5:
            details["release"] = int(rng.integers(1, 80))
        if "optional_visits" in on and (i == 0 or rng.random() < 0.4):
            details["required"] = False
            details["prize"] = int(rng.integers(0, 150))
        if "skills" in on and (i == 0 or rng.random() < 0.3):
            details["skills"] = ["cold"] if i == 0 or rng.random() < 0.7 else ["cold", "tall"]
        if "priorities" in on:
            details["priority"] = i % 3
        _relate(details, b, rng, i, paired, grouped, reversed_from, dims)
        if "several_windows" in on and (i == 0 or rng.random() < 0.5):
            opens, closes = details["tw"]
            third = (closes - opens) // 3
            details["tw"] = [(opens, opens + third), (opens + 2 * third, closes)]
        if "soft_windows" in on and (i == 0 or rng.random() < 0.6):
            details["due"] = int(rng.integers(0, 300))
            details["late_cost"] = int(rng.integers(1, 4))
        if "plan_changes" in on and (i == 0 or rng.random() < 0.6):
            details["previous"] = f"type {int(rng.integers(kinds))}"
            details["change_cost"] = int(rng.integers(1, 30))
        if "service_by_type" in on and (i == 0 or rng.random() < 0.4):
            details["service_by_type"] = {f"type {kinds - 1}": int(rng.integers(0, 40))}
        b.visit(*rng.integers(0, 100, 2).tolist(), **details)
    shared = int(rng.integers(1, 4)) if "split_delivery" in on else 0
    for _ in range(shared):
        key = "pickup" if "pickups" in on and rng.random() < 0.3 else "delivery"
        b.visit(
            *rng.integers(0, 100, 2).tolist(),
            **{key: rng.integers(4, 24, dims).tolist()},
            tw=(0, int(rng.integers(60, 600))) if "time_windows" in on else ALWAYS,
            service=int(rng.integers(0, 15)) if on & {"time_windows", "max_duration", "time_costs"} else 0,
            **({"due": 50, "late_cost": 2} if "soft_windows" in on else {}),
            **({"previous": "type 0", "change_cost": 9} if "plan_changes" in on else {}),
            backhaul="backhauls" in on and key == "pickup",
            split=True,
        )
    for k in range(kinds):
        vehicle: dict[str, Any] = {"capacity": rng.integers(12, 20, dims).tolist()}
        if "fixed_costs" in on:
            vehicle["fixed_cost"] = int(rng.integers(1, 120))
        if "time_costs" in on:
            vehicle["time_cost"] = int(rng.integers(1, 3))
        if "heterogeneous_fleet" in on:
            vehicle["distance_cost"] = int(rng.integers(1, 4))
        if "time_windows" in on:
            vehicle["shift"] = (int(rng.integers(0, 20)), int(rng.integers(450, 700)))
        if "max_distance" in on:
            vehicle["max_distance"] = int(rng.integers(200, 400))
        if "max_duration" in on:
            vehicle["max_duration"] = int(rng.integers(220, 400))
        if "skills" in on:
            vehicle["skills"] = ["cold", "tall"] if k == 0 else [[], ["cold"]][int(rng.integers(2))]
        if "profiles" in on:
            vehicle["profile"] = k % 2
        if "multi_depot" in on:
            vehicle["start_depot"], vehicle["end_depot"] = rng.integers(0, 2, 2).tolist()
        if "breaks" in on and (k == 0 or rng.random() < 0.7):
            first = int(rng.integers(0, 12))
            limit = int(rng.integers(0, 2)) * int(rng.integers(200, 400))
            vehicle["duty"] = DutyRule(int(rng.integers(40, 150)), int(rng.integers(12, 40)), first, limit)
        if "electric" in on and (k == 0 or rng.random() < 0.7):
            initial, reserve = (int(rng.integers(*ends)) for ends in ((150, 300), (0, 21)))
            price = int(rng.integers(0, 3))
            vehicle["battery"] = Battery(300, int(rng.integers(1, 3)), 7, initial, reserve, price)
            vehicle["stations"] = [*stations, *([0] if rng.random() < 0.3 else [])]
        if "open_routes" in on:
            vehicle["open_end"] = bool(k == 0 or rng.random() < 0.5)
        if "overtime" in on:
            vehicle["overtime_after"] = int(rng.integers(60, 250))
            vehicle["overtime_cost"] = int(rng.integers(1, 4))
        if "lifo" in on:
            vehicle["lifo"] = bool(k == 0 or rng.random() < 0.5)
        if "reloads" in on:
            vehicle["reload_depots"] = list(range(depots)) if k == 0 or rng.random() < 0.7 else []
            vehicle["max_reloads"] = int(rng.integers(1, 4))
            vehicle["reload_time"] = int(rng.integers(0, 9))
            vehicle["capacity"] = rng.integers(6, 10, dims).tolist()
        if "locked_routes" in on and k == kinds - 1:
            vehicle["locked"] = under_way
            vehicle["on_board"] = rng.integers(1, 3, dims).tolist()
            vehicle["skills"] = ["cold", "tall"]
            b.vehicle_type(count=1, **vehicle)
            continue
        b.vehicle_type(count=int(rng.integers(2, n + 1)) if rng.random() < 0.7 else n, **vehicle)
    speeds = None
    if "time_dependent" in on:
        nodes = depots + len(stations) + n + shared
        category = rng.integers(0, 2, (nodes, nodes))
        starts = [0.0, *np.cumsum(rng.uniform(20.5, 90.0, 3)).tolist()]
        speeds = Speeds.of(starts, rng.uniform(0.4, 2.0, (2, 4)), category)
    if "profiles" in on:
        b.travel(Travel(metric=Metric.EUCLIDEAN_ROUND, speeds=speeds))
        b.travel(Travel(metric=Metric.EUCLIDEAN_ROUND, scale=1.3, duration_per_distance=0.6))
    elif speeds is not None:
        b.travel(Travel(metric=Metric.EUCLIDEAN_ROUND, speeds=speeds))
    return b.build()


def random_routes(problem: Problem, rng: np.random.Generator, count: int) -> list[Route]:
    """Routes of a few visits, pairs mostly whole and in order, halts where the type reloads."""
    made = []
    for _ in range(count):
        kind = int(rng.integers(len(problem.vehicle_types.count)))
        visits: list[int] = []
        for visit in rng.permutation(problem.num_visits)[: int(rng.integers(1, 6))].tolist():
            partner = problem.partner(visit)
            if visit in visits:
                continue
            visits.append(visit)
            if partner is not None and partner not in visits and rng.random() < 0.9:
                first = problem.visits.pair is not None and problem.visits.pair[partner] == visit
                at = int(rng.integers(len(visits) if first else 0, len(visits) + (1 if first else 0)))
                visits.insert(at, partner)
        depots = (problem.vehicle_types.reload_depots or [()] * (kind + 1))[kind]
        cuts = sorted(rng.integers(1, len(visits) + 1, int(rng.integers(0, 3))).tolist()) if depots else []
        halts = tuple(Halt(c, int(rng.choice(depots))) for c in dict.fromkeys(cuts) if c < len(visits))
        made.append(Route(kind, tuple(visits), halts))
    return made


def _relate(
    details: dict[str, Any],
    b: ProblemBuilder,
    rng: np.random.Generator,
    i: int,
    paired: int,
    grouped: range,
    reversed_from: int,
    dims: int,
) -> None:
    """Make visit i the end of a pair, an alternative or a backhaul, as its number says."""
    first = b._visits[i - 1] if i else {}
    if i < paired and i % 2 == 0:
        details.update(delivery=0, pickup=rng.integers(1, 5, dims).tolist())
    elif i < paired:
        details.update(delivery=list(first["pickup"]), pickup=0, pickup_at=i - 1)
        details.update(required=first["required"], prize=first["prize"])
    elif i in grouped:
        details["group"] = "either"
        if i > grouped[0]:
            details["required"] = first["required"]
    elif i >= reversed_from:
        details.update(delivery=0, pickup=rng.integers(1, 5, dims).tolist(), backhaul=True)
