"""Compiled loops of the simulator. Each is reached through one thin function or class outside this folder."""

from __future__ import annotations

from pathlib import Path

from solvers.compiled import drop_stale_cache

drop_stale_cache(__name__, Path(__file__).parent)
