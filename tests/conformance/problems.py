"""Random small routing problems of every feature, alone and in pairs, for the conformance suite."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from itertools import combinations
from typing import Any

import numpy as np

from solvers import Metric, Problem, ProblemBuilder, Travel
from solvers.features import FEATURES

# a feature -> the features that it brings along
IMPLIED = {"profiles": {"heterogeneous_fleet"}}

CASES: list[tuple[str, ...]] = [
    (),
    *((name,) for name in FEATURES),
    *combinations(FEATURES, 2),
    tuple(FEATURES),
]


def case_id(case: tuple[str, ...]) -> str:
    return "plain" if not case else "all" if len(case) == len(FEATURES) else "+".join(case)


def supported(case: tuple[str, ...], features: Collection[str]) -> bool:
    needed = set(case).union(*(IMPLIED.get(name, set()) for name in case))
    return needed <= set(features)


def random_problem(case: Collection[str], seed: int, most: int = 12) -> Problem:
    """A problem that uses the features of `case`, mostly feasible, never trivially so."""
    rng = np.random.default_rng([seed, zlib.crc32("+".join(sorted(case)).encode())])
    on = set(case).union(*(IMPLIED.get(name, set()) for name in case))
    n = int(rng.integers(3, most + 1))
    dims = 2 if "capacities" in on else 1
    depots = 2 if "multi_depot" in on else 1
    b = ProblemBuilder(name=f"{'+'.join(sorted(on))}-{seed}")
    for _ in range(depots):
        b.depot(*rng.integers(20, 80, 2).tolist())
    for i in range(n):
        details: dict[str, Any] = {"delivery": rng.integers(1, 6, dims).tolist()}
        if "pickups" in on:
            details["pickup"] = (rng.integers(0, 6, dims) * rng.integers(0, 2)).tolist()
        if "time_windows" in on:
            opens = int(rng.integers(0, 300))
            details["tw"] = (opens, opens + int(rng.integers(60, 300)))
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
        b.visit(*rng.integers(0, 100, 2).tolist(), **details)
    kinds = int(rng.integers(2, 4)) if on & {"heterogeneous_fleet"} else 1
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
        b.vehicle_type(count=int(rng.integers(2, n + 1)) if rng.random() < 0.7 else n, **vehicle)
    if "profiles" in on:
        b.travel(Travel(metric=Metric.EUCLIDEAN_ROUND))
        b.travel(Travel(metric=Metric.EUCLIDEAN_ROUND, scale=1.3, duration_per_distance=0.6))
    return b.build()
