"""Names of problem features. A solver lists those it supports; `require` refuses a problem beyond them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from solvers.errors import UnsupportedFeatureError

if TYPE_CHECKING:
    from solvers.problem import Problem

# name -> what it means, as `logistics solvers` prints it
FEATURES: dict[str, str] = {
    "capacities": "more than one load dimension",
    "pickups": "goods collected from visits",
    "time_windows": "time windows, service times or shift windows that bind",
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
}


def features_of(problem: Problem) -> frozenset[str]:
    """The features that `problem` really uses; a window that can never bind does not count."""
    from solvers.problem import UNLIMITED

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
    }
    return frozenset(name for name, present in used.items() if present)


def require(problem: Problem, supported: Iterable[str], solver: str) -> None:
    """Raise `UnsupportedFeatureError`, naming every feature of the problem that is not in `supported`."""
    missing = sorted(problem.features - frozenset(supported))
    if missing:
        listed = ", ".join(f"{name} ({FEATURES[name]})" for name in missing)
        raise UnsupportedFeatureError(f"solver {solver!r} does not support: {listed}")
