"""Collects what happens in a run and turns it into the tables of `sim.tables`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from logistics.tables import RowArray
from sim.legs import TripLegs, leg_columns
from sim.stations import Started
from sim.tables import SCHEMAS


class Recorder:
    """Rows of the event-like tables. Large ones come as arrays, small ones row by row."""

    def __init__(self) -> None:
        self._stages: list[tuple[int, int, Started]] = []
        self._rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._trips: list[TripLegs] = []
        self._containers: list[tuple[int, int, int, np.ndarray, np.ndarray]] = []
        self._unassigned: list[tuple[float, int, RowArray, Sequence[str], Sequence[str]]] = []

    def stage(self, site: int, stage: int, started: Started) -> None:
        if len(started):
            self._stages.append((site, stage, started))

    def row(self, table: str, **values: Any) -> None:
        """One row of a small table; every column must be named."""
        self._rows[table].append(tuple(values[name] for name in SCHEMAS[table].names))

    def trip(self, legs: TripLegs) -> None:
        self._trips.append(legs)

    def containers(self, trip: int, kind: int, destination: int, number: Any, rows: Any) -> None:
        self._containers.append((trip, kind, destination, number, rows))

    def unassigned(
        self, at_s: float, site: int, rows: RowArray, reasons: Sequence[str], details: Sequence[str]
    ) -> None:
        """Parcels (k,) left out of a plan at a site, with k reasons and details, or one of each for all."""
        if len(rows):
            self._unassigned.append((at_s, site, rows, reasons, details))

    # --- tables ---------------------------------------------------------------------------------------

    def small_table(self, name: str) -> pa.Table:
        """A table collected row by row, in the order in which the rows came."""
        schema = SCHEMAS[name]
        columns = list(zip(*self._rows[name], strict=True)) or [()] * len(schema)
        return pa.table(
            [make_column(list(values), f.type) for values, f in zip(columns, schema, strict=True)],
            schema=schema,
        )

    def stages_table(self, sites: list[str], stages: list[str]) -> pa.Table:
        """All work at sites by start, then parcel; `sites` and `stages` name the numbers used in `stage`."""
        parts = self._stages
        counts = np.array([len(s) for _, _, s in parts], dtype=np.int64)

        def joined(attribute: str, dtype: Any) -> Any:
            arrays = [getattr(s, attribute) for _, _, s in parts]
            return np.concatenate(arrays) if arrays else np.empty(0, dtype=dtype)

        start = joined("start_s", np.float64)
        rows = joined("rows", np.int32)
        site = np.repeat(np.array([p[0] for p in parts], dtype=np.int32), counts)
        stage = np.repeat(np.array([p[1] for p in parts], dtype=np.int32), counts)
        order = np.lexsort((stage, rows, start))
        return conform(
            "stages",
            {
                "parcel": rows[order],
                "site": named(site[order], sites),
                "stage": named(stage[order], stages),
                "arrive_s": joined("arrive_s", np.float64)[order],
                "start_s": start[order],
                "finish_s": joined("finish_s", np.float64)[order],
            },
        )

    def legs_table(self) -> pa.Table:
        """All legs by trip and leg."""
        columns = leg_columns(self._trips)
        for name, values in columns.items():
            if isinstance(values, tuple):
                rows, names = values
                coded = pa.array(names, type=pa.string()).dictionary_encode()
                columns[name] = coded.take(pa.array(rows))
            elif name in ("place", "solve"):
                columns[name] = pa.array(values, mask=np.asarray(values) < 0)
        return conform("legs", columns)

    def containers_table(self, kinds: list[str], sites: list[str]) -> pa.Table:
        counts = np.array([len(c[4]) for c in self._containers], dtype=np.int64)

        def spread(position: int) -> Any:
            return np.repeat(np.array([c[position] for c in self._containers], dtype=np.int32), counts)

        empty = np.empty(0, dtype=np.int32)
        return conform(
            "containers",
            {
                "trip": spread(0),
                "container": np.concatenate([c[3] for c in self._containers] or [empty]),
                "kind": named(spread(1), kinds),
                "parcel": np.concatenate([c[4] for c in self._containers] or [empty]),
                "destination": named(spread(2), sites),
            },
        )

    def unassigned_columns(self) -> dict[str, Any]:
        """What plans left out, in order: time_s, site and parcel (k,), and lists of k reasons and details."""
        counts = [len(u[2]) for u in self._unassigned]
        empty = np.empty(0, dtype=np.int32)
        return {
            "time_s": np.repeat(np.array([u[0] for u in self._unassigned], dtype=np.float64), counts),
            "site": np.repeat(np.array([u[1] for u in self._unassigned], dtype=np.int32), counts),
            "parcel": np.concatenate([u[2] for u in self._unassigned] or [empty]),
            "reason": [r for u in self._unassigned for r in _each(u[3], len(u[2]))],
            "detail": [d for u in self._unassigned for d in _each(u[4], len(u[2]))],
        }


def _each(texts: Sequence[str], count: int) -> Sequence[str]:
    return texts if len(texts) == count else [*texts] * count


def named(numbers: Any, names: list[str]) -> pa.DictionaryArray:
    """Dictionary-encoded names from their numbers; negative numbers become null."""
    numbers = np.asarray(numbers, dtype=np.int32)
    return pa.DictionaryArray.from_arrays(
        pa.array(numbers, mask=numbers < 0), pa.array(names, type=pa.string())
    )


def times(values: Any) -> pa.Array:
    """Float64 seconds, with NaN as null."""
    values = np.asarray(values, dtype=np.float64)
    return pa.array(values, mask=np.isnan(values))


def make_column(values: Any, kind: pa.DataType) -> pa.Array:
    """Values as an Arrow column of the type, whatever they come as."""
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values.cast(kind) if values.type != kind else values
    if pa.types.is_dictionary(kind):
        return pa.array(values, type=pa.string()).dictionary_encode().cast(kind)
    return pa.array(values, type=kind, from_pandas=True)


def conform(name: str, columns: Mapping[str, Any]) -> pa.Table:
    """A table of `sim.tables` from its columns; every one must be there."""
    schema = SCHEMAS[name]
    return pa.table([make_column(columns[f.name], f.type) for f in schema], schema=schema)
