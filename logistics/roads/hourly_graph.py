"""Graphs whose edges have 24 hourly speeds, and quickest ways on them that depend on the departure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from logistics.roads import base
from logistics.roads.base import Drive, PlaceArray, SnapReport
from logistics.roads.kernels import search
from solvers.errors import InvalidInputError
from solvers.travel import EARTH_RADIUS_M, FloatArray, IntArray, Travel


@dataclass(frozen=True, slots=True, eq=False)
class HourlyGraph:
    """Directed edges sorted by tail; vertices have numbers and perhaps coordinates.

    `first_edge` (n + 1,) int32: edges of vertex v are `first_edge[v]` to `first_edge[v + 1]`.
    `head` (m,) int32; `length_m` (m,) float64; `speeds_mps` (m, 24) float64 from local midnight.
    `customers` (c,) int32: the vertex of each customer, the depot first, where the file tells.
    `lonlat` (n, 2) float64: NaN where unknown.
    """

    first_edge: PlaceArray
    head: PlaceArray
    length_m: FloatArray
    speeds_mps: FloatArray
    customers: PlaceArray
    lonlat: FloatArray

    @classmethod
    def of_edges(
        cls,
        vertices: int,
        tail: ArrayLike,
        head: ArrayLike,
        length_m: ArrayLike,
        speeds_mps: ArrayLike,
        customers: ArrayLike = (),
    ) -> HourlyGraph:
        """A graph from edges in any order. Raises `InvalidInputError` naming every bad edge and customer."""
        tails, heads = np.asarray(tail, dtype=np.int64), np.asarray(head, dtype=np.int64)
        lengths = np.asarray(length_m, dtype=np.float64)
        speeds = np.asarray(speeds_mps, dtype=np.float64).reshape(len(tails), 24)
        stops = np.asarray(customers, dtype=np.int64)
        checks = [
            ("edges", (tails < 0) | (tails >= vertices), tails, "unknown-vertex", "starts at no vertex"),
            ("edges", (heads < 0) | (heads >= vertices), heads, "unknown-vertex", "ends at no vertex"),
            ("edges", ~(np.isfinite(lengths) & (lengths >= 0)), lengths, "bad-length", "length below 0"),
            ("edges", ~_positive(speeds).all(axis=1), speeds.min(axis=1), "bad-speed", "speed not above 0"),
            ("node_vertices", (stops < 0) | (stops >= vertices), stops, "unknown-vertex", "is no vertex"),
        ]
        repairs = {
            "unknown-vertex": f"use vertices 0 to {vertices - 1}",
            "bad-length": "give metres, 0 or more",
            "bad-speed": "give 24 speeds in metres per second, all above 0",
        }
        faults = [
            base.fault(f"{name}[{k}]", f"{values[k]:g}", code, message, repairs[code])
            for name, bad, values, code, message in checks
            for k in np.flatnonzero(bad)
        ]
        if faults:
            raise InvalidInputError(faults)
        order = np.argsort(tails, kind="stable")
        counts = np.bincount(tails, minlength=vertices)
        return cls(
            first_edge=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            head=heads[order].astype(np.int32),
            length_m=lengths[order],
            speeds_mps=np.ascontiguousarray(speeds[order]),
            customers=stops.astype(np.int32),
            lonlat=np.full((vertices, 2), np.nan),
        )

    @property
    def vertices(self) -> int:
        return len(self.first_edge) - 1

    @property
    def tail(self) -> PlaceArray:
        """(m,) int32: the vertex each edge leaves."""
        return np.repeat(np.arange(self.vertices, dtype=np.int32), np.diff(self.first_edge))

    def with_customer_points(self, lonlat: FloatArray) -> HourlyGraph:
        """The same graph with the coordinates of its customers' vertices, (c, 2) [lon, lat]."""
        known = self.lonlat.copy()
        known[self.customers] = lonlat
        return replace(self, lonlat=known)


