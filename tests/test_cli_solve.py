"""`logistics solve`: anytime behaviour, starts, parameters, replays, and refusals without a traceback."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from solvers import ProblemBuilder
from solvers.battery import Battery
from solvers.check import check
from solvers.native import dump_problem, load_problem, load_solution

pytestmark = pytest.mark.usefixtures("heard_signals")
ROOT = Path(__file__).parents[1]


@pytest.fixture
def town(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    b = ProblemBuilder(name="town")
    b.depot(500, 500, tw=(0, 10_000))
    for x, y in rng.integers(0, 1000, (60, 2)):
        b.visit(int(x), int(y), delivery=int(rng.integers(1, 9)), tw=(0, 6000))
    b.vehicle_type(count=60, capacity=40)
    dump_problem(b.build(), tmp_path / "town.json")
    return tmp_path


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "cli.py"), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)


def call(folder: Path, *words: str) -> tuple[int, str, str]:
    run = start(folder, *words)
    out, err = run.communicate(timeout=200)
    assert "Traceback" not in err
    return run.returncode, out, err


def test_the_default_solver_repeats_and_goes_on_from_a_start(town: Path) -> None:
    words = ("solve", "town.json", "--iterations", "2000", "--seed", "5", "--json")
    code, out, err = call(town, *words, "--out", "a.json")
    assert code == 0, err
    first = json.loads(out)
    again = json.loads(call(town, *words)[1])
    assert (first["cost"], first["routes"]) == (again["cost"], again["routes"])
    assert first["solver"] in ("genetic", "ruin_recreate")
    assert first["history"][-1][1] == first["cost"]
    assert "cost" in err  # progress
    code, out, _ = call(town, *words[:2], "--iterations", "300", "--start", "a.json", "--json")
    assert json.loads(out)["cost"] <= first["cost"]
    code, out, _ = call(town, *words[:2], "--no-improvement", "200", "--solver", "ruin_recreate", "--json")
    assert code == 0
    assert json.loads(out)["iterations"] >= 200


@pytest.mark.parametrize("solver", ["ruin_recreate", "portfolio:processes=2", "ortools"])
def test_ctrl_c_saves_the_best_so_far(town: Path, solver: str) -> None:
    run = start(town, "solve", "town.json", "--solver", solver, "--time-limit", "150", "--json")
    assert run.stderr is not None
    # up to the first incumbent; before it may stand a word about kernels that are being compiled
    assert any("cost" in line for line in iter(run.stderr.readline, ""))
    time.sleep(1)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=100)
    assert "Traceback" not in err
    assert run.returncode == 130
    answer = json.loads(out)
    assert answer["interrupted"]
    problem = load_problem(town / "town.json")
    report = check(problem, load_solution(town / "town.best.json", problem))
    assert report.feasible
    assert report.cost.total == answer["cost"]


def test_a_lost_terminal_saves_the_best_so_far(town: Path) -> None:
    """Nothing can be written to it any more, and shells tell their jobs of it once more."""
    master, slave = pty.openpty()
    words = ("solve", "town.json", "--solver", "ruin_recreate", "--time-limit", "150", "--out", "plan.json")
    run = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), *words], cwd=town, preexec_fn=lambda: os.login_tty(slave)
    )
    os.close(slave)
    seen = b""
    while b"cost" not in seen:
        seen += os.read(master, 1000)
    time.sleep(1)
    os.close(master)
    with suppress(ProcessLookupError):
        run.send_signal(signal.SIGHUP)
    assert run.wait(timeout=60) == 130
    problem = load_problem(town / "town.json")
    assert check(problem, load_solution(town / "plan.json", problem)).feasible


EARLY = """
import os, signal, time
from solvers import Result, Solution, Status

