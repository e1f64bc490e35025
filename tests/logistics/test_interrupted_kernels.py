"""Ctrl-C while compiled loops run, see `solvers.compiled`."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys

import pytest
from numba.core.dispatcher import Dispatcher

INTERRUPTED = """
import signal
import numpy as np
from {module} import {name}

def whole(*values): return np.array(values, dtype=np.int64)
def raising(number, frame): raise KeyboardInterrupt

rng = np.random.default_rng(1)
n = {size}
given = {given}
{name}(*given)  # compiled, and longer than the alarm takes
signal.signal(signal.SIGALRM, raising)
heard = 0
for _ in range(5):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        found = {name}(*given)
        while True:
            pass
    except KeyboardInterrupt:
        heard += 1
print(heard)
"""
PLACES = "rng.random(n), rng.random(n), np.arange(n, dtype=np.int32)"
RING = (
    "np.arange(n + 1, dtype=np.int32), np.roll(np.arange(n, dtype=np.int32), -1), np.ones(n), np.ones(n), "
    "np.zeros(n, np.int32), np.ones((1, 24)), "
)
AT = "np.array([[0, -1, 0, -1, -1]], np.int32)"
CASES = {
    "logistics.kernels.parcelling first_fit": (
        200_000,
        "np.arange(n + 1), np.full(n, 7), np.full(n, 7), rng.integers(1, 40, n), 20, 20",
    ),
    "logistics.kernels.matching match_latest": (
        4_000,
        "whole(0, n), np.arange(n), np.ones(n, int), np.zeros(n, int), np.full(n, n), np.ones(n, int)",
    ),
    "logistics.kernels.reserving reserve_in_turn": (
        2_000_000,
        "np.full((1, 1), n), np.arange(n), np.zeros(n, np.int32), np.arange(n + 1), np.zeros(n, np.int32), "
        "np.ones(n, int)",
    ),
    "logistics.roads.kernels.profile warp": (1_000_000, "np.full(n, 9e4), np.ones(24), 0.0"),
    "logistics.roads.kernels.sphere along": (1_000_000, PLACES),
    "logistics.roads.kernels.sphere between": (2_000, PLACES),
    "logistics.roads.kernels.search search": (
        1_000_000,
        RING + AT + "[0], np.zeros(12), np.ones(n, bool), 0.0, 1.0",
    ),
    "logistics.roads.kernels.search between": (
        1_000_000,
        RING + f"{AT}, np.zeros((1, 12)), {AT} + (n - 1), np.zeros((1, 12)), 0.0, 1.0",
    ),
    "sim.kernels.loading load_truck": (
        2_000_000,
        "np.zeros(n, int), np.ones(n, int), np.ones(n, int), whole(9), whole(9), n, n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_loop_that_is_interrupted_ends_with_that(case: str) -> None:
    module, name = case.split()
    size, given = CASES[case]
    source = INTERRUPTED.format(module=module, name=name, size=size, given=given)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "5\n", "")


def test_no_loop_returns_an_array() -> None:
    loops = {}
    for top in ("logistics", "sim", "solvers"):
        for module in pkgutil.walk_packages(importlib.import_module(top).__path__, f"{top}."):
            if ".kernels" in module.name:
                found = vars(importlib.import_module(module.name))
                loops.update({(module.name, k): v for k, v in found.items() if isinstance(v, Dispatcher)})
    assert len(loops) > 300
    numbers = re.compile(r"(None|int|float|bool|Any|tuple\[(int|float|bool|, )+\])")
    returned = {name: loop.py_func.__annotations__.get("return", "None") for name, loop in loops.items()}
    assert [name for name, what in returned.items() if not numbers.fullmatch(str(what))] == []
