"""The command line as a user calls it: output, exit codes, start-up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("heard_signals")
ROOT = Path(__file__).parents[1]

PROBLEM = """NAME : tiny
TYPE : CVRP
DIMENSION : 5
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 2
NODE_COORD_SECTION
1 0 0
2 3 4
3 6 8
4 -3 4
5 -6 8
DEMAND_SECTION
1 0
2 1
3 1
4 1
5 1
DEPOT_SECTION
1
-1
EOF
"""


def call(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "cli.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, timeout=300)


def test_help_loads_no_numerical_library() -> None:
    code = "import sys, cli; print([m for m in ('numpy', 'numba', 'ortools', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_solve_then_check(tmp_path: Path) -> None:
    (tmp_path / "tiny.vrp").write_text(PROBLEM)
    words = ("--rounding", "round", "--iterations", "200", "--out", "tiny.json", "--json")
    solved = call("solve", "tiny.vrp", *words, cwd=tmp_path)
    assert solved.returncode == 0, solved.stderr
    answer = json.loads(solved.stdout)
    assert answer["cost"] == 40
    assert sorted(v for route in answer["routes"] for v in route["visits"]) == [0, 1, 2, 3]
    checked = call("check", "tiny.vrp", "tiny.json", "--rounding", "round", "--json", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["cost"] == 40


def test_bad_problem_is_explained(tmp_path: Path) -> None:
    (tmp_path / "bad.vrp").write_text(PROBLEM.replace("CAPACITY : 2", "CAPACITY : -2"))
    done = call("solve", "bad.vrp", "--rounding", "round", cwd=tmp_path)
    assert done.returncode == 1
    assert "-2" in done.stderr
    assert "Traceback" not in done.stderr


def test_templates_are_listed_without_a_name(tmp_path: Path) -> None:
    done = call("init", "--list", cwd=tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, ["city", "small", "two-cities", "solver"])


def test_init_validate_run_report(tmp_path: Path) -> None:
    assert call("init", "town", "--template", "small", cwd=tmp_path).returncode == 0
    assert json.loads(call("validate", "town.toml", "--json", cwd=tmp_path).stdout) == []
    done = call("run", "town.toml", "--seed", "7", "--out", "r", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    kpis = json.loads(done.stdout)["kpis"]
    assert kpis["delivered"] == kpis["parcels"] > 0
    assert (tmp_path / "r" / "report.html").stat().st_size > 1_000_000
    again = call("run", "town.toml", "--out", "r", cwd=tmp_path)
    assert again.returncode == 1
    assert "folder-exists" in again.stderr


@pytest.mark.parametrize(
    ("change", "expected"),
    [("scenario.horizon=3", "horizon"), ("dispatch.solver='nonsense'", "nonsense"), ("fleet_scale=-1", "-1")],
)
def test_faulty_overrides_name_place_and_value(tmp_path: Path, change: str, expected: str) -> None:
    call("init", "town", "--template", "small", cwd=tmp_path)
    done = call("validate", "town.toml", "--set", change, cwd=tmp_path)
    assert done.returncode == 1
    assert expected in done.stdout
    assert "Traceback" not in done.stderr


def test_sweep_then_sweep_again(tmp_path: Path) -> None:
    call("init", "town", cwd=tmp_path)
    words = (
        "sweep",
        "town.toml",
        "--grid",
        "fleet_scale=0.5,1",
        "--replications",
        "2",
        "--out",
        "s",
        "--json",
    )
    done = call(*words, "--require", "delivered_pct>=98", "--set", "demand.scale=0.3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [cell["set"] for cell in answer["cells"]] == [{"fleet_scale": "0.5"}, {"fleet_scale": "1"}]
    assert answer["cheapest"] == {"fleet_scale": "0.5"}
    assert "half_width" in answer["cells"][1]["kpis"]["on_time_pct"]
    kept = (tmp_path / "s" / "runs.jsonl").read_bytes()
    again = call(*words, "--set", "demand.scale=0.3", cwd=tmp_path)
    assert json.loads(again.stdout)["cells"] == answer["cells"]
    assert (tmp_path / "s" / "runs.jsonl").read_bytes() == kept  # nothing ran twice
    wrong = call(
        *words, "--set", "demand.scale=0.3", "--kpi", "cost_totl", "--require", "foo>=1", cwd=tmp_path
    )
    assert wrong.returncode == 1
    assert "cost_total" in wrong.stderr
    assert "foo" in wrong.stderr


def test_explain_an_order_and_list_the_latest(tmp_path: Path) -> None:
    call("init", "town", cwd=tmp_path)
    call("run", "town.toml", "--seed", "7", "--out", "r", cwd=tmp_path)
    listed = json.loads(call("explain", "r", "--json", cwd=tmp_path).stdout)
    story = json.loads(call("explain", "r", "--order", listed[0]["order"], "--json", cwd=tmp_path).stdout)
    assert story["parcels"][0]["events"][0]["what"] == "order placed"
    assert story["cost_total"] > 0
    unknown = call("explain", "r", "--order", "nobody", cwd=tmp_path)
    assert unknown.returncode == 1
    assert "unknown-order" in unknown.stderr


def test_compare_solvers_and_scenarios(tmp_path: Path) -> None:
    call("init", "a", cwd=tmp_path)
    call("init", "b", cwd=tmp_path)
    small = ("--set", "demand.scale=0.2", "--replications", "2", "--json")
    one = call("compare", "a.toml", "--solver", "savings", "--solver", "ruin_recreate", *small, cwd=tmp_path)
    assert one.returncode == 0, one.stderr
    [pair] = json.loads(one.stdout)
    assert (pair["base"], pair["variant"]) == ("savings", "ruin_recreate")
    sized = ("--solver", "ruin_recreate:iterations=1", "--solver", "ruin_recreate:near=10,iterations=900")
    three = call("compare", "a.toml", *sized, *small, cwd=tmp_path)
    [pair] = json.loads(three.stdout)
    assert pair["variant"] == "ruin_recreate:near=10,iterations=900"
    assert pair["kpis"]["km"]["difference"] < 0
    wrong = call("compare", "a.toml", *sized[:3], "ruin_recreate:iterations=some", *small, cwd=tmp_path)
    assert (wrong.returncode, "dispatch.iterations" in wrong.stderr) == (1, True)
    two = call("compare", "a.toml", "b.toml", *small, cwd=tmp_path)
    [pair] = json.loads(two.stdout)
    assert (pair["base"], pair["variant"]) == ("a.toml", "b.toml")
    assert pair["kpis"]["cost_total"]["difference"] == 0  # the same network on the same random numbers
    assert call("compare", "a.toml", cwd=tmp_path).returncode == 1


@pytest.mark.parametrize(
    ("words", "sign"),
    [
        (("run", "town.toml", "--out", "out/r", "--set", "demand.scale=1000"), signal.SIGINT),
        (("run", "town.toml", "--out", "out/r", "--set", "demand.scale=1000"), signal.SIGTERM),
        (("run", "town.toml", "--out", "out/r", "--set", "demand.scale=1000"), signal.SIGHUP),
        (("compare", "town.toml", "--set", "fleet_scale=0.5", "--replications", "5000"), signal.SIGINT),
        (("compare", "town.toml", "--set", "fleet_scale=0.5", "--replications", "5000"), signal.SIGTERM),
        (
            ("sweep", "town.toml", "--grid", "fleet_scale=0.5,1", "--replications", "5000", "--out", "out/s"),
            signal.SIGINT,
        ),
    ],
)
def test_ctrl_c_leaves_nothing_half_written(
    tmp_path: Path, words: tuple[str, ...], sign: signal.Signals
) -> None:
    call("init", "town", cwd=tmp_path)
    command = [sys.executable, str(ROOT / "cli.py"), *words]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(2.5)
    assert process.poll() is None, process.communicate()
    process.send_signal(sign)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.glob("**/manifest.json"))
    assert not list(tmp_path.glob("**/*.parquet"))
    assert not list(tmp_path.glob("out/.*"))


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_amid_an_import_comes_after_it(tmp_path: Path, sign: signal.Signals) -> None:
    # As compiled modules do, this one turns whatever reaches it into an ImportError.
    (tmp_path / "loaded.py").write_text(
        f"import os, time\ntry:\n    os.kill(os.getpid(), {int(sign)})\n    time.sleep(0.2)\n"
        "except BaseException:\n    raise ImportError('failed to import') from None\nprint('whole')\n"
    )
    (tmp_path / "program.py").write_text(
        f"import sys, time\nsys.path[:0] = [{str(ROOT)!r}]\nimport cli, click\n"
        "@cli.logistics.command()\ndef slow():\n    import loaded\n    time.sleep(30)\n"
        "sys.argv[1:] = ['slow']\ncli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=25, check=False
    )
    assert (done.returncode, done.stdout) == (130, "whole\n"), done.stderr
    assert done.stderr.strip() == "interrupted"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_while_machine_code_is_loaded_is_not_lost(
    tmp_path: Path, sign: signal.Signals
) -> None:
    (tmp_path / "program.py").write_text(
        f"import os, sys, time\nsys.path[:0] = [{str(ROOT)!r}]\nimport cli\n"
        "@cli.logistics.command()\ndef slow():\n"
        "    from numba import njit\n    from numba.core.codegen import CPUCodeLibrary\n"
        "    notify = CPUCodeLibrary._object_compiled_hook\n"
        "    def told(library, code):\n"
        f"        os.kill(os.getpid(), {int(sign)})\n        time.sleep(0.001)\n        notify(library, code)\n"
        "    CPUCodeLibrary._object_compiled_hook = staticmethod(told)\n"
        "    @njit(cache=True)\n    def loop(x): return x\n    loop(1)\n"
        "    time.sleep(30)\nsys.argv[1:] = ['slow']\ncli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=25, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (130, "interrupted")


def test_a_folder_that_cannot_be_written_is_found_before_the_run(tmp_path: Path) -> None:
    call("init", "town", cwd=tmp_path)
    (tmp_path / "file").write_text("")
    endless = (
        "--set",
        "demand.scale=1000",
        "--set",
        "dispatch.iterations=1000000",
    )  # for the call's time limit
    for out in (("file",), ("file", "--overwrite"), ("file/below",)):
        done = call("run", "town.toml", "--out", *out, *endless, cwd=tmp_path)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "--out" in done.stderr


def test_overwriting_keeps_what_is_not_the_runs(tmp_path: Path) -> None:
    call("init", "town", cwd=tmp_path)
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "notes.txt").write_text("mine")
    small = ("--set", "demand.scale=0.1")
    assert call("run", "town.toml", "--out", "r", *small, cwd=tmp_path).returncode == 1
    for _ in range(2):  # over a folder without a run, then over a run
        done = call("run", "town.toml", "--out", "r", "--overwrite", *small, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "r" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "r" / "manifest.json").exists()
    assert not list(tmp_path.glob(".r-*"))


def test_a_day_without_orders(tmp_path: Path) -> None:
    call("init", "town", cwd=tmp_path)
    done = call("run", "town.toml", "--out", "r", "--set", "demand.scale=0", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kpis"]["parcels"] == 0
    assert call("explain", "r", cwd=tmp_path).stdout.strip() == "no order was late"


def test_strict_looks_at_every_parcel_measured_or_not(tmp_path: Path) -> None:
    call("init", "town", cwd=tmp_path)
    words = ("run", "town.toml", "--strict", "--overwrite", "--set", "demand.scale=0.1")
    nothing_measured = ("--set", "scenario.measure_from=2026-03-05T00:00:00+01:00")
    assert call(*words, "--set", "delivery.failure=0", cwd=tmp_path).returncode == 0
    stuck = call(*words, *nothing_measured, "--set", "fleet_scale=0", "--json", cwd=tmp_path)
    assert json.loads(stuck.stdout)["kpis"]["parcels"] == 0
    assert stuck.returncode == 3
