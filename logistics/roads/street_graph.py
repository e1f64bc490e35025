"""Street graphs: junctions joined by directed edges that keep their bends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logistics.roads.base import PlaceArray
from logistics.roads.hourly_graph import strong_components
from solvers.travel import EARTH_RADIUS_M, FloatArray, IntArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Straight pieces of road between points, as read: what a `StreetGraph` is made from.

    `lonlat` (p, 2) float64 points; `a`, `b` (s,) int64 ends of each piece; `metres` (s,); `forward_s` and
    `backward_s` (s,) free-flow seconds from a to b and from b to a, inf where not allowed (never both).
    """

    lonlat: FloatArray
    a: IntArray
    b: IntArray
    metres: FloatArray
    forward_s: FloatArray
    backward_s: FloatArray

    def only(self, keep: BoolArray) -> Segments:
        """The segments marked, on all points."""
        return Segments(
            self.lonlat,
            self.a[keep],
            self.b[keep],
            self.metres[keep],
            self.forward_s[keep],
            self.backward_s[keep],
        )

    @property
    def kilometres(self) -> float:
        return float(self.metres.sum()) / 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class StreetGraph:
    """Junctions and directed edges, sorted by tail. Points of degree two became bends of the edges.

    `lonlat` (n, 2) float64; `first_edge` (n + 1,) int32; `head` (m,) int32; `twin` (m,) int32: the edge over
    the same road the other way, -1 for one-way roads. The bends of edge k, both its ends included, are
    `first_bend[k]` to `first_bend[k + 1]` of `bend_lonlat` (b, 2), `bend_m` and `bend_s` (b,): metres and
    free-flow seconds from the edge's start.
    """

    lonlat: FloatArray
    first_edge: PlaceArray
    head: PlaceArray
    twin: PlaceArray
    first_bend: IntArray
    bend_lonlat: FloatArray
    bend_m: FloatArray
    bend_s: FloatArray

    @property
    def tail(self) -> PlaceArray:
        """(m,) int32: the vertex each edge leaves."""
        return np.repeat(np.arange(len(self.lonlat), dtype=np.int32), np.diff(self.first_edge))

    @property
    def length_m(self) -> FloatArray:
        """(m,) metres of each edge."""
        return self.bend_m[self.first_bend[1:] - 1]

    @property
    def seconds(self) -> FloatArray:
        """(m,) free-flow seconds of each edge."""
        return self.bend_s[self.first_bend[1:] - 1]

    @property
    def one_per_road(self) -> BoolArray:
        """(m,) True for one edge of each road: of twins, the one with the lower number."""
        return (self.twin < 0) | (np.arange(len(self.twin)) < self.twin)


def great_circle_m(start: FloatArray, end: FloatArray) -> FloatArray:
    """Metres between paired [lon, lat] points, both (n, 2), on the sphere (haversine)."""
    lon1, lat1, lon2, lat2 = np.radians([start[:, 0], start[:, 1], end[:, 0], end[:, 1]])
    h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(1.0, h))))


def largest_part(segments: Segments) -> Segments:
    """The segments of the largest strongly connected component: from anywhere there, anywhere is reached."""
    forward, backward = np.isfinite(segments.forward_s), np.isfinite(segments.backward_s)
    tail = np.concatenate([segments.a[forward], segments.b[backward]])
    head = np.concatenate([segments.b[forward], segments.a[backward]])
    labels = strong_components(len(segments.lonlat), tail, head)
    largest = np.bincount(labels).argmax()
    inside = (labels[segments.a] == largest) & (labels[segments.b] == largest)
    return segments.only(inside)


def contract(segments: Segments) -> StreetGraph:
    """The street graph of strongly connected segments.

    Travel times do not change by it: a point is only made a bend where exactly two segments meet and either
    both are two-way or one leads in and the other out. A ring without junction keeps one of its points.
    """
    oriented = _one_ways_forward(segments)
    two_way = np.isfinite(oriented.backward_s)
    is_bend = _bends(oriented, two_way)
    chains = _chains(oriented, is_bend)

    junctions = np.unique(np.array([end for points, _, _ in chains for end in (points[0], points[-1])]))
    number = np.full(len(oriented.lonlat), -1, dtype=np.int64)
    number[junctions] = np.arange(len(junctions))
    runs: list[tuple[IntArray, FloatArray, FloatArray]] = []  # points, metres and seconds between them
    twins: list[int] = []
    for points, pieces, along in chains:
        metres = oriented.metres[pieces]
        ahead = np.where(along, oriented.forward_s[pieces], oriented.backward_s[pieces])
        back = np.where(along, oriented.backward_s[pieces], oriented.forward_s[pieces])
        can_go, can_return = bool(np.isfinite(ahead).all()), bool(np.isfinite(back).all())
        if can_go:
            twins.append(len(runs) + 1 if can_return else -1)
            runs.append((points, metres, ahead))
        if can_return:
            twins.append(len(runs) - 1 if can_go else -1)
            runs.append((points[::-1], metres[::-1], back[::-1]))
    return _assemble(oriented.lonlat, junctions, number, runs, np.array(twins, dtype=np.int64))


