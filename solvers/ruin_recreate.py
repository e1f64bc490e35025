"""Ruin and recreate: string removals, greedy insertion with blinks, simulated annealing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from solvers import clock
from solvers.constraints import known_routes
from solvers.features import CLASSIC, require
from solvers.problem import Problem
from solvers.ranges import ANY, BLINK, POSITIVE, SHARE, SOME, Ranges
from solvers.result import OnBest, Result
from solvers.solution import Solution
from solvers.stop import Started, Stop

CLOCKED = frozenset({"time_windows", "release_times", "max_duration", "time_costs"})
UNTIMED = {
    "max_string": 7.0,
    "whole_route": 0.01,
    "last_temperature": 0.01,
    "exchanges": 0.3,
    "near": 20,
    "first_temperature": 0.3,
    "more_routes": 0.0,
    "more_visits": 0.0,
    "rebuilt": 0.0,
}
TIMED = {
    "max_string": 10.0,
    "whole_route": 0.03,
    "last_temperature": 0.02,
    "exchanges": 1.0,
    "near": 50,
    "first_temperature": 0.6,
    "more_routes": 2.0,
    "more_visits": 0.0,
    "rebuilt": 0.0,
}
# with backhauls half of the near visits are of no use
SIDED = {"near": 40, "last_temperature": 0.02, "first_temperature": 0.6}
# where visits are optional, with clocks
CHOOSING = {"first_temperature": 1.2, "more_visits": 1.0}
# building looks at all visits in the bank, ruins do not
REBUILT, REBUILT_AT = 0.01, 1_000  # up to so many visits, and less often the more there are


def usual(problem: Problem) -> dict[str, float]:
    """What the parameters are that depend on the problem."""
    if not problem.features & CLOCKED:
        return {**UNTIMED, **(SIDED if "backhauls" in problem.features else {})}
    if "optional_visits" not in problem.features:
        return {**TIMED}
    return {**TIMED, **CHOOSING, "rebuilt": REBUILT * min(1.0, REBUILT_AT / problem.num_visits)}


class RuinRecreateSolver:
    """Slack induction by string removals (Christiaens and Vanden Berghe 2020) from a savings start.

    Insertion alone leaves long routes as they are, so the annealing also hears proposals to exchange the ends of
    two routes and to drive a piece backwards (`solvers.kernels.exchange`).

    Parameters
    ----------
    mean_removed, max_string, split, blink
        Mean visits removed per iteration, longest string, probability of sparing a piece inside a string,
        probability of overlooking a position.
    whole_route
        Probability of also taking out all of a short route nearby; what rids a plan of surplus vehicles.
    first_temperature, last_temperature
        Of the annealing, in units of the mean edge cost of the start.
    exchanges
        Exchanges of route ends and pieces driven backwards that are proposed per iteration.
    rebuilt
        Probability of building whole new routes in the place of one or two (`solvers.kernels.whole_routes`)
        instead of strings; by default where visits are optional and have time windows.
    more_routes
        What a route more is worth to the annealing, in units of its temperature, while there are a quarter more
        routes than the mandatory loads ask for (`solvers.kernels.ruin_recreate.lean`); by default with clocks.
    more_visits
        What an optional visit more is worth to the annealing beside its prize, in units of its temperature times
        the share of visits on no route (`solvers.kernels.ruin_recreate.lures`); by default with clocks.
    near, adjacent
        Lengths of the neighbour lists for insertion and for ruin.

    None takes `TIMED` or `UNTIMED`, with backhauls `SIDED`, with optional visits and clocks `CHOOSING`: set from
    short runs, mostly of one seed, on a few instances of cvrp-x, vrptw-gh1000, pcvrptw and vrpb. They are not a
    full tuning.
    """

    name = "ruin_recreate"
    features = CLASSIC | {"backhauls"}
    ablations: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "no annealing": {"first_temperature": 1e-9, "last_temperature": 1e-9},
        "no blinks": {"blink": 0.0},
        "no whole routes": {"whole_route": 0.0},
        "no exchanges": {"exchanges": 0.0},
        "no whole new routes": {"rebuilt": 0.0},
        "no leaning to more routes": {"more_routes": 0.0},
        "no leaning to more visits": {"more_visits": 0.0},
        "whole strings only": {"split": 0.0},
        "single visits instead of strings": {"max_string": 1.0},
        "half the ruin": {"mean_removed": 5.0},
        "twice the ruin": {"mean_removed": 20.0},
        "half the neighbours": {"near": 10, "adjacent": 50},
    }

    ranges: ClassVar[Ranges] = {
        "mean_removed": SOME,
        "max_string": SOME,
        "split": SHARE,
        "blink": BLINK,
        "whole_route": SHARE,
        "first_temperature": POSITIVE,
        "last_temperature": POSITIVE,
        "near": SOME,
        "adjacent": SOME,
        "exchanges": ANY,
        "rebuilt": SHARE,
        "more_routes": ANY,
        "more_visits": ANY,
    }

    def __init__(
        self,
        mean_removed: float = 10.0,
        max_string: float | None = None,
        split: float = 0.5,
        blink: float = 0.01,
        whole_route: float | None = None,
        first_temperature: float | None = None,
        last_temperature: float | None = None,
        near: int | None = None,
        adjacent: int = 100,
        exchanges: float | None = None,
        rebuilt: float | None = None,
        more_routes: float | None = None,
        more_visits: float | None = None,
    ) -> None:
        self.search = {
            "mean_removed": mean_removed,
            "max_string": max_string,
            "split": split,
            "blink": blink,
            "whole_route": whole_route,
            "first_temperature": first_temperature,
            "last_temperature": last_temperature,
            "exchanges": exchanges,
            "rebuilt": rebuilt,
            "more_routes": more_routes,
            "more_visits": more_visits,
        }
        self.near, self.adjacent = near, adjacent

    def enough(self, problem: Problem) -> int:
        """Iterations for a plan that somebody waits for, see `registry.enough_iterations`."""
        return max(200, 20 * problem.num_visits)

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
        stop, began = Started(stop), clock.seconds()
        from solvers.kernels.data import pack
        from solvers.kernels.run import Recorder, RuinTuning, anneal
        from solvers.kernels.session import Session

        require(problem, self.features, self.name)
        given = usual(problem)
        chosen = {key: given[key] if value is None else value for key, value in self.search.items()}
        near = int(given["near"]) if self.near is None else self.near
        session = Session(pack(problem, near=near, adjacent=self.adjacent), seed)
        recorder = Recorder(session, problem, began, on_best)
        if start is None:
            session.construct()
        else:
            session.start_from(known_routes(problem, start))
        iterations = anneal(session, recorder, stop, RuinTuning(**chosen))
        return recorder.result(self.name, seed, iterations)
