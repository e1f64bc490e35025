"""Reads road graphs with 24 hourly speeds per edge: JSON, plain or gzipped (`*.road.json`, `*.road.json.gz`).

Keys: `format` (`mamut-td-road-graph`), `format_version` (1), `num_vertices`, `edges` as
`[from, to, length_m, [24 speeds in m/s]]`, and, if the file has customers, `node_vertices` (the vertex of
each, the depot first). `NAME.vrp.json` beside it gives the customers' coordinates: metres east and north
(`coordinates`) of `reference_lla`.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from logistics.roads import base
from logistics.roads.hourly_graph import HourlyGraph
from solvers.errors import Fault, InvalidInputError
from solvers.travel import FloatArray

FORMAT = "mamut-td-road-graph"
SHOWN_FAULTS = 50

WGS84_MAJOR_M = 6_378_137.0
WGS84_E2 = 6.694_379_990_14e-3


def read_hourly_graph(path: str | Path) -> HourlyGraph:
    """The graph of a file, with customers' coordinates where `NAME.vrp.json` lies beside it.

    Raises `InvalidInputError` with the faults of the file, the first 50 of each run of the checks.
    """
    file = Path(path)
    try:
        graph = _graph_of(_json_object(file))
        points = file.with_name(file.name.split(".road.json")[0] + ".vrp.json")
        if points != file and points.exists():
            graph = graph.with_customer_points(_customer_points(points, len(graph.customers)))
    except InvalidInputError as error:
        faults = error.faults
        named = [_of_file(fault, file) for fault in faults[:SHOWN_FAULTS]]
        if len(faults) > SHOWN_FAULTS:
            rest = f"{len(faults) - SHOWN_FAULTS} more faults of these kinds"
            named.append(base.fault("", "", "more-faults", rest, "mend those above first", str(file)))
        raise InvalidInputError(named) from None
    return graph


def _graph_of(data: dict[str, Any]) -> HourlyGraph:
    faults: list[Fault] = []

    def wrong(place: str, value: object, code: str, message: str, repair: str) -> None:
        shown = str(value)
        faults.append(
            base.fault(place, shown if len(shown) <= 60 else shown[:57] + "...", code, message, repair)
        )

    for key in ("format", "num_vertices", "edges"):
        if key not in data:
            wrong(key, "", "missing-key", f"the key {key} is missing", f"add {key}")
    if data.get("format", FORMAT) != FORMAT or data.get("format_version", 1) != 1:
        found = f"{data.get('format')} version {data.get('format_version')}"
        wrong("format", found, "unknown-format", "is another format", f"give {FORMAT} version 1")
    vertices = data.get("num_vertices", 0)
    if not _is_int(vertices) or vertices < 0:
        wrong("num_vertices", vertices, "bad-count", "is no count of vertices", "give an integer >= 0")
    hours = data.get("bin_edges")
    if hours is not None and hours != [3600.0 * hour for hour in range(25)]:
        wrong("bin_edges", hours, "not-hourly", "speeds are not by the hour", "give bins of 3600 s from 0")
    edges = data.get("edges", [])
    if not isinstance(edges, list):
        wrong("edges", type(edges).__name__, "bad-edge", "is no list", "give [from, to, length, speeds] rows")
        edges = []
    for k, edge in enumerate(edges):
        if not _is_edge(edge):
            wrong(f"edges[{k}]", edge, "bad-edge", "is no edge", "give [from, to, length_m, 24 speeds]")
    customers = data.get("node_vertices", [])
    if not (isinstance(customers, list) and all(_is_int(vertex) for vertex in customers)):
        wrong("node_vertices", customers, "bad-vertex", "is no list of vertices", "give integers")
    if faults:
        raise InvalidInputError(faults)
    return HourlyGraph.of_edges(
        vertices,
        [edge[0] for edge in edges],
        [edge[1] for edge in edges],
        [edge[2] for edge in edges],
        [edge[3] for edge in edges],
        customers,
    )


def _json_object(file: Path) -> dict[str, Any]:
    repair = "give a complete file, JSON or gzipped JSON"
    try:
        raw = file.read_bytes()
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        data = json.loads(text)
    except OSError as error:  # also a bad gzip header or checksum
        message, code = error.strerror or str(error), "unreadable-file"
    except (EOFError, zlib.error) as error:
        message, code = f"the gzip stream is cut or broken: {error}", "unreadable-file"
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError
        message, code = f"is no JSON: {error}", "unreadable-file"
    else:
        if isinstance(data, dict):
            return data
        message, code = "is no JSON object", "unreadable-file"
    raise InvalidInputError([base.fault("", "", code, message, repair, str(file))])


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_edge(edge: object) -> bool:
    return (
        isinstance(edge, list)
        and len(edge) == 4
        and _is_int(edge[0])
        and _is_int(edge[1])
        and _is_number(edge[2])
        and isinstance(edge[3], list)
        and len(edge[3]) == 24
        and all(_is_number(speed) for speed in edge[3])
    )


def _customer_points(file: Path, customers: int) -> FloatArray:
    data = _json_object(file)
    try:
        metres = np.array(data["coordinates"], dtype=np.float64)
        origin = data["reference_lla"]
        lon, lat = float(origin["lon"]), float(origin["lat"])
        if metres.shape != (customers, 2) or not (abs(lon) <= 180 and abs(lat) < 90):
            raise ValueError(f"{len(metres)} coordinates for {customers} customers around [{lon}, {lat}]")
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            [
                base.fault(
                    "coordinates",
                    str(error),
                    "bad-coordinates",
                    "the customers' coordinates do not fit the road graph",
                    "give coordinates [east, north] in metres for each of node_vertices, and reference_lla",
                    str(file),
                )
            ]
        ) from None
    return _lonlat(metres, lon, lat)


def _lonlat(metres: FloatArray, lon: float, lat: float) -> FloatArray:
    """[lon, lat] of metres east and north of an origin, by the ellipsoid's radii of curvature there.

    Within a city the plane departs from the ellipsoid by less than a metre.
    """
    s = math.sin(math.radians(lat))
    w = 1.0 - WGS84_E2 * s * s
    east_radius = WGS84_MAJOR_M / math.sqrt(w) * math.cos(math.radians(lat))
    north_radius = WGS84_MAJOR_M * (1.0 - WGS84_E2) / w**1.5
    return np.column_stack(
        [lon + np.degrees(metres[:, 0] / east_radius), lat + np.degrees(metres[:, 1] / north_radius)]
    )


def _of_file(fault: Fault, file: Path) -> Fault:
    if fault.file:
        return fault
    return Fault(str(file), fault.place, fault.value, fault.code, fault.message, fault.repair)
