"""The network and the trips driven as GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from logistics.roads import GreatCircleRoads, Roads
from logistics.scenario import Scenario
from sim.columns import FloatArray, IntArray, counts, names, times

STREET_LEGS = 5_000  # legs that follow the streets, each a shortest path; the rest are straight lines


class Trip(NamedTuple):
    """One trip: its rows of the legs table in driving order, and its corner points, (k, 2) [lon, lat]."""

    rows: IntArray
    points: FloatArray


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


def trips(legs: pa.Table, roads: Roads | None = None) -> Iterator[Trip]:
    """Every trip in the order of its number.

    With `roads` that know streets, the first trips follow them until `STREET_LEGS` are drawn.
    """
    trip, leg = counts(legs, "trip"), counts(legs, "leg")
    order = np.lexsort((leg, trip))
    origin = np.column_stack((times(legs, "origin_lon"), times(legs, "origin_lat")))[order]
    destination = np.column_stack((times(legs, "destination_lon"), times(legs, "destination_lat")))[order]
    starts = np.flatnonzero(np.diff(trip[order], prepend=-1))
    ends = np.append(starts[1:], len(order))
    left = 0 if roads is None or isinstance(roads, GreatCircleRoads) else STREET_LEGS
    depart = times(legs, "depart_s")[order]
    for first, last in zip(starts.tolist(), ends.tolist(), strict=True):
        corners = np.vstack((origin[first : first + 1], destination[first:last]))
        left -= last - first
        if roads is not None and left >= 0:
            ids = roads.places(corners)
            corners = np.vstack(
                [
                    roads.path(int(ids[step]), int(ids[step + 1]), float(depart[first + step]))
                    for step in range(last - first)
                ]
            )
        yield Trip(order[first:last].astype(np.int64), corners)


def routes_geojson(legs: pa.Table, roads: Roads | None = None) -> str:
    """A FeatureCollection of one line per trip, one feature per line of text."""
    vehicle, kind, role = names(legs, "vehicle"), names(legs, "vehicle_kind"), names(legs, "role")
    lane, site = names(legs, "lane"), names(legs, "site")
    depart, leave = times(legs, "depart_s"), times(legs, "leave_s")
    distance, on_board, trip = counts(legs, "distance_m"), counts(legs, "parcels"), counts(legs, "trip")
    lines = []
    for rows, points in trips(legs, roads):
        row = int(rows[0])
        properties = {
            "trip": int(trip[row]),
            "vehicle": vehicle[row],
            "vehicle_kind": kind[row],
            "role": role[row],
            "lane": lane[row] if lane.codes[row] >= 0 else None,
            "site": site[row],
            "depart_s": round(float(depart[row])),
            "end_s": round(float(leave[rows[-1]])),
            "legs": len(rows),
            "distance_m": int(distance[rows].sum()),
            "parcels_max": int(on_board[rows].max()),
        }
        line = np.round(points, 6).tolist()
        lines.append(json.dumps(_feature("LineString", line, properties), separators=(",", ":")))
    return '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"


def _feature(kind: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }
