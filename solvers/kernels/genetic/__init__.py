"""Kernels of the hybrid genetic search: local search with penalties, crossovers, populations."""

from __future__ import annotations

from pathlib import Path

from solvers.kernels import drop_stale_cache

drop_stale_cache(Path(__file__).parent)