class Early:
    name = "early"
    features = frozenset({"capacities", "time_windows"})

    def __init__(self, number: int = 0, heeds: bool = True) -> None:
        self.number, self.heeds = number, heeds

    def solve(self, problem, stop, *, seed, start=None, on_best=None):
        try:
            os.kill(os.getpid(), self.number)
            time.sleep(20)
        except KeyboardInterrupt:
            if not self.heeds:
                raise
        lost = tuple(range(problem.num_visits))
        return Result(Status.INFEASIBLE, Solution(), 0, lost, "early", seed, 0, 1.0, interrupted=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("heeds", ["true", "false"])
def test_an_interruption_before_the_first_plan_leaves_files_alone(
    town: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, heeds: str
) -> None:
    plug_in(town, monkeypatch, early="other:Early")
    (town / "other.py").write_text(EARLY)
    (town / "plan.json").write_text("what was there")
    solver = f"early:number={int(number)},heeds={heeds}"
    for out in (("--out", "plan.json"), ()):
        code, said, err = call(town, "solve", "town.json", "--solver", solver, "--iterations", "9", *out)
        assert (code, said) == (130, "")
        assert "interrupted before the first plan" in err
    assert (town / "plan.json").read_text() == "what was there"
    assert not (town / "town.best.json").exists()


def test_an_interruption_where_there_is_nothing_to_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.vehicle_type()
    dump_problem(b.build(), tmp_path / "none.json")
    plug_in(tmp_path, monkeypatch, early="other:Early")
    (tmp_path / "other.py").write_text(EARLY)
    solver = f"early:number={int(signal.SIGTERM)}"
    words = ("solve", "none.json", "--solver", solver, "--iterations", "9", "--out", "plan.json")
    assert call(tmp_path, *words)[0] == 130
    assert json.loads((tmp_path / "plan.json").read_text())["routes"] == []


SLOW = """
import time
from solvers import make

class Slow:
    name = "slow"
    features = frozenset({"capacities", "time_windows"})

    def solve(self, problem, stop, *, seed, start=None, on_best=None):
        began = time.monotonic()
        time.sleep(0.3)  # as if it compiled
        found = make("savings", {"polish_per_visit": 0.0}).solve(problem, stop, seed=seed)
        import dataclasses
        return dataclasses.replace(found, runtime_s=time.monotonic() - began)
"""


def test_a_time_limit_too_short_for_an_iteration_is_told(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(town, monkeypatch, slow="other:Slow")
    (town / "other.py").write_text(SLOW)
    words = ("solve", "town.json", "--solver", "slow", "--time-limit")
    assert "no iteration was made within the time limit" in call(town, *words, "0.2")[2]
    assert "no iteration" not in call(town, *words, "60")[2]


def test_parameters_from_a_file_and_from_the_command(town: Path) -> None:
    (town / "p.toml").write_text("[ruin_recreate]\nnear = 8\n[savings]\nneighbours = 5\n")
    words = ("solve", "town.json", "--iterations", "500", "--json")
    by_file = call(town, *words, "--solver", "ruin_recreate", "--params", "p.toml")
    by_words = call(town, *words, "--solver", "ruin_recreate:near=8")
    plain = call(town, *words, "--solver", "ruin_recreate")
    assert by_file[0] == 0, by_file[2]
    history = [json.loads(x[1])["history"] for x in (by_file, by_words, plain)]
    costs = [[entry[1] for entry in h] for h in history]
    assert costs[0] == costs[1] != costs[2]


def test_replay_and_explanation(town: Path) -> None:
    words = ("town.json", "--iterations", "500", "--solver", "savings", "--out", "s.json")
    code, out, _ = call(town, "solve", *words, "--under", "20", "--explain", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["under"]["samples"] == 20
    assert 0 < answer["under"]["violations"]["capacity"]["share"] <= 1
    assert sum(r["cost"]["distance"] for r in answer["explanation"]["routes"]) == answer["cost"]
    same = json.loads(call(town, "check", "town.json", "s.json", "--under", "20", "--json")[1])
    assert same["under"] == answer["under"]
    text = call(town, "solve", *words, "--under", "20", "--explain")[1]
    assert "capacity" in text
    assert "spare" in text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--solver", "nonsense"), "there are: "),
        (("--solver", "savings:colour=1"), "unknown-parameter"),
        (("--solver", "savings", "--params", "none.toml"), "unreadable"),
        (("--start", "none.json"), "unreadable"),
        (("--start", "town.json"), "town.json"),
        (("--out", "no/such/folder/x.json"), "not-writable"),
        (("--out", "."), "not-writable"),
        (("--out", "plan.xyz"), "not-writable"),
        (("--out", "/proc/plan.json"), "not-writable"),
        (("--time-limit", "nan"), "not a finite number"),
        (("--travel-cv", "nan"), "not a finite number"),
        (("--under", "0"), "--under"),
        (("--rounding", "nearest"), "--rounding"),
    ],
)
def test_bad_input_is_told_at_once(town: Path, words: tuple[str, ...], expected: str) -> None:
    code, _, err = call(town, "solve", "town.json", "--time-limit", "60", *words)
    assert code == 1
    assert expected in err


def test_what_a_plan_cannot_be_written_or_replayed_as_is_told_before_the_search(tmp_path: Path) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0, delivery=12, split=True)
    b.vehicle_type(count=2, capacity=8)
    dump_problem(b.build(), tmp_path / "split.json")
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0)
    b.vehicle_type(battery=Battery(50, 1, 10), stations=[0], reload_depots=[0])
    dump_problem(b.build(), tmp_path / "charged.json")
    for file, words, what in (
        ("split.json", ("--under", "3"), "split_delivery"),
        ("split.json", ("--out", "plan.sol"), "split_delivery"),
        ("charged.json", ("--out", "plan.sol"), "charging where a vehicle may reload"),
    ):
        code, out, err = call(tmp_path, "solve", file, "--time-limit", "60", *words)
        assert (code, out) == (1, "")
        assert what in err
        assert "cost" not in err  # no search


