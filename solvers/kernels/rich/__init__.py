"""Ruin and recreate for problems with every feature: routes are arrays, each change is driven anew."""

from __future__ import annotations

from pathlib import Path

from solvers.compiled import drop_stale_cache

drop_stale_cache(
    __name__,
    Path(__file__).parent,
    Path(__file__).parents[1],
    Path(__file__).parents[2] / "speeds.py",
    Path(__file__).parents[2] / "travel.py",
)
