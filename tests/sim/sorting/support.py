"""Small floors for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from logistics.sorting import ChutesSection, ErrorsSection, SortingSection, SortRobotsSection
from sim.random_streams import Streams
from sim.robots.check import RobotCheck, check_actions
from sim.robots.problem import RobotProblem
from sim.sorting.parcels import SortParcels, allot_chutes
from sim.sorting.robot_floor import RobotSorter

SMALL: dict[str, Any] = {
    "robots": 12,
    "chute_rows": 3,
    "chute_columns": 4,
    "inductions": 3,
    "queue_cells": 3,
    "chargers": 3,
}


def section(
    chutes: dict[str, Any] | None = None, errors: dict[str, Any] | None = None, **robots: Any
) -> SortingSection:
    return SortingSection(
        kind="robots",
        robots=SortRobotsSection(**(SMALL | robots)),
        chutes=ChutesSection(**(chutes or {})),
        errors=ErrorsSection(**({"missort": 0.0, "damage": 0.0} | (errors or {}))),
    )


def floor(
    sorting: SortingSection, parcels: int = 200, every_s: float = 4.0, seed: int = 1, **options: Any
) -> RobotSorter:
    """A floor told of parcels that come every so often, to destinations in turn."""
    destinations = min(9, sorting.robots.chute_rows * sorting.robots.chute_columns)
    number = np.arange(parcels)
    chutes = allot_chutes(
        np.full(destinations, parcels), sorting.robots.chute_rows * sorting.robots.chute_columns
    )
    made = RobotSorter(
        sorting,
        SortParcels.of(number * 5 % destinations),
        chutes,
        Streams(seed),
        keep_actions=True,
        **options,
    )
    made.submit(number, number * every_s)
    return made


def checked(made: RobotSorter) -> RobotCheck:
    """The independent checker's verdict on every move."""
    assert made.actions is not None
    actions = np.array(made.actions)
    problem = RobotProblem("floor", made.layout.grid, made.starts, made.starts[:1], max(1, len(actions)))
    return check_actions(problem, actions)
