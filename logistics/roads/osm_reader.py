"""Reads the roads of an OpenStreetMap extract (`.osm.pbf`). Needs the package osmium (extra `osm`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from logistics.roads import base
from logistics.roads.osm_rules import blocks, directions
from logistics.roads.street_graph import Segments, great_circle_m
from solvers.errors import InvalidInputError, MissingExtraError

KMH_TO_MPS = 1 / 3.6


@dataclass(frozen=True, slots=True)
class OsmCounts:
    """What was read of an extract: `highways` = `used` + all of `dropped` (ways by reason)."""

    highways: int
    used: int
    dropped: dict[str, int]
    barriers: int  # points at which roads were cut
    turn_restrictions: int  # read but not obeyed


@dataclass(slots=True)
class _Collected:
    """Points in the order of the ways, and per way part: its number of points and speeds both ways."""

    nodes: list[int] = field(default_factory=list)
    lon: list[float] = field(default_factory=list)
    lat: list[float] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    forward_kmh: list[float] = field(default_factory=list)
    backward_kmh: list[float] = field(default_factory=list)

    def add(self, part: list[tuple[int, float, float]], speeds: tuple[float, float]) -> None:
        for node, lon, lat in part:
            self.nodes.append(node)
            self.lon.append(lon)
            self.lat.append(lat)
        self.parts.append(len(part))
        self.forward_kmh.append(speeds[0])
        self.backward_kmh.append(speeds[1])

    def segments(self) -> Segments:
        _, first, index = np.unique(
            np.array(self.nodes, dtype=np.int64), return_index=True, return_inverse=True
        )
        lonlat = np.column_stack([self.lon, self.lat])[first]
        counts = np.array(self.parts, dtype=np.int64)
        starts = np.ones(len(self.nodes), dtype=np.bool_)
        starts[np.cumsum(counts) - 1] = False  # a part's last point starts no segment
        begin = np.flatnonzero(starts)
        a, b = index[begin], index[begin + 1]
        part = np.repeat(np.arange(len(counts)), counts - 1)
        metres = great_circle_m(lonlat[a], lonlat[b])
        forward = np.array(self.forward_kmh)[part] * KMH_TO_MPS
        backward = np.array(self.backward_kmh)[part] * KMH_TO_MPS
        moves = a != b
        with np.errstate(divide="ignore", invalid="ignore"):
            forward_s = np.where(forward > 0, metres / forward, np.inf)
            backward_s = np.where(backward > 0, metres / backward, np.inf)
        return Segments(lonlat, a, b, metres, forward_s, backward_s).only(moves)


def read_segments(path: str | Path) -> tuple[Segments, OsmCounts]:
    """All segments that vans may use, and what was left out.

    Ways are cut at barriers closed to motor vehicles and where the extract lacks a point. Raises
    `InvalidInputError` for an unreadable file or one without roads, `MissingExtraError` without osmium.
    """
    osmium = import_osmium()
    collected = _Collected()
    dropped: Counter[str] = Counter()
    blocked: set[int] = set()
    cut_ends = highways = restrictions = 0
    with readable(path):
        filtered = osmium.filter.KeyFilter("highway", "barrier", "restriction")
        for item in osmium.FileProcessor(str(path)).with_locations().with_filter(filtered):
            if item.is_node():
                if blocks(item.tags):
                    blocked.add(item.id)
                continue
            if not item.is_way():
                restrictions += "restriction" in item.tags
                continue
            if "highway" not in item.tags:
                continue
            highways += 1
            speeds = directions(item.tags)
            if isinstance(speeds, str):
                dropped[speeds] += 1
                continue
            parts, cut_ends = _parts(item.nodes, blocked, cut_ends)
            for part in parts:
                collected.add(part, speeds)
            if not parts:
                dropped["points missing from the extract"] += 1
    used = highways - dropped.total()
    if not used:
        raise InvalidInputError(
            [
                base.fault(
                    "",
                    f"{highways} ways",
                    "no-roads",
                    "has no road open to vans",
                    "take another extract",
                    str(path),
                )
            ]
        )
    counts = OsmCounts(highways, used, dict(sorted(dropped.items())), len(blocked), restrictions)
    return collected.segments(), counts


def _parts(refs: Any, blocked: set[int], cut_ends: int) -> tuple[list[list[tuple[int, float, float]]], int]:
    """The runs (from osmium's node references) of two or more located points of a way, cut at barriers.

    Each side of a cut gets a point of its own, numbered -1, -2, … by `cut_ends`, so that no way leads past.
    """
    parts: list[list[tuple[int, float, float]]] = []
    run: list[tuple[int, float, float]] = []
    for ref in refs:
        if not ref.location.valid():
            parts.append(run)
            run = []
        elif ref.ref in blocked:
            run.append((-1 - cut_ends, ref.lon, ref.lat))
            parts.append(run)
            run = [(-2 - cut_ends, ref.lon, ref.lat)]
            cut_ends += 2
        else:
            run.append((ref.ref, ref.lon, ref.lat))
    parts.append(run)
    return [part for part in parts if len(part) > 1], cut_ends


def import_osmium() -> ModuleType:
    """The package osmium, or `MissingExtraError` naming the extra that brings it."""
    try:
        import osmium
    except ImportError as error:
        raise MissingExtraError(
            "reading .osm.pbf files needs the package osmium; install logistics-engine[osm]"
        ) from error
    module: ModuleType = osmium
    return module


@contextmanager
def readable(path: str | Path) -> Iterator[None]:
    """Turns osmium's errors on a missing, foreign or cut file into `InvalidInputError`."""
    try:
        yield
    except (RuntimeError, OSError, ValueError) as error:
        raise InvalidInputError(
            [
                base.fault(
                    "",
                    "",
                    "unreadable-file",
                    f"cannot be read as an OpenStreetMap extract: {error}",
                    "give a complete .osm.pbf file",
                    str(path),
                )
            ]
        ) from error
