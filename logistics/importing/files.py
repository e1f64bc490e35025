"""`logistics import orders`: an order file in, a clean Parquet file and its report out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from logistics.importing.cleaning import CleanOrders, cleaned
from logistics.importing.column_map import load_map
from logistics.importing.reading import ZONE_KEY, own_zone, read_lines
from logistics.tables import CleaningReport


def import_orders(source: Path, map_name: str, out: Path) -> CleaningReport:
    """Clean `source` by a column map (built-in name or TOML file) and write it to `out`, for the map `cleaned`.

    Purchases and cancellations (negative quantity, `cancels` names the order) lie in the order of time; the
    report goes beside it as JSON, with the suffix `.report.json`. Both are written under a temporary name and
    then renamed. Raises `InvalidInputError` with every fault, and then writes nothing.
    """
    column_map = load_map(map_name)
    orders = cleaned(read_lines(source, column_map), column_map)
    table = _table(orders, own_zone(source, column_map).key)
    report_path = report_beside(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    parts = [path.with_name(f".{path.name}.{os.getpid()}.part") for path in (out, report_path)]
    try:
        pq.write_table(table, parts[0], compression="zstd")
        parts[1].write_text(json.dumps(_report(orders, source, map_name, table), indent=2) + "\n", "utf-8")
        parts[0].replace(out)
        parts[1].replace(report_path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return orders.report


def report_beside(out: Path) -> Path:
    """Where the report of a cleaned file lies."""
    return out.with_name(f"{out.stem}.report.json")


def _table(orders: CleanOrders, zone: str) -> pa.Table:
    taken_back = orders.cancellations
    names = orders.purchases["order"]
    lines = pd.concat(
        [
            orders.purchases.assign(cancels=None),
            taken_back.assign(
                quantity=-taken_back["quantity"],
                cancels=names.loc[taken_back["purchase"]].to_numpy(dtype=object),
            ),
        ]
    ).sort_values("at_s", kind="stable")

    def text(name: str) -> pa.Array:
        values = [value if value else None for value in lines[name]]
        return pa.array(values, pa.string())

    def real(name: str) -> pa.Array:
        values = lines[name].to_numpy(dtype=np.float64)
        return pa.array(values, pa.float64(), mask=np.isnan(values))

    columns = {
        "order": text("order"),
        "item": text("item"),
        "description": text("description"),
        "quantity": pa.array(lines["quantity"].to_numpy(dtype=np.int64)),
        "time": pa.array(lines["at_s"].to_numpy(dtype=np.int64)).cast(pa.timestamp("s", tz="UTC")),
        "price": real("price"),
        "customer": text("customer"),
        "lon": real("lon"),
        "lat": real("lat"),
        "cancels": text("cancels"),
    }
    return pa.table(columns).replace_schema_metadata({ZONE_KEY: zone.encode()})


def _report(orders: CleanOrders, source: Path, map_name: str, table: pa.Table) -> dict[str, Any]:
    report = orders.report
    return {
        "source": source.name,
        "map": map_name,
        "lines_read": report.lines_read,
        "lines_kept": report.lines_kept,
        "dropped": report.dropped,
        "purchases": len(orders.purchases),
        "cancellations": int(orders.cancellations.index.nunique()),
        "units_unmatched": orders.units_unmatched,
        "orders": int(orders.purchases["order"].nunique()),
        "rows_written": table.num_rows,
    }
