"""Points put on the nearest road of a street graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logistics.roads.base import PlaceArray
from logistics.roads.street_graph import StreetGraph, great_circle_m
from solvers.travel import EARTH_RADIUS_M, FloatArray, IntArray

AT_A_JUNCTION_M = 0.01
AT, COST = 5, 12  # columns of the place tables, see kernels/search.py


@dataclass(frozen=True, slots=True, eq=False)
class PlaceTable:
    """Places on a street graph, one row each: `at` and `cost` as kernels/search.py defines them, the points
    as given, the points on the road, and the metres between the two."""

    at: PlaceArray
    cost: FloatArray
    given: FloatArray
    on_road: FloatArray
    snap_m: FloatArray

    @classmethod
    def empty(cls) -> PlaceTable:
        return cls(
            np.zeros((0, AT), np.int32), np.zeros((0, COST)), np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0)
        )

    def __len__(self) -> int:
        return len(self.at)

    def __add__(self, other: PlaceTable) -> PlaceTable:
        return PlaceTable(
            np.concatenate([self.at, other.at]),
            np.concatenate([self.cost, other.cost]),
            np.concatenate([self.given, other.given]),
            np.concatenate([self.on_road, other.on_road]),
            np.concatenate([self.snap_m, other.snap_m]),
        )


class Snapper:
    """Finds the nearest road of each point, with an R-tree over all straight pieces of the graph."""

    def __init__(self, graph: StreetGraph) -> None:
        import shapely  # a third of a second, which scenarios without streets need not spend

        self._points_of = shapely.points
        self._graph = graph
        bends = np.diff(graph.first_bend)
        edge_of_bend = np.repeat(np.arange(len(bends)), bends)
        starts = graph.one_per_road[edge_of_bend]
        starts[graph.first_bend[1:] - 1] = False
        self._bend: IntArray = np.flatnonzero(starts)
        self._edge: IntArray = edge_of_bend[self._bend]
        flat = _mercator(graph.bend_lonlat)
        self._start, self._end = flat[self._bend], flat[self._bend + 1]
        self._tree = shapely.STRtree(shapely.linestrings(np.stack([self._start, self._end], axis=1)))

    def snap(self, points: FloatArray, max_snap_m: float) -> PlaceTable:
        """(n, 2) [lon, lat] points as places; those further than `max_snap_m` from a road have no exits."""
        graph = self._graph
        flat = _mercator(points)
        nearest = self._tree.nearest(self._points_of(flat))
        start, along = self._start[nearest], self._end[nearest] - self._start[nearest]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = ((flat - start) * along).sum(axis=1) / (along * along).sum(axis=1)
        share = np.clip(np.nan_to_num(share), 0.0, 1.0)
        bend, edge = self._bend[nearest], self._edge[nearest]

        def between(values: FloatArray) -> FloatArray:
            weight = share if values.ndim == 1 else share[:, None]
            inner = values[bend] + weight * (values[bend + 1] - values[bend])
            # Exact at both ends, so that a point of the map keeps its place.
            return np.asarray(np.where(weight < 1.0, inner, values[bend + 1]))

        metres, seconds = between(graph.bend_m), between(graph.bend_s)
        on_road = between(graph.bend_lonlat)
        snap_m = great_circle_m(points, on_road)
        at, cost = self._rows(edge, metres, seconds)
        at[snap_m > max_snap_m] = -1
        return PlaceTable(at, cost, points, on_road, snap_m)

    def _rows(self, edge: IntArray, metres: FloatArray, seconds: FloatArray) -> tuple[PlaceArray, FloatArray]:
        graph = self._graph
        length, total = graph.length_m[edge], graph.seconds[edge]
        head, tail, twin = graph.head[edge], graph.tail[edge], graph.twin[edge]
        paired = twin >= 0
        at = np.full((len(edge), AT), -1, dtype=np.int32)
        cost = np.zeros((len(edge), COST))
        # Along the edge: out by its end, in by its start. The twin's start is the edge's end.
        at[:, 0], cost[:, 0], cost[:, 1] = head, total - seconds, length - metres
        at[:, 2], cost[:, 4], cost[:, 5] = tail, seconds, metres
        at[:, 4], cost[:, 8], cost[:, 9] = edge, seconds, metres
        back_m = np.where(paired, length - metres, np.inf)
        back_s = _seconds_at(graph, twin, back_m)
        to_tail_s = np.where(paired, graph.seconds[twin], np.inf) - np.where(paired, back_s, 0.0)
        at[paired, 1], cost[:, 2], cost[:, 3] = tail[paired], to_tail_s, metres
        at[paired, 3], cost[:, 6], cost[:, 7] = head[paired], back_s, length - metres
        cost[:, 10], cost[:, 11] = back_s, back_m

        start = metres <= AT_A_JUNCTION_M
        junction = start | (length - metres <= AT_A_JUNCTION_M)
        at[junction] = -1
        at[junction, 0] = at[junction, 2] = np.where(start, tail, head)[junction]
        cost[junction] = 0.0
        return at, cost


def _seconds_at(graph: StreetGraph, edge: PlaceArray, metres: FloatArray) -> FloatArray:
    """Seconds from the start of each edge to the point `metres` along it; inf where there is no edge."""
    seconds = np.full(len(edge), np.inf)
    for k in np.flatnonzero(edge >= 0):
        lo, hi = graph.first_bend[edge[k]], graph.first_bend[edge[k] + 1]
        seconds[k] = np.interp(metres[k], graph.bend_m[lo:hi], graph.bend_s[lo:hi])
    return seconds


def _mercator(lonlat: FloatArray) -> FloatArray:
    # Conformal: near a point all directions stretch alike, so the nearest road is the nearest on the ground.
    lat = np.radians(np.clip(lonlat[:, 1], -89.0, 89.0))
    return EARTH_RADIUS_M * np.column_stack([np.radians(lonlat[:, 0]), np.log(np.tan(np.pi / 4 + lat / 2))])
