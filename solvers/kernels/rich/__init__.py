"""Ruin and recreate for problems with every feature: routes are arrays, each change is driven anew.

Sources of compiled code are watched as in `solvers.kernels`.
"""

from __future__ import annotations

from pathlib import Path

from solvers.kernels import drop_stale_cache

drop_stale_cache(Path(__file__).parent)
