"""Compiled loops of the warehouse models: flat typed arrays in, flat typed arrays out."""

from __future__ import annotations

from pathlib import Path

from solvers.compiled import drop_stale_cache

drop_stale_cache(__name__, Path(__file__).parent)
