"""Controllers of goods-to-person warehouses by name: the built-in ones, and those other packages offer.

A package adds one by declaring an entry point in the group `logistics.warehouse.KIND` (KIND as in `BUILT_IN`)
whose value is a class or factory that takes a `numpy.random.Generator`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import numpy as np

from solvers.errors import LogisticsError

GROUP = "logistics.warehouse"
_HERE = "sim.warehouse.controllers"  # looked up by name: this layer knows none of them

BUILT_IN: dict[str, dict[str, str]] = {
    "order_assignment": {
        "fcfs": f"{_HERE}:OldestOrder",
        "pile_on": f"{_HERE}:MatchingOrder",
        "random": f"{_HERE}:RandomOrder",
    },
    "pod_selection": {
        "nearest": f"{_HERE}:NearestPod",
        "pile_on": f"{_HERE}:PileOnPod",
        "random": f"{_HERE}:RandomPod",
    },
    "pod_storage": {
        "nearest": f"{_HERE}:NearestPlace",
        "random": f"{_HERE}:RandomPlace",
        "turnover": f"{_HERE}:TurnoverPlace",
    },
    "task_allocation": {
        "nearest": f"{_HERE}:NearestRobot",
        "longest_idle": f"{_HERE}:LongestIdleRobot",
    },
}


class UnknownControllerError(LogisticsError):
    """No controller of that kind is registered under that name."""

    code = "unknown-controller"


def registered(kind: str) -> dict[str, str]:
    """Targets (`module:attribute`) of all controllers of a kind by name; built-in names win."""
    if kind not in BUILT_IN:
        raise UnknownControllerError(f"no kind of controller {kind!r}; there are: {', '.join(BUILT_IN)}")
    found = {point.name: point.value for point in entry_points(group=f"{GROUP}.{kind}")}
    return dict(sorted((found | BUILT_IN[kind]).items()))


def make(kind: str, name: str, generator: np.random.Generator) -> Any:
    """The controller of a kind registered as `name`; `UnknownControllerError` lists all names."""
    known = registered(kind)
    if name not in known:
        raise UnknownControllerError(f"no {kind} {name!r}; there are: {', '.join(known)}")
    module, _, attribute = known[name].partition(":")
    return getattr(import_module(module), attribute)(generator)
