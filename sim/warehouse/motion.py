"""How long moves take: trapezoidal speed profiles of robots, cranes and shuttles."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def move_s(distance_m: float, speed_mps: float, acceleration_mps2: float) -> float:
    """Seconds from rest to rest over a distance.

    t = d/v + v/a where the top speed v is reached (d ≥ v²/a), else 2 √(d/a); with infinite acceleration d/v.
    """
    if not math.isfinite(acceleration_mps2):
        return distance_m / speed_mps
    if distance_m >= speed_mps * speed_mps / acceleration_mps2:
        return distance_m / speed_mps + speed_mps / acceleration_mps2
    return 2.0 * math.sqrt(distance_m / acceleration_mps2)


def moves_s(
    distance_m: NDArray[np.float64], speed_mps: float, acceleration_mps2: float
) -> NDArray[np.float64]:
    """`move_s` for an array of distances."""
    distance = np.asarray(distance_m, np.float64)
    if not math.isfinite(acceleration_mps2):
        return distance / speed_mps
    full = distance / speed_mps + speed_mps / acceleration_mps2
    short = 2.0 * np.sqrt(distance / acceleration_mps2)
    return np.where(distance >= speed_mps * speed_mps / acceleration_mps2, full, short)
