"""Compiled loops of sorters."""

from __future__ import annotations

from pathlib import Path

from solvers.compiled import drop_stale_cache

drop_stale_cache(__name__, Path(__file__).parent, Path(__file__).parents[2] / "robots" / "problem.py")
