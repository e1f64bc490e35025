"""Exchanges of route ends and pieces driven backwards against the checker, on random problems."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from numba import njit

from solvers import MaxIterations, Problem, Route, Solution, make
from solvers.check import check
from solvers.constraints import ROUTE_CONSTRAINTS
from solvers.kernels.data import Packed, pack
from solvers.kernels.exchange import backwards_change, ends_change, propose, split_change
from solvers.kernels.insertion import NEVER
from solvers.kernels.layout import ITEM, KIND, MIXED, N_USED, NEXT, QUICK, S_HEAD, SLOT, VALUE
from solvers.kernels.ruin_recreate import lean
from solvers.kernels.run import RuinTuning
from solvers.kernels.session import Session
from solvers.kernels.state import slot
from solvers.ruin_recreate import CLOCKED
from tests.conformance.problems import random_problem

CODES = {constraint.code for constraint in ROUTE_CONSTRAINTS}
APART = "backhauls alone pick up"
CASES = [
    (),
    ("time_windows",),
    ("time_windows", "time_costs", "max_duration"),
    ("release_times", "time_windows"),
    ("max_distance", "capacities"),
    ("backhauls",),
    ("backhauls", "capacities", "max_distance", APART),
    ("pickups", "capacities"),
    ("pickups", "time_windows"),
    ("fixed_costs", "heterogeneous_fleet", "multi_depot"),
]


@njit
def ends(D, F, P, S, pairs, out):  # type: ignore[no-untyped-def]
    for k in range(len(pairs)):
        out[k] = ends_change(D, F, P, S, pairs[k, 0], pairs[k, 1], 1e17)


@njit
def backwards(D, F, P, S, pairs, out):  # type: ignore[no-untyped-def]
    for k in range(len(pairs)):
        out[k] = backwards_change(D, F, P, S, pairs[k, 0], pairs[k, 1], 1e17)


@njit
def cuts(D, F, P, S, visits, out):  # type: ignore[no-untyped-def]
    for k in range(len(visits)):
        out[k] = split_change(D, F, P, S, visits[k, 0], 1e17)


@njit
def proposals(D, F, P, S, bound, count, worth=0.0):  # type: ignore[no-untyped-def]
    made = 0
    for _ in range(count):
        made += propose(D, F, P, S, bound, worth)
    return made


@njit
def leaning(S, tune, temperature):  # type: ignore[no-untyped-def]
    return lean(S, tune, temperature)


@njit
def kind_of(S, r):  # type: ignore[no-untyped-def]
    return S[slot(S, r) + KIND]


class Plan:
    """The session's present routes: items by slot, and what the checker makes of lists of items."""

    def __init__(self, problem: Problem, packed: Packed, session: Session) -> None:
        self.problem, self.packed = problem, packed
        n, items = packed.nodes, session.state[S_HEAD:]
        follow = items[NEXT - S_HEAD :: ITEM]
        self.routes: dict[int, list[int]] = {}
        self.kinds: dict[int, int] = {}
        slots = items[SLOT - S_HEAD :: ITEM]
        for r in sorted({int(slots[x]) for x in range(packed.depots, n) if slots[x] >= 0}):
            x, held = int(follow[n + 2 * r]), []
            while x < n:
                assert slots[x] == r
                held.append(x)
                x = int(follow[x])
            self.routes[r], self.kinds[r] = held, int(kind_of(session.state, r))

    def route(self, items: list[int], kind: int) -> Route:
        return Route(kind, tuple(int(self.packed.order[x - self.packed.depots]) for x in items))

    def solution(self) -> Solution:
        return Solution(tuple(self.route(held, self.kinds[r]) for r, held in self.routes.items()))

    def cost(self, items: list[int], kind: int) -> int | None:
        """Of one route, None where it breaks a constraint."""
        if not items:
            return 0
        report = check(self.problem, Solution((self.route(items, kind),)))
        if any(v.code in CODES for v in report.violations):
            return None
        return report.cost.total - report.cost.prizes_lost

    def change(self, old: list[list[int]], new: list[list[int]], kind: int) -> int:
        before, after = ([self.cost(items, kind) for items in routes] for routes in (old, new))
        if any(c is None for c in after):
            return int(NEVER)
        return sum(c or 0 for c in after) - sum(c or 0 for c in before)


def searched(case: tuple[str, ...], seed: int) -> tuple[Problem, Packed, Session, Plan]:
    problem = random_problem(tuple(name for name in case if name != APART), seed)
    v = problem.visits
    if APART in case:
        assert v.backhaul is not None
        own = v.backhaul[:, None]
        problem = problem.replace(
            visits=replace(v, delivery=np.where(own, 0, v.delivery), pickup=np.where(own, v.pickup, 0))
        )
    start = make("ruin_recreate").solve(problem, MaxIterations(30), seed=seed).solution
    packed = pack(problem)
    session = Session(packed, seed)
    session.start_from(start)
    return problem, packed, session, Plan(problem, packed, session)


