"""Compiled search kernels: flat typed arrays in, flat typed arrays out, no Python inside the loops."""

from __future__ import annotations

from pathlib import Path

from solvers.compiled import drop_stale_cache

# the packages within use helpers of this one; what has entry points to compile here begins with a `session`
drop_stale_cache(__name__, Path(__file__).parent, Path(__file__).parents[1] / "travel.py", announced=False)
