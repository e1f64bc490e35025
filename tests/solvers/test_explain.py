"""Explanations: the flat weighing equals the checker on the changed route, and the stated relaxation works."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers import Problem, ProblemBuilder, Route, Solution
from solvers.check import check
from solvers.duty import DutyRule
from solvers.explain import FLEET, INSERTABLE, LOCKED, PRIZE_TOO_LOW, Explainer, Relaxation, explain
from solvers.insertion import places_of, try_everywhere
from solvers.problem import UNLIMITED
from solvers.schedule import schedule


@st.composite
def situations(draw: st.DrawFn) -> tuple[Problem, Solution]:
    """A problem on a line (so that travel is additive) with tight limits, and a solution without violations."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    b = ProblemBuilder()
    b.depot(0, 0, tw=(int(rng.integers(0, 5)), 140))
    b.depot(10, 0, tw=(0, 150))
    n = int(rng.integers(2, 9))
    for _ in range(n):
        opens = int(rng.integers(0, 80))
        b.visit(
            int(rng.integers(-20, 30)),
            0,
            delivery=rng.integers(0, 4, 2).tolist(),
            pickup=rng.integers(0, 3, 2).tolist(),
            service=int(rng.integers(0, 6)),
            tw=(opens, opens + int(rng.integers(5, 90))),
            release=int(rng.integers(0, 30)) if rng.random() < 0.4 else 0,
            skills=["cold"] if rng.random() < 0.3 else [],
            required=bool(rng.random() < 0.7),
            prize=int(rng.integers(0, 60)),
        )
    for _ in range(int(rng.integers(1, 4))):
        b.vehicle_type(
            int(rng.integers(1, 3)),
            rng.integers(4, 9, 2).tolist(),
            fixed_cost=int(rng.integers(0, 9)),
            distance_cost=int(rng.integers(0, 3)),
            time_cost=int(rng.integers(0, 3)),
            start_depot=int(rng.integers(0, 2)),
            end_depot=int(rng.integers(0, 2)),
            shift=(int(rng.integers(0, 10)), int(rng.integers(60, 160))),
            max_distance=int(rng.integers(40, 120)),
            max_duration=int(rng.integers(40, 120)),
            skills=["cold"] if rng.random() < 0.6 else [],
        )
    problem = b.build()
    solution = Solution()
    for visit in rng.permutation(n)[: n - 1]:
        grown = [
            Solution(
                (
                    *solution.routes[:i],
                    Route(r.vehicle_type, (*r.visits, int(visit))),
                    *solution.routes[i + 1 :],
                )
            )
            for i, r in enumerate(solution.routes)
        ]
        grown += [
            Solution((*solution.routes, Route(kind, (int(visit),))))
            for kind in range(len(problem.vehicle_types.count))
        ]
        sound = [s for s in grown if not check(problem, s).violations]
        if sound:
            solution = sound[int(rng.integers(len(sound)))]
    return problem, solution


def inserted(solution: Solution, route: int | None, kind: int, position: int, visit: int) -> Solution:
    if route is None or route < 0:
        return Solution((*solution.routes, Route(kind, (visit,))))
    old = solution.routes[route]
    new = Route(kind, (*old.visits[:position], visit, *old.visits[position:]))
    return Solution((*solution.routes[:route], new, *solution.routes[route + 1 :]))


@settings(max_examples=20)
@given(situations())
def test_flat_weighing_equals_the_checker(situation: tuple[Problem, Solution]) -> None:
    problem, solution = situation
    report = check(problem, solution)
    places = places_of(problem, report)
    for visit in solution.unserved(problem.num_visits):
        prize = 0 if problem.visits.required[visit] else int(problem.visits.prize[visit])
        trial = try_everywhere(problem, places, visit)
        for slot in range(len(places.route)):
            where = (int(places.route[slot]), int(places.vehicle_type[slot]), int(places.position[slot]))
            after = check(problem, inserted(solution, *where, visit))
            found: dict[str, list[int]] = {code: [] for code in trial.misses}
            for violation in after.violations:
                found[violation.code].append(violation.amount)
            late = [int(trial.misses[code][slot]) for code in ("time-window", "late-return")]
            assert late == [max(found["time-window"], default=0), sum(found["late-return"])]
            for code in ("capacity", "max-distance", "skills", "fleet"):
                assert int(trial.misses[code][slot]) == sum(found[code]), code
            if not any(late):
                assert int(trial.misses["max-duration"][slot]) == sum(found["max-duration"])
                assert int(trial.cost[slot]) == after.cost.total - report.cost.total + prize