class HourlyGraphRoads:
    """Quickest ways on an `HourlyGraph`. Place ids are vertex numbers; -1 is a point too far away."""

    name = "hourly-graph"

    def __init__(
        self, graph: HourlyGraph, start_second_of_day: float = 0.0, max_snap_m: float = 1000.0
    ) -> None:
        self.graph = graph
        self.start_second_of_day = float(start_second_of_day)
        self.max_snap_m = float(max_snap_m)
        self._row = np.arange(len(graph.head), dtype=np.int32)
        self._known = np.flatnonzero(np.isfinite(graph.lonlat[:, 0])).astype(np.int32)
        self._tree = _tree(graph.lonlat[self._known]) if len(self._known) else None
        self._labels: IntArray | None = None
        self._snapped_m: list[FloatArray] = []

    def places(self, points: ArrayLike) -> PlaceArray:
        """The nearest vertices with known coordinates; -1 for points further than `max_snap_m`.

        Raises `InvalidInputError` where the graph knows no coordinates at all.
        """
        given = base.checked_points(points)
        if self._tree is None:
            raise InvalidInputError(
                [
                    base.fault(
                        "points",
                        "",
                        "no-coordinates",
                        "this road graph has no coordinates to snap to",
                        "use vertex numbers, or give the customers' file beside the graph",
                    )
                ]
            )
        chord, nearest = self._tree.query(_unit_vectors(given))
        metres = 2.0 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, np.asarray(chord) / 2.0))
        self._snapped_m.append(metres)
        return np.where(metres <= self.max_snap_m, self._known[nearest], -1).astype(np.int32)

    def at_vertices(self, vertices: ArrayLike) -> PlaceArray:
        """Places by vertex number. Raises `InvalidInputError` naming each number that is no vertex."""
        given = np.asarray(vertices, dtype=np.int64)
        faults = [
            base.fault(
                f"vertices[{k}]",
                str(given[k]),
                "unknown-vertex",
                "is no vertex of this road graph",
                f"use vertices 0 to {self.graph.vertices - 1}",
            )
            for k in np.flatnonzero((given < 0) | (given >= self.graph.vertices))
        ]
        if faults:
            raise InvalidInputError(faults)
        return given.astype(np.int32)

    def matrix(self, places: PlaceArray, depart_s: float) -> tuple[IntArray, IntArray]:
        """(n, n) int64 metres and seconds for departures at `depart_s`: n searches."""
        seconds, metres = self._between(places, places, depart_s, 1.0)
        return base.rounded(metres), base.rounded(seconds)

    def leg(self, origin: int, destination: int, depart_s: float) -> tuple[int, float]:
        """Metres (rounded) and seconds of the quickest way leaving at `depart_s`."""
        seconds, metres = self._between([origin], [destination], depart_s, 1.0)
        return round(float(metres[0, 0])), float(seconds[0, 0])

    def drive(
        self,
        places: PlaceArray,
        depart_s: float,
        dwell_s: FloatArray,
        earliest_s: FloatArray | None = None,
        slowdown: float = 1.0,
    ) -> Drive:
        """Follow a route of n places, each leg quickest for its own departure; see `Roads.drive`."""
        n = len(places)
        slow = base.checked_slowdown(slowdown)
        earliest = base.earliest_or_none(earliest_s, n)
        arrive_s, leave_s = np.full(n, float(depart_s)), np.full(n, float(depart_s))
        distance_m = np.zeros(n)
        for k in range(1, n):
            seconds, metres = self._between(places[k - 1 : k], places[k : k + 1], leave_s[k - 1], slow)
            distance_m[k] = metres[0, 0]
            arrive_s[k] = leave_s[k - 1] + seconds[0, 0]
            leave_s[k] = max(arrive_s[k], earliest[k]) + dwell_s[k]
        return Drive(arrive_s, leave_s, base.rounded(distance_m))

    def travel(self, places: PlaceArray, depart_s: float) -> tuple[Travel, FloatArray | None]:
        """Matrices for departures at `depart_s`."""
        metres, seconds = self.matrix(places, depart_s)
        return Travel.of_matrices(metres, seconds), None

    def path(self, origin: int, destination: int, depart_s: float) -> FloatArray:
        """The vertices of known coordinates along the quickest way, in order."""
        graph = self.graph
        wanted = np.zeros(graph.vertices, dtype=np.bool_)
        wanted[destination] = True
        at, cost = self._rows([origin])
        seconds, _, via = search.search(
            *self._edges(), at[0], cost[0], wanted, self.start_second_of_day + depart_s, 1.0
        )
        if not np.isfinite(seconds[destination]):
            raise base.unreachable(origin, destination)
        tail = graph.tail
        vertices = [int(destination)]
        while vertices[-1] != origin:
            vertices.append(int(tail[via[vertices[-1]]]))
        points = graph.lonlat[vertices[::-1]]
        return points[np.isfinite(points[:, 0])]

    def components(self, places: PlaceArray) -> IntArray:
        """(n,) labels of strongly connected components; -1 for places too far away."""
        if self._labels is None:
            self._labels = strong_components(self.graph.vertices, self.graph.tail, self.graph.head)
        ids = np.asarray(places, dtype=np.int64)
        return np.where(ids >= 0, self._labels[ids], -1)

    def snapping(self) -> SnapReport:
        """How far the points placed so far lay from their vertices."""
        metres = np.concatenate(self._snapped_m) if self._snapped_m else np.zeros(0)
        return SnapReport.of(metres, int((metres > self.max_snap_m).sum()))

    def _edges(
        self,
    ) -> tuple[PlaceArray, PlaceArray, FloatArray, FloatArray, PlaceArray, FloatArray]:
        graph = self.graph
        return graph.first_edge, graph.head, graph.length_m, graph.length_m, self._row, graph.speeds_mps

    def _rows(self, places: ArrayLike) -> tuple[PlaceArray, FloatArray]:
        ids = np.asarray(places, dtype=np.int32)
        at = np.full((len(ids), 5), -1, dtype=np.int32)
        at[:, 0] = ids
        at[:, 2] = ids
        return at, np.zeros((len(ids), 12))

    def _between(
        self, origins: ArrayLike, destinations: ArrayLike, depart_s: float, slowdown: float
    ) -> tuple[FloatArray, FloatArray]:
        from_at, from_cost = self._rows(origins)
        to_at, to_cost = self._rows(destinations)
        clock_s = self.start_second_of_day + float(depart_s)
        seconds, metres = search.between(
            *self._edges(), from_at, from_cost, to_at, to_cost, clock_s, slowdown
        )
        lost = np.argwhere(~np.isfinite(seconds))
        if len(lost):
            raise base.unreachable(int(from_at[lost[0, 0], 0]), int(to_at[lost[0, 1], 0]))
        return seconds, metres


def strong_components(vertices: int, tail: PlaceArray, head: PlaceArray) -> IntArray:
    """(vertices,) int64 label of each vertex's strongly connected component."""
    # Half a second to import, which scenarios without a graph need not spend.
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = coo_matrix((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(vertices, vertices))
    _, labels = connected_components(edges.tocsr(), directed=True, connection="strong")
    return np.asarray(labels, dtype=np.int64)


def _positive(values: FloatArray) -> np.ndarray:
    return np.isfinite(values) & (values > 0)


def _tree(lonlat: FloatArray) -> Any:
    from scipy.spatial import cKDTree  # see `strong_components`

    return cKDTree(_unit_vectors(lonlat))


def _unit_vectors(lonlat: FloatArray) -> FloatArray:
    lon, lat = np.radians(lonlat[:, 0]), np.radians(lonlat[:, 1])
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
