"""Names of problem features. A solver lists those it supports; `require` refuses a problem beyond them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from solvers.errors import UnsupportedFeatureError

if TYPE_CHECKING:
    from solvers.problem import BoolArray, Problem
    from solvers.travel import IntArray

# name -> what it means, as `logistics solvers` prints it
FEATURES: dict[str, str] = {
    "capacities": "more than one load dimension",
    "pickups": "goods collected from visits",
    "time_windows": "windows of visits, depots or shifts that bind",
    "release_times": "goods that are ready at the depot only later",
    "multi_depot": "several depots",
    "heterogeneous_fleet": "several vehicle types",
    "fixed_costs": "a cost per vehicle used",
    "time_costs": "a cost per unit of route duration",
    "max_distance": "limited route length",
    "max_duration": "limited route duration",
    "optional_visits": "visits that may be left out at the loss of a prize",
    "skills": "visits that only some vehicles may serve",
    "profiles": "vehicle types with their own travel times",
    "priorities": "mandatory visits of different importance",
    "backhauls": "visits served only after those that take deliveries",
    "open_routes": "vehicles that need not return",
    "service_by_type": "service times that depend on the vehicle type",
    "overtime": "a price on long routes",
    "exclusive_groups": "groups of visits of which one is served",
    "pickup_delivery": "goods collected at one visit and brought to another",
    "lifo": "vehicles unloaded in the reverse order of loading",
    "reloads": "vehicles that return to a depot for further trips",
    "several_windows": "visits with several time windows",
    "soft_windows": "a price on service after a due time",
    "time_dependent": "speeds that change with the hour",
    "breaks": "drivers who need breaks, with limited driving",
    "electric": "batteries that are charged at stations on the way",
    "split_delivery": "visits whose demand several routes may share",
    "plan_changes": "a price on other vehicles than in the plan before",
    "locked_routes": "vehicles under way with visits that stay theirs",
    "longest_route": "the longest route as short as possible, then cost",
    "vehicles_first": "fewest vehicles first, then cost",
}

# what a solver supports that knows routes of one trip from depot to depot, and visits independent of each other
CLASSIC: frozenset[str] = frozenset(
    {
        "capacities",
        "pickups",
        "time_windows",
        "release_times",
        "multi_depot",
        "heterogeneous_fleet",
        "fixed_costs",
        "time_costs",
        "max_distance",
        "max_duration",
        "optional_visits",
        "skills",
        "profiles",
        "priorities",
    }
)


def features_of(problem: Problem) -> frozenset[str]:
    """The features that `problem` really uses; a window that can never bind does not count."""
    from solvers.problem import UNLIMITED, Objective

    v, t = problem.visits, problem.vehicle_types
    timed = bool(
        (v.tw[:, 1] < UNLIMITED).any()
        or (v.tw[:, 0] > 0).any()
        or (t.shift[:, 1] < UNLIMITED).any()
        or (t.shift[:, 0] > 0).any()
        or (problem.depots.tw[:, 1] < UNLIMITED).any()
    )
    used = {
        "capacities": problem.num_load_dimensions > 1,
        "pickups": bool(v.pickup.any()),
        "time_windows": timed,
        "release_times": bool((v.release > 0).any()),
        "multi_depot": problem.num_depots > 1,
        "heterogeneous_fleet": len(t.count) > 1,
        "fixed_costs": bool((t.fixed_cost > 0).any()),
        "time_costs": bool((t.time_cost > 0).any()),
        "max_distance": bool((t.max_distance < UNLIMITED).any()),
        "max_duration": bool((t.max_duration < UNLIMITED).any()),
        "optional_visits": not bool(v.required.all()),
        "skills": bool(v.skills.any()),
        "profiles": len(problem.travel) > 1,
        "priorities": len(np.unique(v.priority)) > 1,
        "backhauls": _any(v.backhaul),
        "open_routes": _any(t.open_end),
        "service_by_type": v.service_by_type is not None,
        "overtime": t.overtime_cost is not None and bool((t.overtime_cost > 0).any()),
        "exclusive_groups": v.group is not None and bool((v.group >= 0).any()),
        "pickup_delivery": v.pair is not None and bool((v.pair >= 0).any()),
        "lifo": _any(t.lifo),
        "reloads": t.reload_depots is not None and any(t.reload_depots),
        "several_windows": v.gaps is not None and len(v.gaps) > 0,
        "soft_windows": v.late_cost is not None and bool((v.late_cost > 0).any()),
        "time_dependent": any(travel.speeds is not None for travel in problem.travel),
        "breaks": t.duty is not None and bool(t.duty.any()),
        "electric": _any(t.battery),
        "split_delivery": _any(v.split),
        "plan_changes": v.change_cost is not None and bool((v.change_cost > 0).any()),
        "locked_routes": (t.locked is not None and any(t.locked)) or _any(t.on_board),
        "longest_route": problem.objective is Objective.LONGEST,
        "vehicles_first": problem.objective is Objective.VEHICLES,
    }
    return frozenset(name for name, present in used.items() if present)


def _any(flags: BoolArray | IntArray | None) -> bool:
    return flags is not None and bool(flags.any())


def require(problem: Problem, supported: Iterable[str], solver: str) -> None:
    """Raise `UnsupportedFeatureError`, naming every feature of the problem that is not in `supported`."""
    missing = sorted(problem.features - frozenset(supported))
    if missing:
        listed = ", ".join(f"{name} ({FEATURES[name]})" for name in missing)
        raise UnsupportedFeatureError(f"solver {solver!r} does not support: {listed}")
