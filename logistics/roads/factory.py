"""Roads from the plain values of a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from logistics.roads import base
from logistics.roads.base import Roads
from logistics.roads.graph_file import load_graph
from logistics.roads.great_circle import GreatCircleRoads
from logistics.roads.hourly_graph import HourlyGraph, HourlyGraphRoads
from logistics.roads.hourly_reader import read_hourly_graph
from logistics.roads.osm import OsmRoads
from logistics.roads.osm_reader import read_segments
from logistics.roads.street_graph import StreetGraph, contract, largest_part
from solvers.errors import InvalidInputError
from solvers.travel import FloatArray

KINDS = ("great-circle", "osm", "hourly-graph", "graph")


def load_roads(
    kind: str,
    *,
    path: str | Path | None = None,
    detour_factor: float = 1.3,
    speeds_mps: float | Sequence[float] | FloatArray | None = None,
    start_second_of_day: float = 0.0,
    max_snap_m: float = 1000.0,
) -> Roads:
    """Roads of one of `KINDS`; files are parsed once per process and version of the file.

    `speeds_mps` (one or 24 from local midnight) are the speeds of great-circle roads. On streets (`osm`, and
    a `graph` made from an extract) the map's own speeds hold, and these count relative to their fastest hour:
    half the speed at eight o'clock is half the free-flow speed on every street. A graph with hourly speeds
    takes none. Raises `InvalidInputError` with all faults of these arguments or of the file.
    """
    if kind not in KINDS:
        raise _invalid("kind", kind, "unknown-kind", "is no kind of roads", f"use one of {', '.join(KINDS)}")
    if kind == "great-circle":
        if speeds_mps is None:
            raise _invalid("speeds_mps", "", "missing-key", "great-circle roads need speeds", "give 1 or 24")
        return GreatCircleRoads(detour_factor, speeds_mps, start_second_of_day)
    if path is None:
        raise _invalid("path", "", "missing-key", f"roads of kind {kind} need a file", "give its path")
    graph = _graph(kind, Path(path))
    if isinstance(graph, HourlyGraph):
        if speeds_mps is not None:
            raise _invalid(
                "speeds_mps", "", "unused-key", "this graph has its own hourly speeds", "leave the speeds out"
            )
        return HourlyGraphRoads(graph, start_second_of_day, max_snap_m)
    speeds = base.hourly_profile(1.0 if speeds_mps is None else speeds_mps, "speeds_mps")
    return OsmRoads(graph, speeds / speeds.max(), start_second_of_day, max_snap_m)


def _graph(kind: str, path: Path) -> StreetGraph | HourlyGraph:
    try:
        version = path.stat()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInputError(
            [base.fault("", "", "missing-file", f"cannot be read: {reason}", "correct the path", str(path))]
        ) from error
    return _parsed(kind, path.resolve(), version.st_mtime_ns, version.st_size)


@lru_cache(maxsize=4)
def _parsed(kind: str, path: Path, modified_ns: int, size: int) -> StreetGraph | HourlyGraph:  # noqa: ARG001
    # The time and size of the file are part of the key: a file written anew is read anew.
    if kind == "osm":
        segments, _ = read_segments(path)
        return contract(largest_part(segments))
    return read_hourly_graph(path) if kind == "hourly-graph" else load_graph(path)


def _invalid(place: str, value: str, code: str, message: str, repair: str) -> InvalidInputError:
    return InvalidInputError([base.fault(place, value, code, message, repair)])