def granted(problem: Problem, visit: int, place: Relaxation) -> Problem:
    """The problem with just the stated limits relaxed by just the stated amounts."""
    t, v = problem.vehicle_types, problem.visits
    changes: dict[str, Any] = {}
    hours = np.minimum(problem.depots.tw, UNLIMITED - 2**40)  # "always" may be extended, too

    def changed(key: str, old: Any) -> Any:
        return changes.setdefault(key, np.array(old))

    for limit in place.limits:
        kind, at = place.vehicle_type, limit.visit
        if limit.code == "capacity":
            changed("capacity", t.capacity)[kind, int(limit.what[-1])] += limit.amount
        elif limit.code == "time-window":
            changed("tw", v.tw)[at, 1] += limit.amount
        elif limit.code == "late-return":
            changed("shift", t.shift)[kind, 1] += limit.amount
            hours[int(t.end_depot[kind]), 1] += limit.amount
        elif limit.code in ("max-distance", "max-duration"):
            key = limit.code.replace("-", "_")
            changed(key, getattr(t, key))[kind] += limit.amount
        elif limit.code == "skills":
            changed("skills", t.skills)  # the vehicle's own skill set has the same field name as the visits'
        elif limit.code == FLEET:
            changed("count", t.count)[kind] += limit.amount
    changes["depots"] = dataclasses.replace(problem.depots, tw=hours)
    return problem.replace(**{k: value for k, value in changes.items() if k != "skills"})


@settings(max_examples=20)
@given(situations())
def test_granting_a_relaxation_makes_the_visit_fit(situation: tuple[Problem, Solution]) -> None:
    problem, solution = situation
    explanation = explain(problem, solution)
    assert [r.visit for r in explanation.unserved] == list(solution.unserved(problem.num_visits))
    for reason in explanation.unserved:
        for place in reason.relaxations:
            codes = {x.code for x in place.limits}
            after = inserted(solution, place.route, place.vehicle_type, place.position, reason.visit)
            violations = check(granted(problem, reason.visit, place), after).violations
            assert {v.code for v in violations} <= {"skills"} & codes
            prize = 0 if problem.visits.required[reason.visit] else int(problem.visits.prize[reason.visit])
            assert place.cost == check(problem, after).cost.total - explanation.report.cost.total + prize


def test_vehicles_that_lack_different_loads_are_not_told_as_one() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0, delivery=[5, 5])
    b.vehicle_type(1, [2, 10])
    b.vehicle_type(1, [10, 0])
    (reason,) = explain(b.build(), Solution()).unserved
    assert reason.code == "capacity"
    assert "for every vehicle" not in reason.message


def test_plans_with_unknown_visits_are_explained() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(1, 0)
    b.visit(2, 0)
    b.vehicle_type(1)
    explanation = explain(b.build(), Solution((Route(0, (0, 99)),)))
    assert [reason.visit for reason in explanation.unserved] == [0, 1]


