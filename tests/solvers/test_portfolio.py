"""Portfolio and default solver: processes, rounds, shared incumbents, choice by rules."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solvers import (
    Incumbent,
    InvalidInputError,
    MaxIterations,
    MaxRuntime,
    NoImprovement,
    Objective,
    Problem,
    ProblemBuilder,
    Route,
    Solution,
    Status,
    UnsupportedFeatureError,
    make,
)
from solvers.check import check, cost_of, schedule
from solvers.choice import DEFAULT_RULES, load_rules, members, pick
from solvers.parallel.pool import WorkerError, WorkerPool, _Worker, parked
from solvers.parallel.rounds import Round, play
from solvers.portfolio import _Run
from solvers.registry import listen
from solvers.route_costs import route_costs
from tests.benchmarks.rich import made
from tests.conformance.problems import random_problem


def scattered(visits: int, seed: int = 1) -> Problem:
    rng = np.random.default_rng(seed)
    b = ProblemBuilder(name="scattered")
    b.depot(500, 500)
    for x, y in rng.integers(0, 1000, (visits, 2)):
        b.visit(int(x), int(y), delivery=int(rng.integers(1, 9)))
    b.vehicle_type(count=visits, capacity=40)
    return b.build()


def portfolio(**parameters: object) -> Any:
    return make("portfolio", {"processes": 2, "solvers": "ruin_recreate savings", **parameters})


def test_two_processes_repeat_with_a_stop_on_iterations() -> None:
    problem = scattered(60)
    once, twice = (portfolio().solve(problem, MaxIterations(400), seed=3) for _ in range(2))
    assert once.solution == twice.solution
    assert [h[1:] for h in once.history] == [h[1:] for h in twice.history]
    assert once.iterations == 400
    other = portfolio().solve(problem, MaxIterations(400), seed=4)
    assert other.seed == 4
    report = check(problem, once.solution)
    assert report.feasible
    assert once.cost == report.cost.total


def test_a_time_limit_bounds_rounds_and_set_partitioning_together() -> None:
    problem = scattered(80)
    seen: list[Incumbent[Solution]] = []
    began = time.monotonic()
    result = portfolio().solve(problem, MaxRuntime(6.0), seed=1, on_best=seen.append)
    assert time.monotonic() - began < 40  # generous: processes start slowly on a busy machine
    assert check(problem, result.solution).feasible
    assert [i.cost for i in seen] == sorted((i.cost for i in seen), reverse=True)
    assert seen[-1].solution == result.solution


def test_routes_of_several_solvers_are_recombined() -> None:
    """Two plans that are each bad in another half: the mix of their routes is good in both."""
    b = ProblemBuilder()
    b.depot(0, 0)
    for x, y in [(-10, 1), (-10, 2), (-1, 10), (1, 10), (10, 1), (10, 2), (1, -10), (-1, -10)]:
        b.visit(x, y, delivery=1)
    b.vehicle_type(count=4, capacity=2)
    problem = b.build()
    left_good = Solution.of([(0, 1), (2, 3), (4, 6), (5, 7)])
    right_good = Solution.of([(0, 2), (1, 3), (4, 5), (6, 7)])
    run = _Run(make("portfolio"), problem, MaxIterations(1), 1, None, [])  # type: ignore[arg-type]
    run.offer(left_good)
    run.routes |= dict.fromkeys((*left_good.routes, *right_good.routes))
    run.recombine()
    assert {r.visits for r in run.best.routes} == {(0, 1), (2, 3), (4, 5), (6, 7)}


@pytest.mark.parametrize(
    "case", [(), ("heterogeneous_fleet", "fixed_costs"), ("multi_depot",), ("profiles",), ("time_costs",)]
)
def test_many_route_costs_equal_the_checkers(case: tuple[str, ...]) -> None:
    problem = random_problem(case, 5, most=30)
    rng = np.random.default_rng(1)
    routes = [
        Route(
            int(rng.integers(len(problem.vehicle_types.count))),
            tuple(rng.permutation(problem.num_visits)[:k].tolist()),
        )
        for k in (1, 2, 3, 5, 1, 4)
    ]
    assert route_costs(problem, routes) == [cost_of(problem, schedule(problem, r)).total for r in routes]


def test_what_workers_find_is_taken_where_the_longest_route_comes_first() -> None:
    """It may cost more."""
    b = ProblemBuilder(objective=Objective.LONGEST)
    b.depot(0, 0)
    for x, y in ((10, 0), (0, 12), (3, 0)):
        b.visit(x, y)
    b.vehicle_type(2, fixed_cost=50)
    problem = b.build()
    run = _Run(make("portfolio"), problem, MaxIterations(1), 1, None, [])
    run.offer(Solution.of([[0, 2, 1]]))
    shorter = Solution.of([[0, 2], [1]])
    run.hear(Incumbent(shorter, check(problem, shorter).cost.total, 0, 0.1, 1))
    assert run.best == shorter


def test_a_failing_member_does_not_end_the_others() -> None:
    problem = scattered(20)
    stop = MaxIterations(50)
    good = Round("savings", {}, stop, None, 1, None, False, 100)
    bad = Round("savings", {"polish_per_visit": "x" * 3}, stop, None, 1, None, False, 100)
    with WorkerPool(problem, 2) as workers:
        found, interrupted = workers.run([bad, good], lambda _: None)
        assert (len(found), interrupted) == (1, False)
        with pytest.raises(WorkerError, match="polish_per_visit"):
            workers.run([bad, bad], lambda _: None)
        again, _ = workers.run([good, good], lambda _: None)
        assert again[0].result.solution == again[1].result.solution == found[0].result.solution


def test_a_worker_that_does_not_answer_is_left_behind() -> None:
    """A solver that is given no time limit stands for one that is busy compiling."""
    problem = scattered(300)
    deaf = Round("savings", {"polish_per_visit": 1e6}, MaxIterations(10**9), None, 1, None, False, 100)
    quick = Round("savings", {}, MaxIterations(10), None, 1, None, False, 100)
    with WorkerPool(problem, 2) as workers:
        workers.run([quick, quick], lambda _: None)  # both are up
        began = time.monotonic()
        found, interrupted = workers.run([deaf, quick], lambda _: None, patience_s=5.0)
        assert time.monotonic() - began < 15
        assert (len(found), interrupted, len(workers)) == (1, False, 1)
        assert len(workers.run([quick], lambda _: None)[0]) == 1


def taken(gifts: list[Solution]) -> Solution | None:
    return gifts.pop() if gifts else None


def test_solvers_take_in_what_others_have_found_while_they_run() -> None:
    problem = scattered(60)
    good = make("genetic").solve(problem, MaxIterations(400), seed=1)
    for name in ("genetic", "ant_colony"):
        heard: list[Incumbent[Solution]] = []
        gifts = [good.solution]
        wanted = Round(name, {"warm_runs": 0, "initial": 2}, MaxIterations(1), None, 5, None, True, 100, True)
        alone = play(problem, wanted, lambda: False, heard.append)
        told = play(problem, wanted, lambda: False, heard.append, partial(taken, gifts))
        assert not gifts
        assert told.result.cost == good.cost < alone.result.cost
    deaf = Round("savings", {}, MaxIterations(1), None, 5, None, True, 100, True)
    assert play(problem, deaf, lambda: False, heard.append, gifts.pop).result.cost > good.cost


def test_workers_are_told_what_others_find_and_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = scattered(120)
    told: list[tuple[int, str, Any]] = []
    tell = _Worker.tell

    def spy(worker: _Worker, kind: str, content: object = None) -> None:
        told.append((worker.number, kind, content))
        tell(worker, kind, content)

    monkeypatch.setattr(_Worker, "tell", spy)
    quick = Round("savings", {}, MaxIterations(10), None, 1, None, False, 100)
    hearing = [Round("genetic", {}, MaxRuntime(4.0), None, k, None, True, 100, True) for k in range(2)]
    deaf = [Round("genetic", {}, MaxRuntime(1.0), None, k, None, True, 100) for k in range(2)]
    news: list[Solution] = []
    with WorkerPool(problem, 2) as workers:
        workers.run([quick, quick], lambda _: None)  # both are up
        workers.run(deaf, lambda _: None)
        assert not [kind for _, kind, _ in told if kind == "arrival"]
        workers.run(hearing, lambda best: news.append(best.solution))
    arrivals = [content for _, kind, content in told if kind == "arrival"]
    assert arrivals
    assert len(set(arrivals)) == len(arrivals)
    assert set(arrivals) <= set(news)


def test_workers_are_kept_for_the_next_pool() -> None:
    def processes(workers: WorkerPool) -> set[int]:
        return {worker.process.pid for worker in workers._workers}

    parked.end()
    quick = Round("savings", {}, MaxIterations(10), None, 1, None, False, 100)
    slow = Round("savings", {"polish_per_visit": 1e6}, MaxIterations(10**9), None, 1, None, False, 100)
    with WorkerPool(scattered(20), 2) as workers:
        first = processes(workers)
        workers.run([quick, quick], lambda _: None)
    spent = parked.processor_s()
    assert spent > 0
    other = scattered(300, seed=2)
    with WorkerPool(other, 2) as workers:
        assert processes(workers) == first
        found, _ = workers.run([quick, slow], lambda _: None, patience_s=3.0)
        assert check(other, found[0].result.solution).feasible
    with WorkerPool(other, 2) as workers:
        second = processes(workers)
        assert len(second & first) == 1  # the one that did not answer was ended
    parked.end()
    assert parked.processor_s() == 0
    with WorkerPool(other, 1) as workers:
        assert not processes(workers) & second


def test_a_worker_that_dies_with_nothing_to_do_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = scattered(120)
    quick = Round("savings", {}, MaxIterations(10), None, 1, None, False, 100)
    longer = Round("genetic", {}, MaxRuntime(3.0), None, 1, None, True, 100)
    with WorkerPool(problem, 2) as workers:
        workers.run([quick, quick], lambda _: None)
        idle = workers._workers[0]
        say = idle._say

        def die_when_done(kind: str, content: object = None) -> None:
            say(kind, content)
            if kind == "done":
                idle.process.kill()

        monkeypatch.setattr(idle, "_say", die_when_done)
        assert len(workers.run([quick, longer], lambda _: None)[0]) == 2
        assert idle.process.wait(5) != 0
        assert len(workers) == 1
        assert len(workers.run([quick], lambda _: None)[0]) == 1


def test_who_hears_of_others_warms_up_less(monkeypatch: pytest.MonkeyPatch) -> None:
    b, runs = ProblemBuilder(), []
    b.depot(0, 0)
    for k in range(12):
        b.visit(k, k % 5, delivery=1, tw=(0, 1000))
    b.vehicle_type(count=12, capacity=4)
    problem = b.build()

    def counted(*given: Any) -> None:
        runs.append(given)

    monkeypatch.setattr("solvers.kernels.run.anneal", counted)
    alone, told = make("genetic"), make("genetic")
    alone.solve(problem, MaxIterations(1), seed=1)
    assert len(runs) == 3
    listen(told, lambda: None)
    told.solve(problem, MaxIterations(1), seed=1)
    assert len(runs) == 3 + 2


def test_one_round_where_solvers_hear_of_each_other_and_all_named_have_a_turn() -> None:
    problem, stop = scattered(60), MaxRuntime(10.0)

    def rounds(names: str, cores: int, **parameters: object) -> int:
        solver = portfolio(solvers=names, **parameters)
        return _Run(solver, problem, stop, 1, None, solver.members(problem, stop, cores), cores).rounds

    assert rounds("genetic ruin_recreate", 2) == 1
    assert rounds("genetic ruin_recreate", 2, rounds=3) == 3
    assert rounds("savings ruin_recreate", 2) == 2
    assert rounds("genetic ruin_recreate savings", 2) == 2
    assert rounds("genetic ruin_recreate", 1) == 2


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_returns_the_best_so_far_and_leaves_no_process(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "from tests.solvers.test_portfolio import scattered, portfolio\n"
        "from solvers import MaxRuntime\n"
        "tell = lambda b: print(b.cost, flush=True)\n"
        "r = portfolio().solve(scattered(100), MaxRuntime(100), seed=1, on_best=tell)\n"
        "print('end', r.interrupted, r.cost)\n"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.Popen([sys.executable, str(script), root], stdout=subprocess.PIPE, text=True, cwd=root)
    assert done.stdout is not None
    first = done.stdout.readline()
    done.send_signal(signal.SIGINT)
    rest, _ = done.communicate(timeout=60)
    assert done.returncode == 0
    word, interrupted, cost = rest.splitlines()[-1].split()
    assert (word, interrupted) == ("end", "True")
    assert int(cost) <= int(first)
    listed = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True).stdout
    assert not [row for row in listed.splitlines() if row.split()[0] == str(done.pid)]


# --- choosing ---


def test_ctrl_c_while_routes_are_recombined_returns_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("solvers.portfolio.RoutePool.select", interrupted)
    problem = scattered(30)
    result = portfolio(processes=1, solvers="ruin_recreate").solve(problem, MaxIterations(400), seed=1)
    assert result.interrupted
    assert check(problem, result.solution).feasible


def test_one_visit_comes_to_an_end() -> None:
    result = portfolio(processes=1).solve(scattered(1), MaxIterations(10), seed=1)
    assert (result.status, result.unserved) == (Status.FEASIBLE, ())


def test_rounds_without_improvement_end_it() -> None:
    stop = MaxIterations(200_000) | NoImprovement(100)
    result = portfolio(processes=1, solvers="ruin_recreate").solve(scattered(12), stop, seed=1)
    assert result.iterations < 20_000


def test_the_rules_choose_by_size_time_and_cores() -> None:
    rules = load_rules(DEFAULT_RULES)
    small, middle = scattered(5), scattered(70)
    assert pick(small, MaxRuntime(60), rules, 1).solver == "ortools"
    assert pick(middle, MaxRuntime(60), rules, 4).solver == "portfolio"
    assert pick(middle, MaxRuntime(2), rules, 4).solver != "portfolio"
    assert pick(middle, MaxIterations(9), rules, 4).solver == pick(middle, MaxIterations(9), rules, 1).solver
    assert {m.solver for m in members(middle, MaxRuntime(60), rules, 2)} <= {
        "ant_colony", "genetic", "ortools", "ruin_recreate",
    }  # fmt: skip


def test_the_rules_leave_large_problems_with_rare_features_to_one_solver() -> None:
    rules, timed, counted = load_rules(DEFAULT_RULES), MaxRuntime(60), MaxIterations(100)
    for kind in ("pairs", "open"):
        assert pick(made(kind, 5_000), timed, rules, 4).solver == "decompose"
        assert pick(made(kind, 3_000), timed, rules, 4).solver == "portfolio"
        assert pick(made(kind, 3_000), counted, rules, 4).solver == "decompose"
    assert pick(made("pairs", 3_000), timed, rules, 1).solver == "alns"
    for objective in (Objective.LONGEST, Objective.VEHICLES):
        spread = replace(made("open", 5_000), objective=objective)
        assert pick(spread, timed, rules, 4).solver == "portfolio"
        assert pick(spread, timed, rules, 1).solver == "alns"
    assert pick(scattered(5_000), timed, rules, 4).solver == "portfolio"  # ruin_recreate knows plain ones


def test_solvers_that_cannot_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(
        '[[rule]]\nsolver = "vroom"\n[[rule]]\nsolver = "nowhere"\n'
        '[[rule]]\nsolver = "savings"\nany_feature = ["time_costs"]\n[[member]]\nsolver = "vroom"\n'
    )
    problem = random_problem(("time_costs",), 1)
    assert make("auto", {"rules": str(path)}).solve(problem, MaxIterations(5), seed=1).solver == "savings"
    found = members(problem, MaxIterations(5), load_rules(path), 2)
    assert found
    assert all(problem.features <= make(m.solver).features for m in found)


def test_problems_beyond_the_classic_features_are_solved_too() -> None:
    problem = random_problem(("pickup_delivery", "soft_windows"), 2)
    for name in ("auto", "portfolio"):
        result = make(name, {"processes": 1} if name == "portfolio" else {}).solve(
            problem, MaxIterations(300), seed=1
        )
        assert not check(problem, result.solution).violations
        assert result.cost == check(problem, result.solution).cost.total


def test_what_no_solver_can_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solvers.choice.features_of_solver", lambda name: frozenset())
    problem = random_problem(("time_costs",), 1)
    for name in ("auto", "portfolio"):
        with pytest.raises(UnsupportedFeatureError, match="time_costs"):
            make(name).solve(problem, MaxIterations(5), seed=1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[[rule]]\n", "no-solver"),
        ('[[rule]]\nsolver = "savings"\ncolour = 1\n', "unknown-key"),
        ('[[rule]]\nsolver = "savings"\nmax_visits = "x"\n', "bad-value"),
        ('[[rule]]\nsolver = "savings"\nany_feature = ["x"]\n', "unknown-feature"),
        ('[[rule]]\nsolver = "savings"\nbeyond = "x"\n', "unknown-solver"),
        ("rule = 3\n", "bad-table"),
        ("[[rules]]\n", "unknown-key"),
        ("[[", "bad-toml"),
    ],
)
def test_faulty_rules_are_told(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        load_rules(path)
    assert [f.code for f in caught.value.faults] == [code]
