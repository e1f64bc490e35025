"""The network and the trips driven as GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from logistics.roads import GreatCircleRoads, Roads
from logistics.scenario import Scenario
from sim.columns import FloatArray, IntArray, counts, names, times

STREET_LEGS = 5_000  # legs that follow the streets, each a shortest path; the rest are straight lines


def network_geojson(scenario: Scenario) -> dict[str, Any]:
    """Sites and areas as points, lanes as lines, each with its kind and its main properties."""
    at = {site.id: [site.lon, site.lat] for site in scenario.sites}
    features = [
        _feature("Point", at[site.id], {"id": site.id, "kind": site.kind, "docks": site.docks})
        for site in scenario.sites
    ]
    features += [
        _feature(
            "Point",
            [area.lon, area.lat],
            {"id": area.id, "kind": "area", "station": area.station, "radius_m": area.radius_m},
        )
        for area in scenario.areas
    ]
    features += [
        _feature(
            "LineString",
            [at[lane.origin], at[lane.destination]],
            {
                "id": lane.id,
                "kind": "lane",
                "origin": lane.origin,
                "destination": lane.destination,
                "vehicle": lane.vehicle,
                "departures_per_day": len(lane.departures) * lane.trucks,
            },
        )
        for lane in scenario.lanes
    ]
    return {"type": "FeatureCollection", "features": features}


def routes_geojson(legs: pa.Table, roads: Roads | None = None) -> str:
    """A FeatureCollection of one line per trip, in the order of trip numbers, one feature per line of text.

    With `roads` that know streets, the first trips follow them until `STREET_LEGS` are drawn.
    """
    trip = counts(legs, "trip")
    order = np.lexsort((counts(legs, "leg"), trip))
    if not len(trip):
        return '{"type":"FeatureCollection","features":[]}\n'
    legs, trip = legs.take(pa.array(order)), trip[order]
    starts = np.flatnonzero(np.diff(trip, prepend=-1))
    ends = np.append(starts, len(trip))[1:]
    words = {
        column: [None if code < 0 else named.names[code] for code in named.codes[starts].tolist()]
        for column in ("vehicle", "vehicle_kind", "role", "lane", "site")
        for named in [names(legs, column)]
    }
    depart, leave = times(legs, "depart_s")[starts], times(legs, "leave_s")[ends - 1]
    metres, most = counts(legs, "distance_m"), counts(legs, "parcels")
    lines = []
    for row, line in enumerate(_lines(legs, starts, ends, roads)):
        first, last = starts[row], ends[row]
        properties = {
            "trip": int(trip[first]),
            **{column: values[row] for column, values in words.items()},
            "depart_s": round(float(depart[row])),
            "end_s": round(float(leave[row])),
            "legs": int(last - first),
            "distance_m": int(metres[first:last].sum()),
            "parcels_max": int(most[first:last].max()),
        }
        lines.append(
            f'{{"type":"Feature","geometry":{{"type":"LineString","coordinates":[{line}]}},'
            f'"properties":{json.dumps(properties, separators=(",", ":"))}}}'
        )
    return '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"


def _lines(legs: pa.Table, starts: IntArray, ends: IntArray, roads: Roads | None) -> Iterator[str]:
    """The points of each trip as JSON, without the outer brackets."""
    origin = np.column_stack((times(legs, "origin_lon"), times(legs, "origin_lat")))
    destination = np.column_stack((times(legs, "destination_lon"), times(legs, "destination_lat")))
    depart = times(legs, "depart_s")
    heads, tails = _points(origin[starts]), _points(destination)
    left = 0 if roads is None or isinstance(roads, GreatCircleRoads) else STREET_LEGS
    for row, (first, last) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        left -= last - first
        if roads is None or left < 0:
            yield ",".join([heads[row], *tails[first:last]])
        else:
            ids = roads.places(np.vstack((origin[first : first + 1], destination[first:last])))
            streets = [
                roads.path(int(ids[step]), int(ids[step + 1]), float(depart[first + step]))
                for step in range(last - first)
            ]
            yield ",".join(_points(np.vstack(streets)))


def _points(points: FloatArray) -> list[str]:
    return [f"[{lon!r},{lat!r}]" for lon, lat in np.round(points, 6).tolist()]


def _feature(kind: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }
