"""Kernels are compiled with unsigned indices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64, njit, types
from numba.core import ir

from solvers.kernels.jit import KernelCompiler


def moved(S: Any, i: int, j: int) -> int:
    part = S[i - 1 :]
    part[:] += 1
    for k in range(i, j):
        S[k + 1] = S[k] + part[k]
        S[k] -= 1
    return S[i + j]


def test_indices_are_unsigned_and_slices_stay() -> None:
    fast = njit(pipeline_class=KernelCompiler)(moved)
    one, two = np.arange(20), np.arange(20)
    assert fast(one, 2, 6) == moved(two, 2, 6)
    assert one.tolist() == two.tolist()
    signature = (types.Array(int64, 1, "C"), int64, int64)
    calls = fast.overloads[signature].type_annotation.calltypes
    indices = [
        call.args[1]
        for node, call in calls.items()
        if isinstance(node, ir.SetItem) or (isinstance(node, ir.Expr) and node.op == "getitem")
    ]
    numbers = [index for index in indices if isinstance(index, types.Integer)]
    assert len(numbers) >= 6  # four are read, two are written
    assert not any(index.signed for index in numbers)
    assert len(indices) - len(numbers) >= 1  # slices
