"""The arcs that the order of backhauls rules out: one rule for all solvers that search on matrices."""

from __future__ import annotations

import numpy as np

from solvers.problem import BoolArray, Problem
from solvers.travel import IntArray


def barred_arcs(problem: Problem, visits: IntArray) -> BoolArray | None:
    """(d + n, d + n) arcs from backhauls to other visits and, where backhauls may not go alone, from depots.

    Rows and columns are the d depots, then `visits`, the numbers of n visits. None where there are no backhauls.
    """
    backhaul = problem.visits.backhaul
    if backhaul is None or not backhaul[visits].any():
        return None
    d = problem.num_depots
    late = np.zeros(d + len(visits), dtype=bool)
    late[d:] = backhaul[visits]
    early = ~late
    early[:d] = False
    arcs = np.asarray(late[:, None] & early[None, :])
    if not problem.backhauls_alone:
        arcs[:d] = late
    return arcs