EVIL = """
from solvers import Result, Route, Solution, Status

class Evil:
    name = "evil"
    features = frozenset({"capacities", "time_windows"})

    def solve(self, problem, stop, *, seed, start=None, on_best=None):
        plan = Solution((Route(0, tuple(range(problem.num_visits))),))
        return Result(Status.FEASIBLE, plan, 1, (), "evil", seed, 1, 0.0)

class Lost(Evil):
    name = "lost"

    def solve(self, problem, stop, **how):
        routes = (Route(0, (0, 999)), Route(0, (-1,)), Route(7, (1,)), Route(0, (2,)))
        return Result(Status.FEASIBLE, Solution(routes), 1, (), "lost", 1, 1, 0.0)

class Nameless:
    pass

class Vague(Evil):
    features = None

CONSTANT = 5
"""


def plug_in(folder: Path, monkeypatch: pytest.MonkeyPatch, **solvers: str) -> None:
    """Solvers of a package of another, that lies in `folder`."""
    (folder / "other.py").write_text(EVIL)
    about = folder / "other-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    lines = [f"{name} = {target}" for name, target in solvers.items()]
    (about / "entry_points.txt").write_text("\n".join(["[logistics.solvers]", *lines, ""]))
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_what_a_solver_states_is_checked(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(town, monkeypatch, evil="other:Evil")
    words = ("solve", "town.json", "--solver", "evil", "--iterations", "1")
    code, out, err = call(town, *words)
    assert code == 3
    assert "capacity short by" in out
    assert "infeasible: cost" in out
    assert "evil states cost 1, the checker finds" in err
    assert "evil calls its solution feasible, the checker finds it infeasible" in err
    answer = json.loads(call(town, *words, "--json")[1])
    assert answer["status"] == "infeasible"
    assert answer["cost"] > 1
    assert answer["violations"]


@pytest.mark.parametrize("file", ["plan.json", "plan.sol"])
def test_routes_that_name_what_is_not_there_are_told_and_left_out(
    town: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    plug_in(town, monkeypatch, lost="other:Lost")
    words = ("--solver", "lost", "--iterations", "1", "--explain", "--under", "2", "--json", "--out", file)
    code, out, err = call(town, "solve", "town.json", *words)
    assert code == 3
    answer = json.loads(out)
    assert len(answer["violations"]) >= 3
    assert answer["routes"] == [{"vehicle_type": "type 0", "visits": [2]}]
    assert "lost calls its solution feasible" in err
    problem = load_problem(town / "town.json")
    assert [route.visits for route in load_solution(town / file, problem).routes] == [(2,)]


def test_a_broken_solver_of_another_package_is_told_and_does_no_harm(
    town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(
        town,
        monkeypatch,
        broken="notthere:Nope",
        nameless="other:Nameless",
        evil="other:Evil",
        vague="other:Vague",
        number="other:CONSTANT",
        ending="ending:Solver",
    )
    (town / "ending.py").write_text("raise SystemExit(3)\n")
    code, out, _ = call(town, "solvers", "--json")
    assert code == 0
    listed = json.loads(out)
    assert "ModuleNotFoundError" in listed["broken"]["unavailable"]
    assert "SystemExit" in listed["ending"]["unavailable"]
    assert "not a callable" in listed["number"]["unavailable"]
    for name in ("nameless", "vague"):
        assert "it needs a name" in listed[name]["unavailable"]
    assert listed["evil"]["features"] == ["capacities", "time_windows"]
    code, _, err = call(town, "solve", "town.json", "--solver", "broken", "--iterations", "1")
    assert code == 1
    assert "broken-solver" in err
    assert call(town, "solve", "town.json", "--iterations", "5")[0] == 0


def test_a_plan_with_unknown_visits_is_checked_but_not_replayed(town: Path) -> None:
    plan = {"format": "logistics-solution/1", "routes": [{"vehicle_type": 0, "visits": [0, 999]}]}
    (town / "plan.json").write_text(json.dumps(plan))
    code, out, err = call(town, "check", "town.json", "plan.json", "--under", "3", "--json")
    assert code == 3
    assert json.loads(out)["violations"]
    under = json.loads(out)["under"]
    assert (under["samples"], under["routes_not_driven"], under["without_violation_share"]) == (3, [0], 0.0)
    assert "internal failure" not in err
    told = call(town, "check", "town.json", "plan.json", "--under", "3")[1]
    assert "under 3 samples: 1 of 1 routes name what does not exist and are not driven" in told
    assert "without violation" not in told
    plan["routes"] = [{"vehicle_type": 0, "visits": [0, 999]}, {"vehicle_type": 0, "visits": [1]}]
    (town / "plan.json").write_text(json.dumps(plan))
    told = call(town, "check", "town.json", "plan.json", "--under", "3")[1]
    assert "1 of 2 routes name what does not exist" in told
    assert "without violation" not in told
    assert "Cost of the other routes under samples" in told


def test_what_a_solution_file_states_is_compared(town: Path) -> None:
    problem = load_problem(town / "town.json")
    for file in ("plan.json", "plan.sol"):
        words = ("--solver", "savings", "--iterations", "10", "--out", file)
        assert call(town, "solve", "town.json", *words)[0] == 0
        code, out, err = call(town, "check", "town.json", file, "--json")
        assert (code, err, json.loads(out)["differences"]) == (0, "", [])
    cost = check(problem, load_solution(town / "plan.json", problem)).cost.total
    assert json.loads(out)["stated"] == {"cost": cost}
    plan = json.loads((town / "plan.json").read_text())
    plan |= {"problem": "village", "cost": 5, "unserved": [3]}
    (town / "plan.json").write_text(json.dumps(plan))
    lines = [
        "the file was written for problem 'village', this is 'town'",
        f"the file states cost 5, the checker finds {cost:,}",
        "the file states 1 visits unserved, not those 0 that the checker finds",
    ]
    code, out, err = call(town, "check", "town.json", "plan.json")
    assert (code, err.splitlines()) == (0, lines)
    assert out == f"cost {cost:,}; 0 violations, 0 unserved\n"
    answer = json.loads(call(town, "check", "town.json", "plan.json", "--json")[1])
    assert answer["stated"] == {"problem": "village", "cost": 5, "unserved": [3]}
    assert answer["differences"] == lines
    (town / "plan.sol").write_text((town / "plan.sol").read_text().replace(f"Cost: {cost}", "Cost 5"))
    code, _, err = call(town, "check", "town.json", "plan.sol")
    assert (code, err.splitlines()) == (0, lines[1:2])


def test_the_answer_holds_reloads_and_parts_as_the_file_does(tmp_path: Path) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0, delivery=12, split=True)
    b.vehicle_type(count=1, capacity=8, reload_depots=[0])
    dump_problem(b.build(), tmp_path / "split.json")
    code, out, err = call(
        tmp_path, "solve", "split.json", "--iterations", "50", "--json", "--out", "plan.json"
    )
    assert code == 0, err
    (told,) = json.loads(out)["routes"]
    (written,) = json.loads((tmp_path / "plan.json").read_text())["routes"]
    assert told["halts"]
    assert told["parts"]
    assert (told["halts"], told["parts"]) == (written["halts"], written["parts"])
