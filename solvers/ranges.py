"""Ranges of solver parameters: (least, most), both allowed. A solver's `ranges` gives them by name, see `make`."""

from __future__ import annotations

import math
from collections.abc import Mapping

Range = tuple[float, float]
Ranges = Mapping[str, Range]

SHARE: Range = (0.0, 1.0)
ANY: Range = (0.0, math.inf)
SOME: Range = (1.0, math.inf)
POSITIVE: Range = (1e-12, math.inf)
PART: Range = (1e-6, 0.999999)  # more than nothing, less than all
BLINK: Range = (0.0, 0.99)  # who overlooks everything inserts nothing


def outside(value: object, allowed: Range) -> str:
    """How to repair a parameter that is out of range; empty if it is not."""
    least, most = allowed
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if least <= value <= most and math.isfinite(value):
        return ""
    return f"give {least:g} or more" if most == math.inf else f"give {least:g} to {most:g}"
