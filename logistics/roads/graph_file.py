"""Road graphs on disk: one `.npz` of plain arrays, the same bytes for the same graph."""

from __future__ import annotations

import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from logistics.roads import base
from logistics.roads.hourly_graph import HourlyGraph
from logistics.roads.street_graph import StreetGraph
from solvers.errors import InvalidInputError

KINDS: dict[str, type[StreetGraph] | type[HourlyGraph]] = {"streets": StreetGraph, "hourly": HourlyGraph}
VERSION = 1
EPOCH = (1980, 1, 1, 0, 0, 0)  # numpy.savez stamps the time of writing; this is the same every time


def save_graph(graph: StreetGraph | HourlyGraph, path: str | Path) -> None:
    """Write a graph; the file appears whole or not at all."""
    target = Path(path)
    kind = next(name for name, cls in KINDS.items() if isinstance(graph, cls))
    arrays = {"kind": np.array(kind), "version": np.array(VERSION)}
    arrays |= {field.name: getattr(graph, field.name) for field in fields(graph)}
    partial = target.with_name(target.name + ".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as stream:
                npy.write_array(stream, array, allow_pickle=False)
    partial.replace(target)


def load_graph(path: str | Path) -> StreetGraph | HourlyGraph:
    """Read a graph back. Raises `InvalidInputError` for a file that is none, or is not whole."""
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        cls = KINDS[str(arrays["kind"])]
        if int(arrays["version"]) != VERSION:
            raise ValueError(f"version {arrays['version']} instead of {VERSION}")
        graph = cls(**{field.name: arrays[field.name] for field in fields(cls)})
        _check(graph)
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidInputError(
            [
                base.fault(
                    "",
                    "",
                    "unreadable-file",
                    f"is no road graph: {error}",
                    "write it with `logistics import roads SOURCE`",
                    str(path),
                )
            ]
        ) from error
    return graph


def _check(graph: StreetGraph | HourlyGraph) -> None:
    """Raises ValueError where indices lead outside or travel costs are impossible: the kernels trust both."""
    n, m = len(graph.lonlat), len(graph.head)
    steps = np.diff(graph.first_edge)
    ok = len(graph.first_edge) == n + 1 and graph.first_edge[0] == 0 and graph.first_edge[-1] == m
    ok = ok and (steps >= 0).all() and _inside(graph.head, 0, n)
    if isinstance(graph, HourlyGraph):
        ok = ok and graph.speeds_mps.shape == (m, 24) and graph.length_m.shape == (m,)
        ok = ok and _inside(graph.customers, 0, n) and bool((graph.speeds_mps > 0).all())
        ok = ok and bool((graph.length_m >= 0).all() and np.isfinite(graph.length_m).all())
    else:
        bends = len(graph.bend_lonlat)
        ok = ok and len(graph.twin) == m and _inside(graph.twin, -1, m) and len(graph.first_bend) == m + 1
        ok = ok and graph.first_bend[0] == 0 and graph.first_bend[-1] == bends
        ok = ok and bool((np.diff(graph.first_bend) >= 2).all())
        ok = ok and graph.bend_m.shape == graph.bend_s.shape == (bends,)
        ok = ok and bool(np.isfinite(graph.bend_s).all() and (graph.bend_s >= 0).all())
    if not ok:
        raise ValueError("its arrays do not fit together")


def _inside(values: base.PlaceArray, low: int, high: int) -> bool:
    return bool(((values >= low) & (values < high)).all())
