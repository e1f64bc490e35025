"""The map: sites by kind, lanes, areas, and a sample of the routes driven, without any background tiles."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from shapely.errors import GEOSException
from shapely.geometry import LineString

from logistics.scenario import Scenario
from sim.report.charts import Figure, colour
from sim.report.source import Source
from sim.routes import network_geojson
from sim.run_folder import AGAIN, ROUTES
from solvers.errors import Fault, InvalidInputError

LABELS = 16  # with more sites, only warehouses, hubs and suppliers carry their names
POINTS = 40_000  # of all routes drawn together
TOLERANCE_DEG = 0.00005  # about five metres
SYMBOLS = {
    "supplier": "triangle-up",
    "warehouse": "square",
    "hub": "diamond",
    "station": "circle",
    "locker": "cross",
    "merchant": "triangle-down",
}
ROLES = {"delivery": "solid", "collection": "dash", "drone": "dot"}


def network_map(source: Source) -> tuple[Figure, list[str], str]:
    """The figure, the stations that can be chosen in it, and a sentence on how many routes it shows."""
    features = network_geojson(Scenario.of_dump(source.run.scenario))["features"]
    data, stations, note = _routes(source)
    data += [_lanes(features), _areas(features)]
    kinds = [kind for kind in SYMBOLS if any(each["properties"]["kind"] == kind for each in features)]
    points = [each for each in features if each["properties"]["kind"] in SYMBOLS]
    for kind in kinds:
        labelled = len(points) <= LABELS or kind in ("warehouse", "hub", "supplier")
        data.append(_sites([each for each in points if each["properties"]["kind"] == kind], kind, labelled))
    latitudes = [
        each["geometry"]["coordinates"][1] for each in features if each["geometry"]["type"] == "Point"
    ]
    middle = (min(latitudes) + max(latitudes)) / 2
    layout = {
        "xaxis": {"title": {"text": "longitude"}, "zeroline": False},
        "yaxis": {
            "title": {"text": "latitude"},
            "zeroline": False,
            # a degree of longitude is shorter than one of latitude
            "scaleanchor": "x",
            "scaleratio": 1 / math.cos(math.radians(middle)),
        },
        "hovermode": "closest",
        "dragmode": "pan",
    }
    return {"data": data, "layout": layout}, stations, note


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each route."""
    try:
        with path.open(encoding="utf-8") as lines:
            yield from enumerate(islice(lines, 1, None))
    except (OSError, UnicodeDecodeError) as error:
        fault = Fault(str(path), "", "", "unreadable-file", f"cannot read it: {error}", AGAIN)
        raise InvalidInputError([fault]) from None


def _path(text: str, row: int, source: Source) -> LineString:
    try:
        return LineString(json.loads(text.rstrip().removesuffix(","))["geometry"]["coordinates"])
    except (ValueError, KeyError, TypeError, GEOSException):
        place, found = f"line {row + 2}", text.strip()[:80]
        fault = Fault(str(source.folder / ROUTES), place, found, "unreadable-file", "this is no route", AGAIN)
        raise InvalidInputError([fault]) from None


def _routes(source: Source) -> tuple[list[dict[str, Any]], list[str], str]:
    trips = source.rows(
        """
        SELECT dense_rank() OVER (ORDER BY trip) - 1 AS line, any_value(site), any_value(role), count(*)
        FROM legs GROUP BY trip ORDER BY trip
        """
    )
    local = [trip for trip in trips if trip[2] in ROLES]
    stations = sorted({site for _, site, _, _ in local})
    points = sum(count + 1 for _, _, _, count in local)
    every = max(1, math.ceil(points / POINTS))
    seen: dict[tuple[str, str], int] = {}
    chosen: dict[int, tuple[str, str]] = {}
    for line, site, role, _ in local:
        if seen.setdefault((site, role), 0) % every == 0:
            chosen[line] = site, role
        seen[site, role] += 1
    paths: dict[tuple[str, str], tuple[list[float | None], list[float | None]]] = {}
    left = 3 * POINTS  # routes along streets have more points than stops
    drawn = 0
    for row, text in _lines(source.folder / ROUTES):
        if row in chosen and left > 0:
            path = list(_path(text, row, source).simplify(TOLERANCE_DEG).coords)
            lon, lat = paths.setdefault(chosen[row], ([], []))
            lon += [*(round(point[0], 5) for point in path), None]
            lat += [*(round(point[1], 5) for point in path), None]
            left -= len(path)
            drawn += 1
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"{site} {role}",
            "x": lon,
            "y": lat,
            "line": {"color": colour(stations.index(site)), "width": 1, "dash": ROLES[role]},
            "opacity": 0.65,
            "hoverinfo": "name",
            "meta": {"station": site},
            "showlegend": len(paths) <= 24,
        }
        for (site, role), (lon, lat) in sorted(paths.items())
    ]
    note = f"Routes drawn: {drawn:,} of {len(local):,} trips"
    note += "." if drawn == len(local) else f", about every {every}th of each station."
    return data, stations, note


def _lanes(features: list[dict[str, Any]]) -> dict[str, Any]:
    lon: list[float | None] = []
    lat: list[float | None] = []
    for each in features:
        if each["properties"]["kind"] == "lane":
            for point in each["geometry"]["coordinates"]:
                lon.append(point[0])
                lat.append(point[1])
            lon.append(None)
            lat.append(None)
    line = {"color": "muted", "width": 2, "dash": "dash"}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "linehaul lanes",
        "x": lon,
        "y": lat,
        "line": line,
        "hoverinfo": "skip",
    }


def _areas(features: list[dict[str, Any]]) -> dict[str, Any]:
    areas = [each for each in features if each["properties"]["kind"] == "area"]
    return _points(areas, "areas", {"color": "muted", "size": 5, "symbol": "circle-open"}, "markers")


def _sites(sites: list[dict[str, Any]], kind: str, labelled: bool) -> dict[str, Any]:
    few = len(sites) <= LABELS
    marker = {"color": "ink", "size": 11 if few else 7, "symbol": SYMBOLS[kind], "line": {"width": 1}}
    return _points(sites, f"{kind}s", marker, "markers+text" if few and labelled else "markers")


def _points(features: list[dict[str, Any]], name: str, marker: dict[str, Any], mode: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": [each["geometry"]["coordinates"][0] for each in features],
        "y": [each["geometry"]["coordinates"][1] for each in features],
        "text": [each["properties"]["id"] for each in features],
        "textposition": "top center",
        "hovertemplate": "%{text}<extra></extra>",
        "marker": marker,
    }