@settings(max_examples=20)
@given(situations())
def test_spare_time_is_the_delay_a_route_bears(situation: tuple[Problem, Solution]) -> None:
    problem, solution = situation
    for account in explain(problem, solution).routes:
        route, spare = account.figures.route, account.spare_time
        assert spare is not None
        assert spare >= 0
        for delay, sound in ((spare, True), (spare + 1, False)):
            release = np.array(problem.visits.release)
            release[list(route.visits)] = account.figures.start_time + delay
            late = {"time-window", "late-return"}
            codes = {v.code for v in check(problem.replace(release=release), Solution((route,))).violations}
            assert (not codes & late) == sound


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_spare_time_allows_for_the_breaks_of_the_driver(seed: int, in_parts: bool) -> None:
    rng = np.random.default_rng(seed)
    b = ProblemBuilder()
    b.depot(0, 0, tw=(0, 260))
    for _ in range(int(rng.integers(1, 5))):
        opens = int(rng.integers(0, 80))
        b.visit(int(rng.integers(-30, 30)), 0, service=int(rng.integers(0, 6)), tw=(opens, opens + 150))
    between, rest = int(rng.integers(10, 40)), int(rng.integers(2, 15))
    b.vehicle_type(shift=(5, 10_000), duty=DutyRule(between, rest, rest // 3 if in_parts else 0))
    problem = b.build()
    solution = Solution.of([range(problem.num_visits)])
    (account,) = explain(problem, solution).routes
    if check(problem, solution).violations:
        return

    def holds(leave: int) -> bool:
        here = problem.replace(shift=[[leave, 10_000]])
        run = schedule(here, account.figures.route, at_once=True)
        late = [at > closes for at, closes in zip(run.start[1:-1], problem.visits.tw[:, 1], strict=True)]
        return not any(late) and run.end_time <= 260

    assert account.spare_time is not None
    begun, latest = account.figures.start_time, account.figures.start_time + account.spare_time
    assert all(holds(leave) for leave in range(begun, latest + 1))
    assert not any(holds(leave) for leave in range(latest + 1, 262))


def test_without_any_limit_there_is_no_spare_time_to_tell() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0)
    b.vehicle_type(duty=DutyRule(5, 1))
    (account,) = explain(b.build(), Solution.of([[0]])).routes
    assert (account.spare_time, account.tightest_visit) == (None, None)


def small(**visit: Any) -> tuple[ProblemBuilder, int]:
    b = ProblemBuilder()
    b.depot(0, 0, tw=(0, 1000))
    b.visit(10, 0, delivery=8)
    return b, b.visit(50, 0, **visit)


@pytest.mark.parametrize(
    ("visit", "vehicle", "code", "message"),
    [
        ({"delivery": 5}, {}, "capacity", "capacity short by 3 in dimension 0"),
        ({"delivery": 13}, {"count": 2}, "capacity", "capacity short by 3 in dimension 0 for every vehicle"),
        ({"tw": (0, 20)}, {}, "time-window", "window closes 30 too early for every vehicle"),
        ({"service": 903}, {}, "late-return", "returns 3 after the end of shift or depot"),
        ({}, {"max_distance": 90}, "max-distance", "distance limit exceeded by 10 for every vehicle"),
        ({"service": 60}, {"max_duration": 100}, "max-duration", "duration limit exceeded by 60"),
        ({"skills": ["cold"]}, {}, "skills", "no vehicle has every skill of cold"),
        (
            {"required": False, "prize": 7},
            {},
            PRIZE_TOO_LOW,
            "serving it adds 80 to the cost, its prize is 7",
        ),
        ({}, {}, INSERTABLE, "fits in route 0 (type 0) for 80 more"),
    ],
)
def test_reasons_in_words(visit: Any, vehicle: Any, code: str, message: str) -> None:
    b, unserved = small(**visit)
    b.vehicle_type(**{"count": 1, "capacity": 10, **vehicle})
    reason = Explainer(b.build(), Solution.of([[0]])).reason(unserved)
    assert reason.code == code
    assert message in reason.message


def test_windows_speak_of_the_vehicles_that_are_able() -> None:
    b, unserved = small(tw=(0, 20), skills=["cold"])
    b.vehicle_type(capacity=10)
    b.vehicle_type(capacity=10, skills=["cold"])
    reason = Explainer(b.build(), Solution.of([[0]])).reason(unserved)
    assert reason.message == "window closes 30 too early for every vehicle with skill cold"


def test_no_free_vehicle_is_a_reason() -> None:
    b, unserved = small(delivery=9)
    b.vehicle_type(capacity=10)
    reason = Explainer(b.build(), Solution.of([[0]])).reason(unserved)
    assert {r.code for r in reason.relaxations} == {"capacity", FLEET}


def test_a_served_visit_has_no_reason() -> None:
    b, _ = small()
    b.vehicle_type(capacity=10)
    with pytest.raises(ValueError, match="is served"):
        Explainer(b.build(), Solution.of([[0]])).reason(0)


def test_a_prize_is_that_of_the_best_alternative_or_of_both_ends() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(0, 10, group="g", required=False, prize=10)
    b.visit(0, 20, group="g", required=False, prize=1000)
    b.vehicle_type(1, 1)
    (reason,) = explain(b.build(), Solution()).unserved
    assert (reason.code, reason.relaxations[0].changed.visits) == (INSERTABLE, (1,))
    for prize, code in ((15, PRIZE_TOO_LOW), (30, INSERTABLE)):
        b = ProblemBuilder()
        b.depot(0, 0)
        first = b.visit(0, 10, pickup=1, required=False, prize=prize)
        b.visit(0, 20, delivery=1, pickup_at=first, required=False, prize=prize)
        b.vehicle_type(1, 1)
        reasons = explain(b.build(), Solution()).unserved
        assert [r.code for r in reasons] == [code, code]
    assert "its prize is 15" not in reasons[0].message


def under_way(late: int, others: int = 2) -> Problem:
    """Van 1 drives at 25 since 50, with a visit at 30 that closes at 55 - `late`; the depot is at 0."""
    b = ProblemBuilder()
    b.depot(0, 0)
    b.depot(25, 0, name="place of van 1")
    b.visit(30, 0, delivery=3, tw=(0, 55 - late), name="promised")
    b.visit(10, 0, delivery=3)
    b.vehicle_type(others, 9)
    b.vehicle_type(1, 9, start_depot=1, end_depot=0, shift=(50, 500), locked=[0], on_board=2, name="van 1")
    return b.build()


def test_a_vehicle_under_way_that_cannot_keep_its_visits_is_named() -> None:
    promised, other = explain(under_way(late=5), Solution()).unserved
    assert (promised.code, promised.message) == ("time-window", "window closes 5 too early for every vehicle")
    assert [r.changed for r in promised.relaxations] == [Route(1, (0,))]
    assert other.code == LOCKED
    assert "van 1 cannot keep its locked visits (visit promised: window closes 5 too early)" in other.message
    _, alone = explain(under_way(late=5, others=0), Solution()).unserved
    assert alone.code == "time-window"
    assert (
        alone.message
        == "visit promised: window closes 5 too early, at the best place (the vehicle under way, van 1)"
    )


def test_a_visit_locked_to_a_vehicle_is_proposed_to_that_one() -> None:
    problem = under_way(late=0)
    promised, other = explain(problem, Solution()).unserved
    assert (promised.code, promised.relaxations[0].changed) == (INSERTABLE, Route(1, (0,)))
    assert promised.message.startswith("fits in the vehicle under way (van 1) for ")
    assert (other.code, other.relaxations[0].changed) == (INSERTABLE, Route(0, (1,)))
    (beside,) = explain(problem, Solution((Route(1, (0,)),))).unserved
    assert beside.code == INSERTABLE
