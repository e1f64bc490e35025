"""Roads as great circles times a detour factor, at one speed per hour of the day."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from logistics.roads import base
from logistics.roads.base import Drive, PlaceArray, SnapReport
from logistics.roads.kernels import profile, sphere
from solvers.errors import InvalidInputError
from solvers.travel import FloatArray, IntArray, Metric, Travel


class GreatCircleRoads:
    """Metres = great circle × `detour_factor`; seconds = those at the hourly speeds, integrated exactly.

    `speeds_mps`: one speed or 24, metres per second from local midnight. A detour factor of 1.2 to 1.5 is
    usual between places in towns. Every place reaches every other.
    """

    name = "great-circle"

    def __init__(
        self,
        detour_factor: float,
        speeds_mps: float | Sequence[float] | FloatArray,
        start_second_of_day: float = 0.0,
    ) -> None:
        if not 1.0 <= detour_factor < np.inf:
            raise InvalidInputError(
                [
                    base.fault(
                        "detour_factor",
                        f"{detour_factor:g}",
                        "bad-detour-factor",
                        "a way is at least as long as the great circle",
                        "give a factor >= 1",
                    )
                ]
            )
        self.detour_factor = float(detour_factor)
        self.speeds_mps = base.hourly_profile(speeds_mps, "speeds_mps")
        self.start_second_of_day = float(start_second_of_day)
        self._count = 0  # places registered; the arrays behind them grow by doubling
        self._points = np.zeros((64, 2))
        self._lon = np.zeros(64)
        self._lat = np.zeros(64)

    def places(self, points: ArrayLike) -> PlaceArray:
        """Register (n, 2) [lon, lat] points; ids count on from those registered before."""
        new = base.checked_points(points)
        first, self._count = self._count, self._count + len(new)
        if self._count > len(self._points):
            room = max(self._count, 2 * len(self._points)) - first
            self._points = np.concatenate([self._points[:first], np.zeros((room, 2))])
            self._lon = np.concatenate([self._lon[:first], np.zeros(room)])
            self._lat = np.concatenate([self._lat[:first], np.zeros(room)])
        self._points[first : self._count] = new
        self._lon[first : self._count] = np.radians(new[:, 0])
        self._lat[first : self._count] = np.radians(new[:, 1])
        return np.arange(first, self._count, dtype=np.int32)

    def matrix(self, places: PlaceArray, depart_s: float) -> tuple[IntArray, IntArray]:
        """(n, n) int64 metres and seconds for departures at `depart_s`."""
        n = len(places)
        metres = sphere.between(self._lon, self._lat, _ids(places)) * self.detour_factor
        seconds = profile.warp(metres, self.speeds_mps, self.start_second_of_day + depart_s)
        return base.rounded(metres).reshape(n, n), base.rounded(seconds).reshape(n, n)

    def leg(self, origin: int, destination: int, depart_s: float) -> tuple[int, float]:
        """Metres (rounded) and seconds of the way leaving at `depart_s`."""
        ends = np.array([origin, destination], dtype=np.int32)
        metres = float(sphere.along(self._lon, self._lat, ends)[1]) * self.detour_factor
        seconds = profile.elapsed(self.start_second_of_day + depart_s, metres, self.speeds_mps)
        return round(metres), float(seconds)

    def drive(
        self,
        places: PlaceArray,
        depart_s: float,
        dwell_s: FloatArray,
        earliest_s: FloatArray | None = None,
        slowdown: float = 1.0,
    ) -> Drive:
        """Follow a route of n places; see `Roads.drive`."""
        n = len(places)
        metres = sphere.along(self._lon, self._lat, _ids(places)) * self.detour_factor
        arrive_s = np.empty(n)
        leave_s = np.empty(n)
        if n:
            profile.follow(
                metres * base.checked_slowdown(slowdown),
                self.speeds_mps,
                self.start_second_of_day,
                float(depart_s),
                base.floats(dwell_s),
                base.earliest_or_none(earliest_s, n),
                arrive_s,
                leave_s,
            )
        return Drive(arrive_s, leave_s, base.rounded(metres))

    def travel(self, places: PlaceArray, depart_s: float) -> tuple[Travel, FloatArray | None]:
        """A haversine rule at the speed of the departure's hour, and the places' coordinates."""
        hour = int((self.start_second_of_day + depart_s) // 3600) % 24
        rule = Travel(
            metric=Metric.HAVERSINE,
            scale=self.detour_factor,
            duration_per_distance=1.0 / float(self.speeds_mps[hour]),
        )
        return rule, self._points[places]

    def path(self, origin: int, destination: int, depart_s: float) -> FloatArray:  # noqa: ARG002
        """The two ends: this model knows no bends."""
        return self._points[[origin, destination]]

    def components(self, places: PlaceArray) -> IntArray:
        """All zero: every place reaches every other."""
        return np.zeros(len(places), dtype=np.int64)

    def snapping(self) -> SnapReport:
        """Nothing is moved: points are used as given."""
        return SnapReport.of(np.zeros(self._count), 0)


def _ids(places: PlaceArray) -> PlaceArray:
    # One writable int32 array type, so that each kernel compiles once.
    return np.array(places, dtype=np.int32)
