"""Ant colony: the pheromone of a population leads ants from one of its solutions to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from solvers.genetic import GeneticSolver
from solvers.problem import Problem
from solvers.ranges import ANY, SHARE, SOME, Ranges

if TYPE_CHECKING:
    from solvers.kernels.genetic.data import Packed
    from solvers.kernels.genetic.engine import Evolution, Tuning
    from solvers.kernels.run import Batch
    from solvers.kernels.session import Session

GROWTH_S = 2e-4  # seconds per visit squared that a colony needs to grow from nothing


class AntColonySolver(GeneticSolver):
    """Population-based, focused ant colony with local search, from a savings start.

    An iteration is an ant: it takes over a solution of the population and drives some neighbouring routes of it
    anew along the trails of others, drawn by their pheromone and by nearness; the local search of `genetic`
    improves what changed, and the outcome joins the population, whose solutions are the pheromone: a trail each
    (see `solvers.kernels.genetic.ants`). Population, prices of violations and what happens where not all visits can
    be served are those of `genetic`. In plain problems it grows from nothing where there is time (see `growth_s`),
    else from a few solutions parts of which ants have rebuilt (see `solvers.kernels.ant_colony`); so they do
    throughout in problems by coordinates of more than 2,500 places, where no population is kept.

    With the pheromone frozen the mean gap on cvrp-x is about a fifth larger (docs/benchmarks/cvrp-x-ants: 1.211
    times on ten instances with three seeds, 1.175 times on 16 others with two).

    Parameters
    ----------
    trails
        How many solutions an ant smells, at most 16, drawn by tournament. One keeps the routes of that solution
        together; of many only the edges that they share.
    floor
        The least pheromone; an edge that all trails have has 1 more.
    nearness
        How much nearness draws an ant: the weight of the k-th nearest visit is its pheromone times k to the power
        of minus this.
    home
        Weight of going home, times its pheromone.
    most_routes
        Share of the routes that an ant drives anew at most.
    frozen
        Leave all pheromone as it is at the start, everywhere the same: then there is no colony.
    rebuild_looks, rebuild_evaporation, rebuild_floor
        Of the ants that rebuild: how many neighbours of a visit they look at on average at most, drawn by
        pheromone, how fast their pheromone is renewed, and the least of it.
    near, minimum, offspring, elite, close, initial, patience, longest, swap_star, target_feasible, repair
        As in `genetic`.
    warm_runs, warm_share
        As in `genetic`: runs of the ants that rebuild, and their share of the time. By default none in plain
        problems where the colony can grow from nothing in the time, see `growth_s`.
    """

    name = "ant_colony"
    ablations: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "frozen pheromone": {"frozen": True},
        "no nearness": {"nearness": 0.0},
        "three trails": {"trails": 3},
        "sixteen trails": {"trails": 16},
        "ten times the floor": {"floor": 0.01},
        "no SWAP*": {"swap_star": False},
        "no repair": {"repair": 0.0},
    }

    ranges: ClassVar[Ranges] = {
        **GeneticSolver.ranges,
        "trails": SOME,
        "floor": SHARE,
        "nearness": ANY,
        "home": ANY,
        "rebuild_looks": ANY,
        "rebuild_evaporation": SHARE,
        "rebuild_floor": (1e-9, 1.0),
    }

    def __init__(
        self,
        trails: int = 1,
        floor: float = 0.001,
        nearness: float = 0.5,
        home: float = 0.3,
        most_routes: float = 0.15,
        frozen: bool = False,
        rebuild_looks: float = 40.0,
        rebuild_evaporation: float = 0.005,
        rebuild_floor: float = 0.005,
        near: int | None = None,
        warm_runs: int | None = None,
        warm_share: float | None = None,
        minimum: int = 25,
        offspring: int = 40,
        elite: int = 4,
        close: int = 5,
        initial: int = 100,
        patience: int = 100_000,
        longest: int = 2,
        swap_star: bool | None = None,
        target_feasible: float = 0.2,
        repair: float | None = None,
    ) -> None:
        super().__init__(
            near=near,
            warm_runs=warm_runs,
            warm_share=warm_share,
            minimum=minimum,
            offspring=offspring,
            elite=elite,
            close=close,
            initial=initial,
            patience=patience,
            longest=longest,
            swap_star=swap_star,
            most_routes=most_routes,
            target_feasible=target_feasible,
            repair=repair,
        )
        self.ants: dict[str, Any] = {
            "trails": 0 if frozen else trails,
            "floor": floor,
            "nearness": nearness,
            "home": home,
        }
        self.looks, self.rate = rebuild_looks, 0.0 if frozen else rebuild_evaporation
        self.least = rebuild_floor

    def enough(self, problem: Problem) -> int:  # noqa: ARG002
        """Iterations for a plan that somebody waits for, see `registry.enough_iterations`."""
        return 10

    def growth_s(self, visits: int) -> float:
        """Seconds that a colony needs to grow from nothing: less than `genetic`, as ants change less at once."""
        return GROWTH_S * visits**2

    def evolution(self, packed: Packed, seed: int, tuning: Tuning) -> Evolution:
        """The population and its ants."""
        from solvers.kernels.genetic.colony import AntTuning, Colony

        return Colony(packed, seed, tuning, AntTuning(**self.ants))

    def batches(self, session: Session) -> Batch:
        """Ants that rebuild parts of the session's solution, with pheromone of their own."""
        from solvers.kernels.ant_colony import march
        from solvers.kernels.layout import NEAR_WIDTH

        width = int(session.packed.ints[NEAR_WIDTH])
        size = session.packed.nodes * width
        pheromone = np.concatenate([np.full(size, 0.5), np.full(size, min(1.0, self.looks / width))])
        own = np.array([self.looks, self.rate, self.least])

        def ants(tune: np.ndarray, iterations: int, since: int) -> int:
            whole = np.concatenate([tune, own])
            since = march(
                *session.packed.arrays, session.state, pheromone, *session.scratch, whole, iterations, since
            )
            tune[:] = whole[: len(tune)]
            return since

        return ants