def _assemble(
    lonlat: FloatArray,
    junctions: IntArray,
    number: IntArray,
    runs: list[tuple[IntArray, FloatArray, FloatArray]],
    twins: IntArray,
) -> StreetGraph:
    edges_at = np.zeros(len(junctions) + 1, dtype=np.int32)
    tail = np.array([number[points[0]] for points, _, _ in runs], dtype=np.int64)
    edges_at[1:] = np.cumsum(np.bincount(tail, minlength=len(junctions)))
    order = np.argsort(tail, kind="stable")
    place_of = np.empty(len(runs), dtype=np.int64)
    place_of[order] = np.arange(len(runs))
    ordered = [runs[k] for k in order]
    zero = np.zeros(1)
    return StreetGraph(
        lonlat=lonlat[junctions],
        first_edge=edges_at,
        head=np.array([number[points[-1]] for points, _, _ in ordered], dtype=np.int32),
        twin=np.where(twins >= 0, place_of[twins], -1)[order].astype(np.int32),
        first_bend=np.cumsum([0] + [len(points) for points, _, _ in ordered]).astype(np.int64),
        bend_lonlat=lonlat[np.concatenate([points for points, _, _ in ordered])],
        bend_m=np.concatenate([np.concatenate([zero, np.cumsum(metres)]) for _, metres, _ in ordered]),
        bend_s=np.concatenate([np.concatenate([zero, np.cumsum(seconds)]) for _, _, seconds in ordered]),
    )


def _one_ways_forward(segments: Segments) -> Segments:
    """The same segments, those open only from b to a turned round."""
    turn = ~np.isfinite(segments.forward_s)
    return Segments(
        segments.lonlat,
        np.where(turn, segments.b, segments.a),
        np.where(turn, segments.a, segments.b),
        segments.metres,
        np.where(turn, segments.backward_s, segments.forward_s),
        np.where(turn, segments.forward_s, segments.backward_s),
    )


def _bends(segments: Segments, two_way: BoolArray) -> BoolArray:
    """(p,) True for the points that are no junctions."""
    n = len(segments.lonlat)
    both = np.bincount(np.concatenate([segments.a[two_way], segments.b[two_way]]), minlength=n)
    leaving = np.bincount(segments.a[~two_way], minlength=n)
    entering = np.bincount(segments.b[~two_way], minlength=n)
    only_two_way = (both == 2) & (leaving + entering == 0)
    through = (both == 0) & (leaving == 1) & (entering == 1)
    return np.asarray(only_two_way | through)


def _chains(segments: Segments, is_bend: BoolArray) -> list[tuple[IntArray, IntArray, BoolArray]]:
    """Runs of segments from junction to junction: points, segments, and whether each goes from a to b."""
    count = len(segments.a)
    ends = np.concatenate([segments.a, segments.b])
    order = np.argsort(ends, kind="stable")
    at_point = (order % count).tolist()
    first = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=len(is_bend)))]).tolist()
    a, b, bend = segments.a.tolist(), segments.b.tolist(), is_bend.tolist()
    seen = [False] * count

    def walk(start: int, piece: int) -> tuple[IntArray, IntArray, BoolArray]:
        points, pieces, along = [start], [], []
        while True:
            seen[piece] = True
            forward = a[piece] == points[-1]
            pieces.append(piece)
            along.append(forward)
            points.append(b[piece] if forward else a[piece])
            here = points[-1]
            if not bend[here] or here == start:
                return np.array(points), np.array(pieces), np.array(along)
            one, other = at_point[first[here]], at_point[first[here] + 1]
            piece = other if one == piece else one

    chains = [
        walk(point, piece)
        for point in np.unique(ends[~is_bend[ends]]).tolist()
        for piece in at_point[first[point] : first[point + 1]]
        if not seen[piece]
    ]
    # What is left are rings on which every point is a bend.
    chains += [walk(a[piece], piece) for piece in range(count) if not seen[piece]]
    return chains
