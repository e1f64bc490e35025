"""Quickest ways on the streets of an OpenStreetMap extract."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from logistics.roads import base
from logistics.roads.base import Drive, PlaceArray, SnapReport
from logistics.roads.kernels import profile, search
from logistics.roads.osm_reader import read_segments
from logistics.roads.snapping import PlaceTable, Snapper
from logistics.roads.street_graph import StreetGraph, contract, largest_part
from solvers.errors import InvalidInputError
from solvers.travel import FloatArray, IntArray, Travel

REMEMBERED_PAIRS = 1_000_000


class OsmRoads:
    """Quickest ways on a `StreetGraph` at free flow, slowed by the hour of day.

    `traffic`: the share of free-flow speed driven, one value or 24 from local midnight. It is the same on all
    streets, so the quickest way does not depend on the hour, only its duration, and pairs are searched once.
    Points are put on the nearest street; those further than `max_snap_m` reach nothing. The metres between a
    point and its street are not driven.
    """

    name = "osm"

    def __init__(
        self,
        graph: StreetGraph,
        traffic: float | Sequence[float] | FloatArray = 1.0,
        start_second_of_day: float = 0.0,
        max_snap_m: float = 1000.0,
    ) -> None:
        self.graph = graph
        self.traffic = base.hourly_profile(traffic, "traffic")
        self.start_second_of_day = float(start_second_of_day)
        self.max_snap_m = float(max_snap_m)
        self._edges = (
            graph.first_edge,
            graph.head,
            base.floats(graph.seconds),
            base.floats(graph.length_m),
            np.zeros(len(graph.head), dtype=np.int32),
            np.ones((1, 24)),
        )
        self._snapper: Snapper | None = None
        self._table = PlaceTable.empty()
        self._pairs: dict[tuple[int, int], tuple[float, float]] = {}

    @classmethod
    def from_pbf(
        cls,
        path: str | Path,
        traffic: float | Sequence[float] | FloatArray = 1.0,
        start_second_of_day: float = 0.0,
        max_snap_m: float = 1000.0,
    ) -> OsmRoads:
        """Roads of the largest strongly connected part of a `.osm.pbf` extract."""
        segments, _ = read_segments(path)
        return cls(contract(largest_part(segments)), traffic, start_second_of_day, max_snap_m)

    def places(self, points: ArrayLike) -> PlaceArray:
        """Put (n, 2) [lon, lat] points on the nearest streets; ids count on from those placed before."""
        given = base.checked_points(points)
        if self._snapper is None:
            self._snapper = Snapper(self.graph)
        first = len(self._table)
        self._table = self._table + self._snapper.snap(given, self.max_snap_m)
        return np.arange(first, len(self._table), dtype=np.int32)

    def matrix(self, places: PlaceArray, depart_s: float) -> tuple[IntArray, IntArray]:
        """(n, n) int64 metres and seconds for departures at `depart_s`."""
        n = len(places)
        free_flow_s, metres = self._between(places, places)
        clock_s = self.start_second_of_day + depart_s
        seconds = profile.warp(free_flow_s.ravel(), self.traffic, clock_s)
        return base.rounded(metres), base.rounded(seconds).reshape(n, n)

    def leg(self, origin: int, destination: int, depart_s: float) -> tuple[int, float]:
        """Metres (rounded) and seconds of the quickest way leaving at `depart_s`."""
        free_flow_s, metres = self._pair(int(origin), int(destination))
        clock_s = self.start_second_of_day + float(depart_s)
        return round(metres), float(profile.elapsed(clock_s, free_flow_s, self.traffic))

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
        slow = base.checked_slowdown(slowdown)
        free_flow_s, metres = np.zeros(n), np.zeros(n)
        ids = np.asarray(places).tolist()
        for k in range(1, n):
            free_flow_s[k], metres[k] = self._pair(ids[k - 1], ids[k])
        arrive_s, leave_s = np.empty(n), np.empty(n)
        if n:
            profile.follow(
                free_flow_s * slow,
                self.traffic,
                self.start_second_of_day,
                float(depart_s),
                base.floats(dwell_s),
                base.earliest_or_none(earliest_s, n),
                arrive_s,
                leave_s,
            )
        return Drive(arrive_s, leave_s, base.rounded(metres))

    def travel(self, places: PlaceArray, depart_s: float) -> tuple[Travel, FloatArray | None]:
        """Matrices for departures at `depart_s`."""
        metres, seconds = self.matrix(places, depart_s)
        return Travel.of_matrices(metres, seconds), None

    def path(self, origin: int, destination: int, depart_s: float) -> FloatArray:  # noqa: ARG002
        """The quickest way along the bends of the streets, from one point's street to the other's."""
        graph, table = self.graph, self._table
        free_flow_s, _ = self._pair(int(origin), int(destination))
        wanted = np.zeros(len(graph.lonlat), dtype=np.bool_)
        entries = table.at[destination, 2:4]
        wanted[entries[entries >= 0]] = True
        seconds, _, via = search.search(*self._edges, table.at[origin], table.cost[origin], wanted, 0.0, 1.0)
        ends = table.on_road[[origin, destination]]
        arrivals = [
            (seconds[entries[k]] + table.cost[destination, 4 + 2 * k], k) for k in range(2) if entries[k] >= 0
        ]
        quickest_s, entry = min(arrivals)
        if free_flow_s < quickest_s:  # along one edge, or the same place
            return self._within(origin, destination)
        edges: list[int] = []
        vertex, tail = int(entries[entry]), graph.tail
        while via[vertex] >= 0:
            edges.append(int(via[vertex]))
            vertex = int(tail[edges[-1]])
        out = int(np.argmin(np.where(table.at[origin, :2] == vertex, table.cost[origin, [0, 2]], np.inf)))
        pieces = [ends[:1], self._stub(origin, twin=out == 1, after=True)]
        pieces += [
            graph.bend_lonlat[graph.first_bend[edge] : graph.first_bend[edge + 1]] for edge in reversed(edges)
        ]
        pieces += [self._stub(destination, twin=entry == 1, after=False), ends[1:]]
        line = np.concatenate(pieces)
        moves = (np.diff(line, axis=0) != 0).any(axis=1)
        moves[-1] |= not moves.any()  # a line has two points, even from a place to itself
        return np.asarray(line[np.concatenate([[True], moves])])

    def components(self, places: PlaceArray) -> IntArray:
        """0 for all places on a street, which all reach each other; -1 for those too far from any."""
        return np.where(self._table.at[places, 0] >= 0, 0, -1).astype(np.int64)

    def snapping(self) -> SnapReport:
        """How far the points placed so far lay from their streets."""
        metres = self._table.snap_m
        return SnapReport.of(metres, int((metres > self.max_snap_m).sum()))

    def _within(self, origin: int, destination: int) -> FloatArray:
        """The bends between two places on one edge, along it or along its twin."""
        table = self._table
        edge = int(table.at[origin, 4])
        lo, hi = table.cost[[origin, destination], 9]
        inside = np.zeros((0, 2))
        if edge >= 0:
            bends = slice(self.graph.first_bend[edge], self.graph.first_bend[edge + 1])
            metres = self.graph.bend_m[bends]
            chosen = (metres > min(lo, hi)) & (metres < max(lo, hi))
            inside = self.graph.bend_lonlat[bends][chosen]
        ends = table.on_road[[origin, destination]]
        return np.concatenate([ends[:1], inside if lo <= hi else inside[::-1], ends[1:]])

    def _stub(self, place: int, twin: bool, after: bool) -> FloatArray:
        """The bends from a place to the end of its edge (`after`), or from the start of its edge to it."""
        edge = int(self._table.at[place, 4])
        if edge < 0:
            return np.zeros((0, 2))
        metres = self._table.cost[place, 11 if twin else 9]
        if twin:
            edge = int(self.graph.twin[edge])
        bends = slice(self.graph.first_bend[edge], self.graph.first_bend[edge + 1])
        ahead = self.graph.bend_m[bends] > metres
        return np.asarray(self.graph.bend_lonlat[bends][ahead if after else ~ahead])

    def _pair(self, origin: int, destination: int) -> tuple[float, float]:
        """Free-flow seconds and metres, remembered."""
        found = self._pairs.get((origin, destination))
        if found is None:
            seconds, metres = self._between([origin], [destination])
            found = float(seconds[0, 0]), float(metres[0, 0])
            if len(self._pairs) >= REMEMBERED_PAIRS:
                self._pairs.clear()
            self._pairs[origin, destination] = found
        return found

    def _between(self, origins: ArrayLike, destinations: ArrayLike) -> tuple[FloatArray, FloatArray]:
        start, end = np.asarray(origins, dtype=np.int64), np.asarray(destinations, dtype=np.int64)
        table = self._table
        seconds, metres = search.between(
            *self._edges, table.at[start], table.cost[start], table.at[end], table.cost[end], 0.0, 1.0
        )
        lost = np.argwhere(~np.isfinite(seconds))
        if len(lost):
            raise _unreachable(table, int(start[lost[0, 0]]), int(end[lost[0, 1]]))
        return seconds, metres


def _unreachable(table: PlaceTable, origin: int, destination: int) -> InvalidInputError:
    """The error of a pair of which one is too far from the network: the network itself is connected."""
    far = origin if table.at[origin, 0] < 0 else destination
    lon, lat = table.given[far]
    return InvalidInputError(
        [
            base.fault(
                f"place {far}",
                f"[{lon:.6f}, {lat:.6f}], {table.snap_m[far]:.0f} m from the nearest road",
                "unreachable-place",
                "lies too far from the road network",
                "move the place to a road, take a larger extract, or raise max_snap_m",
            )
        ]
    )