@pytest.mark.parametrize("case", CASES, ids="+".join)
def test_a_change_is_what_the_checker_finds(case: tuple[str, ...]) -> None:
    compared = refused = 0
    for seed in range(12):
        problem, packed, session, plan = searched(case, seed)
        n = packed.nodes
        pairs, wanted, turned, wanted_turned = [], [], [], []
        cut, wanted_cut = [], []
        used = [
            sum(k == kind for k in plan.kinds.values()) for kind in range(len(problem.vehicle_types.count))
        ]
        for r, one in plan.routes.items():
            kind = plan.kinds[r]
            left = used[kind] < problem.vehicle_types.count[kind]
            for i, u in enumerate(one):
                cut.append((u, u))
                split = left and i + 1 < len(one)
                new = [one[: i + 1], one[i + 1 :]]
                wanted_cut.append(plan.change([one], new, kind) if split else int(NEVER))
        home = problem.vehicle_types.start_depot == problem.vehicle_types.end_depot
        turns = not problem.features & CLOCKED and packed.ints[MIXED] == 0
        for (r, one), (q, two) in permutations(plan.routes.items(), 2):
            kind = plan.kinds[r]
            if plan.kinds[q] != kind:
                continue
            for i, u in enumerate(one):
                for j in range(len(two) + 1):
                    v = two[j - 1] if j else n + 2 * q
                    if j < len(two):  # what follows v is a visit, as `propose` sees to
                        pairs.append((u, v))
                        new = [one[: i + 1] + two[j:], two[:j] + one[i + 1 :]]
                        wanted.append(plan.change([one, two], new, kind))
                    if j and turns and home[kind]:
                        turned.append((u, v))
                        new = [one[: i + 1] + two[:j][::-1], one[i + 1 :][::-1] + two[j:]]
                        wanted_turned.append(plan.change([one, two], new, kind))
        if turns:
            for r, one in plan.routes.items():
                if not home[plan.kinds[r]]:
                    continue
                for i in range(len(one)):
                    for j in range(i + 2, len(one)):
                        new = one[: i + 1] + one[i + 1 : j + 1][::-1] + one[j + 1 :]
                        turned += [(one[i], one[j]), (one[j], one[i])]
                        wanted_turned += 2 * [plan.change([one], [new], plan.kinds[r])]
        for kernel, asked, answers in (
            (ends, pairs, wanted),
            (backwards, turned, wanted_turned),
            (cuts, cut, wanted_cut),
        ):
            if asked:
                out = np.empty(len(asked), dtype=np.int64)
                kernel(*packed.arrays, session.state, np.array(asked, dtype=np.int64), out)
                assert out.tolist() == answers
                compared += sum(a < NEVER for a in answers)
                refused += sum(a == NEVER for a in answers)
        assert turns or APART not in case
    assert compared > 20
    assert refused > 0


@pytest.mark.parametrize("case", CASES, ids="+".join)
def test_whatever_is_carried_out_is_sound_and_costs_what_it_should(case: tuple[str, ...]) -> None:
    made = 0
    for seed in range(12):
        problem, packed, session, _ = searched(case, seed)
        for bound in (1e15, 0.0, 1e15):
            made += proposals(*packed.arrays, session.state, bound, 20)
            solution = Plan(problem, packed, session).solution()
            report = check(problem, solution)
            assert not [v for v in report.violations if v.code in CODES]
            assert report.cost.total == session.state[VALUE]
    assert made > 20


def test_proposals_ruled_out_by_the_way_alone_would_not_have_been_made() -> None:
    made = 0
    for case in (("time_windows",), ("fixed_costs", "max_distance"), ("time_windows", "max_duration")):
        for seed in range(8):
            _, packed, session, _ = searched(case, seed)
            assert packed.ints[QUICK] == 1
            D, F, P, S = *packed.arrays, session.state
            slow, state = P.copy(), S.copy()
            slow[QUICK] = 0
            for bound in (200.0, 0.0, 1e9):
                made += proposals(D, F, P, S, bound, 20)
                proposals(D, F, slow, state, bound, 20)
                assert S.tolist() == state.tolist()
    assert made > 20


def test_a_cut_may_cost_as_much_as_a_route_more_is_worth() -> None:
    grown = 0
    for seed in range(8):
        _, packed, session, plan = searched(("time_windows", "max_duration"), seed)
        D, F, P, S = *packed.arrays, session.state
        state, before = S.copy(), int(S[VALUE])
        made = proposals(D, F, P, S, -1e9, 20, 2e9)  # nothing else gains so much
        assert int(S[N_USED]) == len(plan.routes) + made
        assert int(S[VALUE]) >= before
        assert proposals(D, F, P, state, -1e9, 20) == 0
        grown += made
    assert grown > 8


def test_a_route_more_is_worth_something_while_there_are_more_than_the_loads_ask_for() -> None:
    problem = random_problem(("time_windows", "capacities", "heterogeneous_fleet"), 3)
    packed = pack(problem)
    session = Session(packed, 3)
    session.construct()
    types = problem.vehicle_types
    room = types.capacity[types.count > 0].max(axis=0)
    fewest = max(
        -(-total // most) for total, most in zip(problem.visits.delivery.sum(axis=0), room, strict=True)
    )
    assert session.fewest_routes == fewest >= 1
    optional = problem.replace(required=np.zeros(problem.num_visits, dtype=np.bool_))
    assert Session(pack(optional), 3).fewest_routes == 0  # no load has to be carried
    tune = RuinTuning(more_routes=2.0).array(session)
    assert tune[14] == 1.25 * fewest
    for used, worth in ((int(1.25 * fewest), 0.0), (int(1.25 * fewest) + 1, 6.0)):
        session.state[N_USED] = used
        assert leaning(session.state, tune, 3.0) == worth
