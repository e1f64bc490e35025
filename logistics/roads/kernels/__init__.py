"""Compiled inner loops of the roads. Flat typed arrays in, flat typed arrays out; no checks of their own."""

from __future__ import annotations

from pathlib import Path

from solvers.compiled import drop_stale_cache

drop_stale_cache(__name__, Path(__file__).parent)
