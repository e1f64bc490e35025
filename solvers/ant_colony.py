"""Ant colony: pheromone on candidate lists guides how parts of the colony's solution are rebuilt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from solvers import clock
from solvers.features import CLASSIC, require
from solvers.problem import Problem
from solvers.result import OnBest, Result
from solvers.ruin_recreate import CLOCKED
from solvers.solution import Solution
from solvers.stop import Stop


class AntColonySolver:
    """Focused max-min ant colony with local search (see `solvers.kernels.ant_colony`), from a savings start.

    Parameters
    ----------
    near
        Candidates of each visit; only edges to these carry pheromone. None: 16, with time windows 40.
    looks
        How many neighbours of a visit an ant looks at, on average, drawn in proportion to their pheromone.
    evaporation
        Share of a trail that is renewed when an ant has been at its visit.
    floor
        The least pheromone; the most is 1.
    frozen
        Leave the pheromone as it is at the start, everywhere the same: then there is no colony.
    local_search
        Move the visits that an ant has placed once more where its solution is no more than so many temperatures
        worse than the colony's; 0 for never.
    mean_removed, max_string, whole_route, first_temperature, last_temperature
        How much an ant takes out and when its solution becomes the colony's; as in `ruin_recreate`.
    """

    name = "ant_colony"
    features = CLASSIC | {"backhauls"}
    ablations: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "frozen pheromone": {"frozen": True},
        "half the looks": {"looks": 2.5},
        "no local search": {"local_search": 0.0},
        "no whole routes": {"whole_route": 0.0},
    }

    def __init__(
        self,
        near: int | None = None,
        looks: float = 7.0,
        evaporation: float = 0.002,
        floor: float = 0.05,
        frozen: bool = False,
        local_search: float = 1.0,
        mean_removed: float = 12.0,
        max_string: float = 7.0,
        whole_route: float = 0.01,
        first_temperature: float = 1.0,
        last_temperature: float = 0.01,
    ) -> None:
        self.near, self.looks, self.evaporation, self.floor = near, looks, evaporation, floor
        self.frozen, self.local_search = frozen, local_search
        self.search = {
            "mean_removed": mean_removed,
            "max_string": max_string,
            "whole_route": whole_route,
            "first_temperature": first_temperature,
            "last_temperature": last_temperature,
        }

    def solve(
        self,
        problem: Problem,
        stop: Stop,
        *,
        seed: int,
        start: Solution | None = None,
        on_best: OnBest[Solution] | None = None,
    ) -> Result[Solution]:
        """See `solvers.registry.Solver`."""
        from solvers.kernels.ant_colony import march
        from solvers.kernels.data import pack
        from solvers.kernels.layout import NEAR_WIDTH
        from solvers.kernels.run import Recorder, RuinTuning, anneal
        from solvers.kernels.session import Session

        began = clock.seconds()
        require(problem, self.features, self.name)
        near = self.near or (40 if problem.features & CLOCKED else 16)
        session = Session(pack(problem, near=near), seed)
        recorder = Recorder(session, problem, began, on_best)
        if start is None:
            session.construct()
        else:
            session.start_from(start)
        width = int(session.packed.ints[NEAR_WIDTH])
        size = session.packed.nodes * width
        level = 0.5 * (1.0 + self.floor)
        pheromone = np.concatenate([np.full(size, level), np.full(size, min(1.0, self.looks / width))])
        rate = 0.0 if self.frozen else self.evaporation
        own = np.array([self.looks, rate, self.floor, self.local_search])

        def ants(tune: np.ndarray, iterations: int, since: int) -> int:
            whole = np.concatenate([tune, own])
            since = march(
                *session.packed.arrays, session.state, pheromone, *session.scratch, whole, iterations, since
            )
            tune[:] = whole[: len(tune)]
            return since

        iterations = anneal(session, recorder, stop, RuinTuning(**self.search), ants)
        return recorder.result(self.name, seed, iterations)
