"""CP-SAT as we run it: what it finds, and that Ctrl-C stays Python's."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ortools.sat.python import cp_model

from solvers.cp_sat import search


def test_the_optimum_or_none() -> None:
    model = cp_model.CpModel()
    x = model.new_int_var(0, 9, "x")
    model.add(3 * x <= 20)
    model.maximize(x)
    found = search(model, work=1.0, seconds=None, seed=2**40)
    assert found is not None
    assert found.value(x) == 6
    model.add(x >= 7)
    assert search(model, work=1.0, seconds=None, seed=1) is None


PROGRAM = """
import os, signal, threading, time
from ortools.sat.python import cp_model
from solvers.cp_sat import search

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)

def work(pigeons):
    model = cp_model.CpModel()  # pigeons in one hole fewer, told pair by pair: hopeless when they are many
    holes = [model.new_int_var(0, pigeons - 2, "") for _ in range(pigeons)]
    for i, a in enumerate(holes):
        for b in holes[:i]:
            model.add(a != b)
    search(model, work=1e9, seconds=40, seed=1)

try:
    {body}
    time.sleep(5)
except KeyboardInterrupt:
    print("heard")
"""


@pytest.mark.parametrize(
    "body",
    [
        "work(3); interrupt()",
        "worker = threading.Thread(target=work, args=(3,)); worker.start(); worker.join(); interrupt()",
        "threading.Timer(1, interrupt).start(); work(60)",
    ],
    ids=["after", "after-in-a-thread", "during"],
)
def test_ctrl_c_reaches_python(body: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body=body)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("heard\n", 0), done.stderr
