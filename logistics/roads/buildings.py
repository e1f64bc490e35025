"""Buildings of an OpenStreetMap extract, as places to deliver to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from logistics.roads.osm_reader import import_osmium, readable
from solvers.travel import FloatArray

OUTLINE_ROLES = ("outer", "outline", "")
NO_BUILDING = frozenset({"no", "demolished", "proposed", "construction"})


@dataclass(frozen=True, slots=True, eq=False)
class Buildings:
    """`lonlat` (n, 2) float64 centroids; `tags`: of each, `building` and the `addr:` tags it has.

    Order: as in the file (points, then outlines, then multipolygons), so it is the same at every reading.
    """

    lonlat: FloatArray
    tags: Sequence[Mapping[str, str]]

    def __len__(self) -> int:
        return len(self.tags)


def read_buildings(path: str | Path) -> Buildings:
    """All buildings of a `.osm.pbf` extract: points, outlines, and relations by their outer outlines.

    Buildings of which the extract has no point are left out. Raises `InvalidInputError` for an unreadable
    file, `MissingExtraError` without osmium.
    """
    osmium = import_osmium()
    has_building = osmium.filter.KeyFilter("building")
    centroids: list[tuple[float, float]] = []
    tags: list[dict[str, str]] = []
    with readable(path):
        relations = osmium.FileProcessor(str(path), osmium.osm.RELATION).with_filter(has_building)
        members = {way for relation in relations for way in _outlines(relation)}
        outlines = osmium.FileProcessor(str(path)).with_locations()
        outlines.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        outlines.with_filter(osmium.filter.IdFilter(members))
        rings = {way.id: _points(way) for way in outlines} if members else {}
        for item in osmium.FileProcessor(str(path)).with_locations().with_filter(has_building):
            if item.tags["building"] in NO_BUILDING:
                continue
            if item.is_node():
                ring = np.array([[item.lon, item.lat]])
            elif item.is_way():
                ring = _points(item)
            else:  # of several outlines the largest speaks for the building
                known = [rings[way] for way in _outlines(item) if len(rings.get(way, ()))]
                ring = max(known, key=lambda outline: abs(_area(outline)), default=np.zeros((0, 2)))
            if len(ring):
                centroids.append(_centroid(ring))
                tags.append(
                    {tag.k: tag.v for tag in item.tags if tag.k == "building" or tag.k[:5] == "addr:"}
                )
    return Buildings(np.array(centroids, dtype=np.float64).reshape(-1, 2), tags)


def _points(way: Any) -> FloatArray:
    """The located points of an osmium way, (k, 2)."""
    located = [(ref.lon, ref.lat) for ref in way.nodes if ref.location.valid()]
    return np.array(located, dtype=np.float64).reshape(-1, 2)


def _outlines(relation: Any) -> list[int]:
    """Way numbers of the outer rings of an osmium relation."""
    return [member.ref for member in relation.members if member.type == "w" and member.role in OUTLINE_ROLES]


def _area(ring: FloatArray) -> float:
    """Signed area of a closed ring in square degrees; 0 for an open line."""
    if len(ring) < 4 or (ring[0] != ring[-1]).any():
        return 0.0
    x, y = (ring - ring[0]).T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)


def _centroid(ring: FloatArray) -> tuple[float, float]:
    """Centre of area of a closed ring (shoelace formula), or the mean of the points of anything else."""
    area = _area(ring)
    if area == 0.0:
        lon, lat = ring.mean(axis=0)
        return float(lon), float(lat)
    offset = ring - ring[0]  # near zero, so that products keep their digits
    x, y = offset.T
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    lon, lat = ring[0] + ((offset[:-1] + offset[1:]) * cross[:, None]).sum(axis=0) / (6 * area)
    return float(lon), float(lat)
