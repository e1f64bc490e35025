"""Turns road sources into graph files a scenario can name, with a map and a report of what was left out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from logistics.roads import base
from logistics.roads.graph_file import save_graph
from logistics.roads.hourly_graph import HourlyGraph, strong_components
from logistics.roads.hourly_reader import read_hourly_graph
from logistics.roads.osm_reader import read_segments
from logistics.roads.street_graph import StreetGraph, contract, largest_part
from solvers.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class RoadImport:
    """What `import_roads` wrote and left out.

    `ways_read` = `ways_used` + the sum of `ways_dropped` (by reason). `kilometres` counts each road once;
    `kilometres_cut_off` are open roads outside the largest part in which everything reaches everything.
    """

    source: str
    graph: str
    map: str
    kind: str
    vertices: int
    edges: int
    kilometres: float
    kilometres_cut_off: float
    ways_read: int
    ways_used: int
    ways_dropped: dict[str, int]
    barriers: int
    turn_restrictions_ignored: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def import_roads(source: str | Path, out: str | Path) -> RoadImport:
    """Read a `.osm.pbf` extract or a graph with hourly speeds; write `out` (.npz) and a .geojson beside it.

    Raises `InvalidInputError` for a source that cannot be read, before anything is written.
    """
    origin, target = Path(source), Path(out)
    faults = []
    if target.suffix != ".npz":
        faults.append(
            base.fault("out", str(out), "bad-suffix", "is no graph file", "give a name ending in .npz")
        )
    extract, hourly = origin.name.endswith(".pbf"), origin.name.endswith((".json", ".json.gz"))
    if not extract and not hourly:
        faults.append(
            base.fault(
                "source",
                str(source),
                "unknown-format",
                "is neither an OpenStreetMap extract nor a graph with hourly speeds",
                "give a .osm.pbf, .road.json or .road.json.gz file",
            )
        )
    if faults:
        raise InvalidInputError(faults)
    return _import_osm(origin, target) if extract else _import_hourly(origin, target)


def _import_osm(source: Path, target: Path) -> RoadImport:
    segments, counts = read_segments(source)
    connected = largest_part(segments)
    graph = contract(connected)
    save_graph(graph, target)
    chart = _write_map(target, _street_features(graph))
    return RoadImport(
        source=str(source),
        graph=str(target),
        map=str(chart),
        kind="streets",
        vertices=len(graph.lonlat),
        edges=len(graph.head),
        kilometres=round(connected.kilometres, 3),
        kilometres_cut_off=round(segments.kilometres - connected.kilometres, 3),
        ways_read=counts.highways,
        ways_used=counts.used,
        ways_dropped=counts.dropped,
        barriers=counts.barriers,
        turn_restrictions_ignored=counts.turn_restrictions,
    )


def _import_hourly(source: Path, target: Path) -> RoadImport:
    graph = read_hourly_graph(source)
    save_graph(graph, target)
    chart = _write_map(target, _customer_features(graph))
    labels = strong_components(graph.vertices, graph.tail, graph.head)
    inside = labels == np.bincount(labels).argmax() if len(labels) else labels.astype(np.bool_)
    cut_off = ~(inside[graph.tail] & inside[graph.head])
    return RoadImport(
        source=str(source),
        graph=str(target),
        map=str(chart),
        kind="hourly",
        vertices=graph.vertices,
        edges=len(graph.head),
        kilometres=round(float(graph.length_m.sum()) / 1000, 3),
        kilometres_cut_off=round(float(graph.length_m[cut_off].sum()) / 1000, 3),
        ways_read=len(graph.head),
        ways_used=len(graph.head),
        ways_dropped={},
        barriers=0,
        turn_restrictions_ignored=0,
    )


def _street_features(graph: StreetGraph) -> list[dict[str, Any]]:
    lines = graph.bend_lonlat.round(6).tolist()
    metres, seconds = graph.length_m, graph.seconds
    return [
        {
            "type": "Feature",
            "geometry": {
                "type": "LineString",
                "coordinates": lines[graph.first_bend[edge] : graph.first_bend[edge + 1]],
            },
            "properties": {
                "length_m": round(float(metres[edge]), 1),
                "free_flow_s": round(float(seconds[edge]), 1),
                "oneway": bool(graph.twin[edge] < 0),
            },
        }
        for edge in np.flatnonzero(graph.one_per_road)
    ]


def _customer_features(graph: HourlyGraph) -> list[dict[str, Any]]:
    """Such graphs have no bends; known are at most the customers' places."""
    return [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": graph.lonlat[vertex].round(6).tolist()},
            "properties": {"customer": number, "vertex": int(vertex)},
        }
        for number, vertex in enumerate(graph.customers)
        if np.isfinite(graph.lonlat[vertex, 0])
    ]


def _write_map(graph_file: Path, features: list[dict[str, Any]]) -> Path:
    chart = graph_file.with_suffix(".geojson")
    partial = chart.with_name(chart.name + ".partial")
    collection = {"type": "FeatureCollection", "features": features}
    partial.write_text(json.dumps(collection, separators=(",", ":")), encoding="utf-8")
    partial.replace(chart)
    return chart
