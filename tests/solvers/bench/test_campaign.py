"""Campaigns: what runs, in what order, what is recorded, and that a killed one goes on without repeating."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from solvers import InvalidInputError, MaxIterations, ProblemBuilder, UnknownSolverError, clock, make
from solvers.bench import Campaign, choose, load_records, parse_spec
from solvers.bench.campaign import fleets_of
from solvers.bench.instances import best_known
from solvers.bench.record import RUNS, Record, StopSpec, append_line, read_lines
from solvers.bench.worker import with_fleet
from solvers.check import check
from solvers.clock import Clock
from solvers.native import dump_problem, dump_solution, load_problem, load_solution
from solvers.problem import Objective
from tests.solvers.bench.sample_runs import write_instances

ROOT = Path(__file__).parents[3]


def names(folder: Path, **how: object) -> list[str]:
    return [i.name for i in choose([folder], **how)]  # type: ignore[arg-type]


def test_instances_by_pattern_and_position(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 7)
    (tmp_path / "set" / "README.txt").write_text("not an instance")
    (tmp_path / "set" / "other.json").write_text("{}")
    assert names(tmp_path / "set") == [f"a{k}" for k in range(7)]
    assert names(tmp_path / "set", every=3) == ["a0", "a3", "a6"]
    assert names(tmp_path / "set", not_every=3) == ["a1", "a2", "a4", "a5"]
    assert names(tmp_path / "set", limit=3) == ["a0", "a2", "a4"]
    assert names(tmp_path / "set", match=["a[12]", "a5"]) == ["a1", "a2", "a5"]
    # of the matching ones those that are every third of all
    assert names(tmp_path / "set", match=["a[2-6]"], every=3) == ["a3", "a6"]
    assert names(tmp_path / "set", match=["a[2-6]"], not_every=3) == ["a2", "a4", "a5"]
    assert [(i.set_name, i.name) for i in choose([tmp_path / "set" / "a4.vrp"])] == [("set", "a4")]
    with pytest.raises(InvalidInputError, match="no instance is left"):
        names(tmp_path / "set", match=["b*"])


def test_solvers_with_parameters(tmp_path: Path) -> None:
    spec = parse_spec("small=ruin_recreate:near=20,blink=0.5")
    assert (spec.label, spec.name, spec.parameters) == ("small", "ruin_recreate", {"near": 20, "blink": 0.5})
    file = tmp_path / "t.toml"
    file.write_text("near = 7\n[ruin_recreate]\nadjacent = 9\n[savings]\nneighbours = 3\n")
    assert parse_spec(f"ruin_recreate:{file},near=8").parameters == {"near": 8, "adjacent": 9}
    nested = tmp_path / "nested.toml"
    nested.write_text('inner = "ruin_recreate"\n[parameters]\nnear = 8\n')
    assert parse_spec(f"decompose:{nested}").parameters == {
        "inner": "ruin_recreate",
        "parameters": {"near": 8},
    }
    strange = tmp_path / "strange.toml"
    strange.write_text("[savinks]\nneighbours = 5\n[genetic]\nelite = 3\n")
    with pytest.raises(UnknownSolverError):
        parse_spec("nonsense")
    for text, code in [
        ("savings:colour=1", "unknown-parameter"),
        ("savings:neighbours=many", "parameter-type"),
        ("ruin_recreate:near=many", "parameter-type"),  # its default is none: the annotation says the type
        ("savings:what", "bad-parameter"),
        ("savings:none.toml", "unreadable"),
        (f"savings:{strange}", "unknown-table"),
    ]:
        with pytest.raises(InvalidInputError) as caught:
            parse_spec(text)
        assert caught.value.faults[0].code == code


def campaign(tmp_path: Path, **more: object) -> Campaign:
    solvers = [parse_spec("savings"), parse_spec("quick=ruin_recreate:near=8")]
    return Campaign(
        tmp_path / "out",
        choose([tmp_path / "set"]),
        solvers,
        [1, 2],
        StopSpec(iterations=300),
        **{"jobs": 1, **more},  # type: ignore[arg-type]
    )


def test_runs_are_interleaved_recorded_checked_and_not_repeated(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 2)
    problem = load_problem(tmp_path / "set" / "a0.vrp")
    known = make("ruin_recreate").solve(problem, MaxIterations(5000), seed=9)
    dump_solution(problem, known.solution, tmp_path / "set" / "a0.sol")
    order = []
    outcome = campaign(tmp_path).run(
        lambda record, *_: order.append((record.instance, record.seed, record.label))
    )
    assert (outcome.done, outcome.skipped, outcome.failed) == (8, 0, 0)
    assert order == [(f"a{i}", seed, s) for i in (0, 1) for seed in (1, 2) for s in ("savings", "quick")]
    records = load_records([tmp_path / "out"])
    assert all(r.feasible and r.iterations and r.wall_s is not None and r.peak_memory_mb for r in records)
    assert {r.best_known for r in records if r.instance == "a0"} == {float(known.cost)}
    assert {r.best_known for r in records if r.instance == "a1"} == {None}
    for r in records:
        own = load_problem(tmp_path / "set" / f"{r.instance}.vrp")
        stored = next((tmp_path / "out" / "solutions" / "set").glob(f"{r.instance}.{r.label}.{r.seed}.*"))
        assert check(own, load_solution(stored, own)).cost.total == r.cost == r.history[-1][1]
        mine = make(r.solver, r.parameters).solve(own, MaxIterations(300), seed=r.seed)
        assert mine.cost == r.cost  # iteration stops repeat in another process
    again = campaign(tmp_path).run()
    assert (again.done, again.skipped) == (0, 8)
    sessions = read_lines(tmp_path / "out" / "sessions.jsonl")
    assert len(sessions) == 1
    assert {"processor", "versions", "python"} <= set(sessions[0])


def test_runs_with_the_fleet_of_another_solver(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 1)

    def run(solver: str, out: str, fleets: dict[tuple[str, str], int] | None) -> Record:
        what = choose([tmp_path / "set"]), [parse_spec(solver)], [1], StopSpec(iterations=300), 1
        Campaign(tmp_path / out, *what, fleets=fleets).run()
        return load_records([tmp_path / out])[0]

    fleets = fleets_of([run("savings", "free", None)], "savings")
    assert set(fleets) == {("set", "a0")}
    bound = run("ruin_recreate", "bound", {("set", "a0"): fleets["set", "a0"] - 1})
    assert bound.vehicles == fleets["set", "a0"] - 1
    assert bound.routes is not None
    assert bound.routes <= bound.vehicles
    with pytest.raises(InvalidInputError, match="no run there that serves all"):
        run("savings", "none", {("set", "a1"): 3})


def test_a_bound_on_the_fleet_needs_one_type_and_asks_for_least_cost() -> None:
    b = ProblemBuilder(objective="vehicles")
    b.depot(0, 0)
    b.visit(3, 4, delivery=1)
    b.vehicle_type(count=5, capacity=9)
    bound = with_fleet(b.build(), 2)
    assert (bound.vehicle_types.count.tolist(), bound.objective) == ([2], Objective.COST)
    b.vehicle_type(count=5, capacity=8)
    with pytest.raises(InvalidInputError, match="one type"):
        with_fleet(b.build(), 2)


def test_a_time_limit_may_be_one_of_processor_time(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 1)
    outcome = Campaign(
        tmp_path / "out",
        choose([tmp_path / "set"]),
        [parse_spec("ruin_recreate")],
        [1],
        StopSpec(0.5, clock=Clock.PROCESSOR),
        1,
    ).run()
    assert outcome.done == 1
    (record,) = load_records([tmp_path / "out"])
    assert record.stop["clock"] == "processor"
    assert record.cpu_s == pytest.approx(0.5, abs=0.2)
    assert not replace(record, wall_s=20.0).starved
    on_the_wall = replace(record, stop={**record.stop, "clock": "wall"}, wall_s=1.5, cpu_s=0.5)
    assert on_the_wall.starved


def test_the_clock_of_searches_can_be_chosen() -> None:
    try:
        clock.go_by(Clock.PROCESSOR)
        began, wall = clock.seconds(), time.monotonic()
        time.sleep(0.3)
        assert clock.seconds() - began < 0.2 < time.monotonic() - wall
    finally:
        clock.go_by(Clock.WALL)
    began = clock.seconds()
    time.sleep(0.05)
    assert clock.seconds() - began >= 0.05


def test_a_record_that_a_kill_cut_off_is_made_again(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 1)
    campaign(tmp_path).run()
    runs = tmp_path / "out" / RUNS
    whole = runs.read_bytes()
    runs.write_bytes(whole[:-25])
    assert len(load_records([tmp_path / "out"])) == 3
    outcome = campaign(tmp_path).run()
    assert (outcome.done, outcome.skipped) == (1, 3)
    assert len(load_records([tmp_path / "out"])) == 4
    assert runs.read_bytes().startswith(whole[: whole[:-25].rfind(b"\n") + 1])


def test_a_broken_record_is_told_with_its_line(tmp_path: Path) -> None:
    append_line(tmp_path / RUNS, {"a": 1})
    with (tmp_path / RUNS).open("a") as file:
        file.write("no json\n")
    with pytest.raises(InvalidInputError, match="line 2"):
        read_lines(tmp_path / RUNS)


def test_an_unsupported_problem_is_an_error_record_and_tried_again(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 1)
    (tmp_path / "set" / "b.vrp").write_text("NAME : b\n")
    assert campaign(tmp_path).run().failed == 4
    failed = [r for r in load_records([tmp_path / "out"]) if r.error]
    assert {(r.instance, r.error_code) for r in failed} == {("b", "invalid-input")}
    assert campaign(tmp_path).run().done == 4


def test_what_cannot_run_is_refused(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 1)
    with pytest.raises(InvalidInputError, match="too-many-jobs"):
        campaign(tmp_path, jobs=10_000)
    with pytest.raises(InvalidInputError, match="no-stop"):
        Campaign(tmp_path, choose([tmp_path / "set"]), [parse_spec("savings")], [1], StopSpec(), 1)
    twice = [parse_spec("savings"), parse_spec("savings")]
    with pytest.raises(InvalidInputError, match="duplicate-label"):
        Campaign(tmp_path, choose([tmp_path / "set"]), twice, [1], StopSpec(iterations=5), 1)


def bench(tmp_path: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "cli.py"), "bench", "run", "set", "--out", "out", *words]
    return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_instances_that_records_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    for folder, visits in (("x", 9), ("y", 5)):
        write_instances(tmp_path / folder / "set", 1, visits)
    both = choose([tmp_path / "x" / "set", tmp_path / "y" / "set"])
    with pytest.raises(InvalidInputError, match="duplicate-instance"):
        Campaign(tmp_path / "out", both, [parse_spec("savings")], [1], StopSpec(iterations=1), jobs=1)


def test_records_of_other_instances_or_parameters_are_not_added_to(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 2)
    assert campaign(tmp_path).run().done == 8
    write_instances(tmp_path / "set", 2, visits=8)
    quick = [parse_spec("quick=ruin_recreate:near=9")]
    with pytest.raises(InvalidInputError) as caught:
        replace(campaign(tmp_path), solvers=quick).run()
    codes = [(fault.code, fault.place) for fault in caught.value.faults]
    assert codes == [
        ("changed-instance", "set/a0"),
        ("changed-instance", "set/a1"),
        ("changed-label", "quick"),
    ]
    assert len(load_records([tmp_path / "out"])) == 8


def test_an_instance_that_was_mended_is_run_again(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 1)
    whole = (tmp_path / "set" / "a0.vrp").read_text()
    (tmp_path / "set" / "a0.vrp").write_text(whole.replace("CAPACITY : 3", "CAPACITY : three"))
    assert campaign(tmp_path).run().failed == 4
    (tmp_path / "set" / "a0.vrp").write_text(whole)
    outcome = campaign(tmp_path).run()
    assert (outcome.done, outcome.failed) == (4, 0)


@pytest.mark.parametrize("line", ["null", "5", "[]", "{}", '{"key": "k"}', "no"])
def test_lines_that_are_no_records_are_named(tmp_path: Path, line: str) -> None:
    write_instances(tmp_path / "set", 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / RUNS).write_text(f"{line}\n")
    for act in (lambda: load_records([tmp_path / "out"]), lambda: campaign(tmp_path).run()):
        with pytest.raises(InvalidInputError) as caught:
            act()
        assert [(fault.code, fault.place) for fault in caught.value.faults] == [("bad-record", "line 1")]


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 1)
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InvalidInputError, match="not-writable"):
        campaign(tmp_path).run()
    assert (tmp_path / "out").read_text() == "mine"


def test_the_longest_route_is_recorded_where_it_comes_first(tmp_path: Path) -> None:
    b = ProblemBuilder(objective=Objective.LONGEST)
    b.depot(0, 0)
    for x in (3, 5):
        b.visit(x, 0)
    b.vehicle_type(count=2)
    (tmp_path / "set").mkdir()
    dump_problem(b.build(), tmp_path / "set" / "a.json")
    instances = choose([tmp_path / "set"])
    Campaign(tmp_path / "out", instances, [parse_spec("alns")], [1], StopSpec(iterations=50), jobs=1).run()
    (made,) = load_records([tmp_path / "out"])
    assert (made.longest, made.measure, made.vehicles_first) == (10, 10, False)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_cut_short_goes_on_without_repeating(tmp_path: Path, how: signal.Signals) -> None:
    write_instances(tmp_path / "set", 2)
    words = (
        "--solver",
        "savings",
        "--solver",
        "ruin_recreate",
        "--time-limit",
        "1.5",
        "--jobs",
        "1",
        "--json",
    )
    first = bench(tmp_path, *words)
    deadline = time.monotonic() + 120
    while len(read_lines(tmp_path / "out" / RUNS)) < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    first.send_signal(how)
    first.communicate(timeout=60)
    assert first.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
    before = read_lines(tmp_path / "out" / RUNS)
    assert 1 <= len(before) < 4
    second = bench(tmp_path, *words)
    answer, complaints = second.communicate(timeout=120)
    assert second.returncode == 0, complaints
    assert json.loads(answer)["skipped"] == len(before)
    after = read_lines(tmp_path / "out" / RUNS)
    assert after[: len(before)] == before
    assert len({line["key"] for line in after}) == len(after) == 4


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no processor affinity here")
def test_runs_are_pinned_to_one_core(tmp_path: Path) -> None:
    job = {
        "path": str(tmp_path / "set" / "a0.vrp"), "set_name": "set", "instance": "a0", "solver": "ruin_recreate",
        "parameters": {}, "seed": 1, "stop": {"time_limit_s": 20.0}, "solution": "",
        "cpus": sorted(os.sched_getaffinity(0))[:1],
    }  # fmt: skip
    write_instances(tmp_path / "set", 1)
    command = [sys.executable, "-m", "solvers.bench.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdin is not None
        worker.stdin.write(json.dumps(job) + "\n")
        worker.stdin.flush()
        deadline = time.monotonic() + 30
        while os.sched_getaffinity(worker.pid) != set(job["cpus"]) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert os.sched_getaffinity(worker.pid) == set(job["cpus"])
        worker.stdin.close()  # the harness is gone, so the run ends long before its time limit
        assert worker.wait(timeout=15) != 0


@pytest.mark.parametrize(
    ("family", "pattern"),
    [
        ("routing/cvrp-x", "X-n106-k14"),
        ("routing/pdptw-lilim", "lc101"),
        ("routing/tdvrptw-lera", "*C1_2_1-S1"),
    ],
)
def test_best_known_values_of_every_kind_of_set(
    family: str, pattern: str, data_dir: Callable[[str], Path]
) -> None:
    (instance, *_) = choose([data_dir(family)], match=[pattern])
    problem = load_problem(instance.path)
    cost, routes = best_known(instance, problem)
    assert cost
    assert routes
    assert not instance.name.endswith(".vrp")
