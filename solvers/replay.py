"""A plan under uncertainty: its routes driven again with sampled demands and travel times.

Routes, their order and the planned departures stay; what a sample changes is how much every visit takes and
how long every leg lasts. What a vehicle does about it (turning back, calling a colleague) is not modelled:
the checker says which constraints the unchanged plan breaks, and by how much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from solvers.check import check, cost_of
from solvers.constraints import ROUTE_CONSTRAINTS
from solvers.errors import UnsupportedFeatureError
from solvers.problem import Problem
from solvers.schedule import Leg, leg_function, schedule
from solvers.solution import Solution
from solvers.travel import FloatArray, IntArray

_DEMAND, _TRAVEL = 1, 2  # purposes of random streams


@dataclass(frozen=True, slots=True)
class Broken:
    """One constraint over all samples: share of samples that miss it, mean misses and amount in those."""

    share: float
    mean_misses: float
    mean_amount: float


@dataclass(frozen=True, slots=True)
class Replay:
    """What the samples showed. `cost` are the costs of the samples; `routes` the share of samples in which
    each route of the plan keeps every constraint."""

    planned_cost: int
    cost: IntArray
    sound_share: float
    broken: dict[str, Broken]
    routes: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        quantiles = np.quantile(self.cost, [0.05, 0.5, 0.95]).tolist()
        names = ("p5", "median", "p95")
        return {
            "samples": len(self.cost),
            "planned_cost": self.planned_cost,
            "cost": {
                "mean": float(self.cost.mean()),
                "sd": float(self.cost.std(ddof=1)) if len(self.cost) > 1 else 0.0,
                "min": int(self.cost.min()),
                **dict(zip(names, quantiles, strict=True)),
                "max": int(self.cost.max()),
            },
            "without_violation_share": self.sound_share,
            "violations": {
                code: {"share": b.share, "mean_misses": b.mean_misses, "mean_amount": b.mean_amount}
                for code, b in self.broken.items()
            },
            "routes_without_violation_share": list(self.routes),
        }


def replayable(problem: Problem) -> None:
    """Raise `UnsupportedFeatureError` for speeds by the hour and demands that routes share."""
    for feature, what in (
        ("time_dependent", "speeds that change with the hour"),
        ("split_delivery", "demands that routes share"),
    ):
        if feature in problem.features:
            raise UnsupportedFeatureError(f"a replay does not support: {feature} ({what})")


def replay(
    problem: Problem,
    solution: Solution,
    samples: int,
    seed: int,
    *,
    demand_cv: float = 0.2,
    travel_cv: float = 0.2,
) -> Replay:
    """Drive the routes of `solution` under `samples` samples.

    Demands and travel times are multiplied by log-normal factors of mean 1 and the given coefficients of
    variation: one per visit (both ends of a pair share one) and one per leg. A factor depends only on the seed,
    the sample, and the visit or the leg's two nodes, so that plans of one problem meet the same luck.
    Raises as `replayable` does, and ValueError where the plan names unknown visits or vehicle types.
    """
    replayable(problem)
    planned = check(problem, solution)
    if len(planned.routes) < len(solution.routes):
        raise ValueError("the plan names unknown visits or vehicle types")
    runs = [f for f in planned.routes if f.route.visits]
    hops = sorted({hop for f in runs for hop in _hops(f.schedule.nodes)})
    costs = np.zeros(samples, dtype=np.int64)
    sound, sound_routes = 0, np.zeros(len(runs))
    missed: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for sample in range(samples):
        varied = _with_demands(problem, seed, sample, demand_cv)
        slower = dict(zip(hops, _leg_factors(hops, seed, sample, travel_cv).tolist(), strict=True))
        legs: dict[int, Leg] = {}
        total = planned.cost.prizes_lost
        found: dict[str, list[int]] = defaultdict(list)
        for number, figures in enumerate(runs):
            kind = figures.route.vehicle_type
            profile = int(problem.vehicle_types.profile[kind])
            if profile not in legs:
                legs[profile] = _slowed(leg_function(problem, profile), slower)
            here = _leaving(varied, kind, figures.start_time)
            run = schedule(here, figures.route, legs[profile], at_once=True)
            total += cost_of(here, run).total
            misses = [(c.code, m.amount) for c in ROUTE_CONSTRAINTS for m in c.check(here, run)]
            sound_routes[number] += not misses
            for code, amount in misses:
                found[code].append(amount)
        costs[sample] = total
        sound += not found
        for code, amounts in found.items():
            missed[code].append((len(amounts), sum(amounts)))
    broken = {
        code: Broken(
            share=len(each) / samples,
            mean_misses=float(np.mean([count for count, _ in each])),
            mean_amount=float(np.mean([amount for _, amount in each])),
        )
        for code, each in sorted(missed.items())
    }
    return Replay(
        planned.cost.total, costs, sound / samples, broken, tuple((sound_routes / samples).tolist())
    )


def _hops(nodes: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    return pairwise(nodes)


def _factors(normal: FloatArray, cv: float) -> FloatArray:
    """Log-normal with mean 1 and coefficient of variation `cv`, from standard normals."""
    variance = np.log1p(cv * cv)
    factors: FloatArray = np.exp(np.sqrt(variance) * normal - variance / 2)
    return factors


def _with_demands(problem: Problem, seed: int, sample: int, cv: float) -> Problem:
    if cv == 0:
        return problem
    v = problem.visits
    stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_DEMAND, sample)))
    factor = _factors(stream.standard_normal(problem.num_visits), cv)
    if v.pair is not None:
        factor = np.where(v.pair >= 0, factor[np.maximum(v.pair, 0)], factor)
    delivery, pickup = (np.rint(a * factor[:, None]).astype(np.int64) for a in (v.delivery, v.pickup))
    return problem.replace(delivery=delivery, pickup=pickup)


def _leg_factors(hops: list[tuple[int, int]], seed: int, sample: int, cv: float) -> FloatArray:
    """One factor per leg, each a function of (seed, sample, leg) alone: a counter-based generator.

    SplitMix64 (Steele, Lea & Flood 2014) mixes the key; Box and Muller turn two uniforms into a normal.
    """
    if cv == 0 or not hops:
        return np.ones(len(hops))
    ends = np.array(hops, dtype=np.uint64)
    key = np.random.SeedSequence(seed, spawn_key=(_TRAVEL, sample)).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        mixed = _mix(_mix(key ^ _mix(ends[:, 0])) ^ ends[:, 1])
        again = _mix(mixed)
    u, w = ((x >> np.uint64(11)).astype(np.float64) * 2.0**-53 for x in (mixed, again))
    return _factors(np.sqrt(-2.0 * np.log1p(-u)) * np.cos(2.0 * np.pi * w), cv)


def _mix(x: Any) -> Any:
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _slowed(leg: Leg, factor: dict[tuple[int, int], float]) -> Leg:
    def slower(i: int, j: int) -> tuple[int, int]:
        distance, duration = leg(i, j)
        return distance, round(duration * factor.get((i, j), 1.0))

    return slower


def _leaving(problem: Problem, kind: int, planned: int) -> Problem:
    """The problem in which vehicles of the type leave no earlier than planned."""
    shift = np.array(problem.vehicle_types.shift)
    shift[kind, 0] = planned
    return replace(problem, vehicle_types=replace(problem.vehicle_types, shift=shift))
