"""The contract of all roads, and what every implementation checks the same way.

Times are float64 seconds from the scenario's start and are rounded once, where they leave as integers. Hours
of the day are local: `start_second_of_day` is the local clock at second 0 of the scenario (daylight saving is
the caller's business), and the 24 hourly values of a profile repeat every day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from solvers.errors import Fault, InvalidInputError
from solvers.travel import FloatArray, IntArray, Travel

PlaceArray = NDArray[np.int32]


class Drive(NamedTuple):
    """A route as driven: when each place was reached and left (float64 seconds), metres of the leg to it.

    The first place is "reached" and left at the departure, over 0 metres. Distances are int64.
    """

    arrive_s: FloatArray
    leave_s: FloatArray
    distance_m: IntArray


@dataclass(frozen=True, slots=True)
class SnapReport:
    """How far given points lay from the network: what `Roads.snapping` tells."""

    points: int
    moved: int  # further than 1 m
    median_m: float
    largest_m: float
    too_far: int  # beyond the limit, hence in no component

    @classmethod
    def of(cls, metres: FloatArray, too_far: int) -> SnapReport:
        if not len(metres):
            return cls(0, 0, 0.0, 0.0, 0)
        return cls(
            len(metres), int((metres > 1.0).sum()), float(np.median(metres)), float(metres.max()), too_far
        )


class Roads(Protocol):
    """Distances and first-in-first-out travel times between places. Unreachable pairs raise
    `InvalidInputError` with the code `unreachable-place`; ask `components` beforehand."""

    @property
    def name(self) -> str: ...

    def places(self, points: ArrayLike) -> PlaceArray:
        """Put (n, 2) [lon, lat] points on the network; the ids returned, int32, are used below."""

    def matrix(self, places: PlaceArray, depart_s: float) -> tuple[IntArray, IntArray]:
        """(n, n) int64 metres and seconds of the quickest ways leaving at `depart_s`."""

    def leg(self, origin: int, destination: int, depart_s: float) -> tuple[int, float]:
        """Metres and seconds (not rounded) of the quickest way leaving at `depart_s`."""

    def drive(
        self,
        places: PlaceArray,
        depart_s: float,
        dwell_s: FloatArray,
        earliest_s: FloatArray | None = None,
        slowdown: float = 1.0,
    ) -> Drive:
        """Follow a route: leave the first place at `depart_s`; at each later one wait until `earliest_s`,
        stay `dwell_s`, go on. Item 0 of both is not used.

        `slowdown` divides every speed (congestion, weather; above 1 is slower): travel stays
        first-in-first-out, and where speeds do not change on the way it multiplies the travel time.
        """

    def travel(self, places: PlaceArray, depart_s: float) -> tuple[Travel, FloatArray | None]:
        """What a routing problem needs: matrices, or a rule together with (n, 2) coordinates."""

    def path(self, origin: int, destination: int, depart_s: float) -> FloatArray:
        """The quickest way as a polyline, (k, 2) [lon, lat]."""

    def components(self, places: PlaceArray) -> IntArray:
        """(n,) labels: two places reach each other both ways where labels are equal and not -1. A place
        labelled -1 (too far from the network) reaches nothing."""

    def snapping(self) -> SnapReport:
        """How far the points placed so far lay from the network."""


def hourly_profile(values: float | Sequence[float] | FloatArray, place: str) -> FloatArray:
    """(24,) float64 of one constant or 24 hourly values, all finite and positive.

    Raises `InvalidInputError` with one fault per bad value.
    """
    given = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if given.shape not in ((1,), (24,)):
        raise InvalidInputError(
            [fault(place, f"{given.size} values", "bad-profile", "needs one value or 24", "give 24")]
        )
    faults = [
        fault(f"{place}[{hour}]", f"{value:g}", "bad-speed", "must be finite and above 0", "give a value > 0")
        for hour, value in enumerate(given)
        if not (np.isfinite(value) and value > 0)
    ]
    if faults:
        raise InvalidInputError(faults)
    return np.full(24, given[0]) if given.size == 1 else given.copy()


def checked_points(points: ArrayLike) -> FloatArray:
    """(n, 2) float64 copies of [lon, lat] points; `InvalidInputError` names every row that is no place."""
    given = np.array(points, dtype=np.float64, ndmin=2, copy=True)
    if given.size == 0:
        return np.zeros((0, 2))
    if given.ndim != 2 or given.shape[1] != 2:
        raise InvalidInputError(
            [
                fault(
                    "points",
                    str(given.shape),
                    "bad-point",
                    "needs rows of [lon, lat]",
                    "give an (n, 2) array",
                )
            ]
        )
    bad = ~((np.abs(given[:, 0]) <= 180.0) & (np.abs(given[:, 1]) <= 90.0))  # also true of NaN
    if bad.any():
        raise InvalidInputError(
            [
                fault(
                    f"points[{row}]",
                    f"[{given[row, 0]:g}, {given[row, 1]:g}]",
                    "bad-point",
                    "is no [lon, lat] in degrees",
                    "give lon in -180…180 and lat in -90…90",
                )
                for row in np.flatnonzero(bad)
            ]
        )
    return given


def checked_slowdown(slowdown: float) -> float:
    """The slowdown, or `InvalidInputError` where it is not above 0 or not finite."""
    if not 0.0 < slowdown < np.inf:
        raise InvalidInputError(
            [fault("slowdown", f"{slowdown:g}", "bad-slowdown", "must be finite and above 0", "give > 0")]
        )
    return float(slowdown)


def earliest_or_none(earliest_s: FloatArray | None, n: int) -> FloatArray:
    """(n,) float64 of earliest times; -inf everywhere where none are given."""
    return np.full(n, -np.inf) if earliest_s is None else floats(earliest_s)


def floats(values: Any) -> FloatArray:
    """A contiguous, writable float64 copy: one array type for the kernels, so that each compiles once."""
    return np.array(values, dtype=np.float64, order="C")


def rounded(values: FloatArray) -> IntArray:
    """Nearest integers as int64 (halves to even)."""
    return np.rint(values).astype(np.int64)


def unreachable(origin: int, destination: int) -> InvalidInputError:
    """The error of a pair of places with no way between them."""
    return InvalidInputError(
        [
            fault(
                f"places {origin} -> {destination}",
                "",
                "unreachable-place",
                "no way leads from the one to the other",
                "move the place to a road, or take a larger extract",
            )
        ]
    )


def fault(place: str, value: str, code: str, message: str, repair: str, file: str = "") -> Fault:
    """A `Fault` of the roads; `file` is empty for arguments of a call."""
    return Fault(file, place, value, code, message, repair)
