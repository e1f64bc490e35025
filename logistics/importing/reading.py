"""Reading an order file through a column map into columns of known names and types."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from logistics.clock import epoch_of_wall, wall_of_epoch
from logistics.csv_header import doubled_columns
from logistics.importing.column_map import REQUIRED, ColumnMap, Columns
from logistics.tables import BoolArray, FloatArray, IntArray
from solvers.errors import Fault, InvalidInputError

ZONE_KEY = b"logistics.zone"  # a cleaned file's own time zone, in its metadata
MOST_UNITS = 1_000_000  # of an order line: more is a slip, and would fill the memory with parcels
LISTED = 50  # faults of one column that are listed one by one

_BLANK = ("", "nan", "null", "none")  # how files write "no value"
_OFFSET = r"(?:[Zz]|[+-]\d{2}:?\d{2})\s*$"


def read_lines(source: Path, column_map: ColumnMap) -> pd.DataFrame:
    """The lines of a CSV or Parquet file, one row each, in the order of the file.

    Columns: order, item, description, customer (str, "" where absent), quantity and price (float64, NaN where
    absent), at_s (Unix seconds, int64) and wall_s (the same on the file's own clock, seconds after 1970-01-01
    00:00), has_time, cancels (bool), copy (an exact copy of an earlier line), lon and lat (float64, NaN where
    absent). Raises `InvalidInputError` with every fault: absent columns, or cells that cannot be read, with
    their row (CSV: line numbers as an editor shows them if no cell spans lines; Parquet: from 1).
    """
    raw, first_row = _load(source, column_map)
    names, faults = _found_columns(source, raw, column_map)
    if not _is_parquet(source):
        text = column_map.text
        used = dict.fromkeys(names.values())
        faults += doubled_columns(source, used, encoding=text.encoding, delimiter=text.delimiter)
    if faults:
        raise InvalidInputError(faults)
    reader = _Cells(str(source), raw, names, first_row)
    lines = pd.DataFrame(index=pd.RangeIndex(len(raw)))
    for name in ("order", "item", "description", "customer"):
        lines[name] = reader.texts(name)
    lines["quantity"] = reader.numbers("quantity", whole=True, bound=MOST_UNITS)
    lines["price"] = reader.numbers("price")
    for name, bound in (("lon", 180.0), ("lat", 90.0)):
        lines[name] = reader.numbers(name, bound=bound)
    at, wall, known = reader.times(column_map, own_zone(source, column_map))
    lines["at_s"], lines["wall_s"], lines["has_time"] = at, wall, known
    lines["cancels"] = _cancels(raw, lines, column_map)
    lines["copy"] = raw.duplicated().to_numpy() if not column_map.duplicates.keep else False
    if reader.faults:
        raise InvalidInputError(reader.faults)
    return lines


def own_zone(source: Path, column_map: ColumnMap) -> ZoneInfo:
    """The time zone whose clock the file's lines were written by: the map's, or what a cleaned file notes."""
    if _is_parquet(source):
        noted = (pq.read_schema(source).metadata or {}).get(ZONE_KEY)
        if noted is not None:
            return ZoneInfo(noted.decode())
    return column_map.zone


def _is_parquet(source: Path) -> bool:
    return source.suffix.lower() in (".parquet", ".pq")


def _load(source: Path, column_map: ColumnMap) -> tuple[pd.DataFrame, int]:
    file = str(source)
    try:
        if _is_parquet(source):
            return pd.read_parquet(source), 1
        text = column_map.text
        table = pd.read_csv(
            source, dtype=str, keep_default_na=False, encoding=text.encoding, sep=text.delimiter
        )
        return table, 2
    except FileNotFoundError:
        fault = Fault(file, "", "", "missing-file", "there is no such order file", "check the path")
    except (OSError, ValueError, LookupError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        fault = Fault(
            file, "", "", "unreadable-file", f"cannot read it: {reason}", "give a CSV or Parquet file"
        )
    raise InvalidInputError([fault])


def _found_columns(
    source: Path, raw: pd.DataFrame, column_map: ColumnMap
) -> tuple[dict[str, str], list[Fault]]:
    names: dict[str, str] = {}
    faults = []
    wanted: list[tuple[str, list[str]]] = [
        (name, getattr(column_map.columns, name)) for name in Columns.model_fields
    ]
    if column_map.cancellations.column is not None:
        wanted.append(("cancels", [column_map.cancellations.column]))
    for name, alternatives in wanted:
        present = [each for each in alternatives if each in raw.columns]
        if present:
            names[name] = present[0]
        elif alternatives or name in REQUIRED:
            faults.append(
                Fault(
                    str(source),
                    "header",
                    ", ".join(str(column) for column in raw.columns)[:200],
                    "absent-column",
                    f"no column {' or '.join(alternatives)} ({name})",
                    f"add the column, or map {name} to another one",
                )
            )
    return names, faults


class _Cells:
    """Turns columns of the file into typed ones and notes the cells that resist."""

    def __init__(self, file: str, raw: pd.DataFrame, names: dict[str, str], first_row: int) -> None:
        self.faults: list[Fault] = []
        self._file, self._raw, self._names, self._first = file, raw, names, first_row

    def texts(self, name: str) -> pd.Series:
        if name not in self._names:
            return pd.Series("", index=range(len(self._raw)), dtype=object)
        column = self._raw[self._names[name]]
        if pd.api.types.is_float_dtype(column):  # numbers with gaps: 13085.0 is customer 13085
            whole = column.dropna()
            if (whole == np.rint(whole)).all():
                column = column.astype("Int64")
        row, distinct = pd.factorize(column)
        texts = [str(each).strip() for each in distinct]
        if name == "customer":
            texts = [re.sub(r"^(\d+)\.0$", r"\1", each) for each in texts]
        known = np.array([*texts, ""], dtype=object)  # absent cells have the row -1: the last
        return pd.Series(known[row], dtype=object)

    def numbers(self, name: str, *, whole: bool = False, bound: float = np.inf) -> FloatArray:
        if name not in self._names:
            return np.full(len(self._raw), np.nan)
        column = self._raw[self._names[name]]
        values = np.array(pd.to_numeric(column, errors="coerce"), dtype=np.float64)
        empty = self._empty(column)
        wrong = ~empty & ~(np.isfinite(values) & (np.abs(values) <= bound))
        self._note(
            name, column, wrong, "bad-number", "not a number in range", "mend the number or leave it empty"
        )
        if whole:
            broken = ~empty & ~wrong & (values != np.rint(values))
            self._note(name, column, broken, "bad-number", "not a whole number", "give whole units")
        values[empty] = np.nan
        return values

    def times(self, column_map: ColumnMap, zone: ZoneInfo) -> tuple[IntArray, IntArray, BoolArray]:
        """Unix seconds, seconds on the file's own clock, and where there is a time at all."""
        column = self._raw[self._names["time"]]
        if pd.api.types.is_datetime64_any_dtype(column):
            stamps = pd.DatetimeIndex(column)
            known = ~np.asarray(stamps.isna())
            local = stamps.tz is None
            seconds = _unix_seconds(stamps if local else stamps.tz_convert("UTC").tz_localize(None))
            if local:
                return epoch_of_wall(seconds, zone), seconds, known
            return seconds, wall_of_epoch(seconds, zone), known
        row, distinct = pd.factorize(column.fillna("").astype(str))
        texts = pd.Series(np.asarray(distinct, dtype=object), dtype=object)
        style = column_map.time.format or "ISO8601"
        has_offset = texts.str.contains(_OFFSET, regex=True).to_numpy(dtype=bool) & (
            column_map.time.format is None or "%z" in column_map.time.format
        )
        stamp = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[s]")
        for group, aware in ((~has_offset, False), (has_offset, True)):
            if group.any():
                parsed = pd.to_datetime(texts[group], format=style, errors="coerce", utc=aware)
                index = pd.DatetimeIndex(parsed)
                stamp[group] = (index.tz_localize(None) if aware else index).to_numpy(dtype="datetime64[s]")
        readable = ~np.isnat(stamp)
        seconds = np.where(readable, stamp.astype(np.int64), 0)
        at = np.where(has_offset, seconds, epoch_of_wall(seconds, zone))
        wall = np.where(has_offset, wall_of_epoch(seconds, zone), seconds)
        empty = self._empty(column)
        self._note(
            "time",
            column,
            ~empty & ~readable[row],
            "bad-time",
            f"not a time ({style})",
            "mend the time, or give the map's time.format",
        )
        return at[row], wall[row], readable[row] & ~empty

    @staticmethod
    def _empty(column: pd.Series) -> BoolArray:
        empty = np.asarray(column.isna(), dtype=bool)
        if column.dtype == object or pd.api.types.is_string_dtype(column):
            row, distinct = pd.factorize(column)
            blank = [str(each).strip().lower() in _BLANK for each in distinct]
            empty = empty | np.array([*blank, True])[row]
        return empty

    def _note(
        self, name: str, column: pd.Series, wrong: BoolArray, code: str, message: str, repair: str
    ) -> None:
        rows = np.flatnonzero(wrong).tolist()
        header = self._names[name]
        for row in rows[:LISTED]:
            place = f"row {row + self._first}, column {header}"
            self.faults.append(Fault(self._file, place, repr(column.iloc[row])[:80], code, message, repair))
        if len(rows) > LISTED:
            last = rows[-1] + self._first
            self.faults.append(
                Fault(
                    self._file,
                    f"column {header}",
                    f"{len(rows) - LISTED} more cells, the last in row {last}",
                    code,
                    message,
                    repair,
                )
            )


def _unix_seconds(stamps: pd.DatetimeIndex) -> IntArray:
    seconds = stamps.to_numpy(dtype="datetime64[s]")
    return np.where(np.isnat(seconds), 0, seconds.astype(np.int64))


def _cancels(raw: pd.DataFrame, lines: pd.DataFrame, column_map: ColumnMap) -> BoolArray:
    rule = column_map.cancellations
    cancels = np.zeros(len(lines), dtype=bool)
    if rule.order_prefix:
        cancels |= starts_with(lines["order"], [rule.order_prefix])
    if rule.column is not None:
        values = raw[rule.column].fillna("").astype(str).str.strip()
        cancels |= np.asarray(values.isin(rule.values) if rule.values else values != "", dtype=bool)
    if rule.negative_quantity:
        cancels |= np.asarray(lines["quantity"] < 0, dtype=bool)
    return cancels


def starts_with(texts: pd.Series, prefixes: Iterable[str]) -> BoolArray:
    """Which texts start with one of the prefixes, case ignored."""
    lower = tuple(prefix.lower() for prefix in prefixes)
    row, distinct = pd.factorize(texts)
    matches: BoolArray = np.array([*(str(each).lower().startswith(lower) for each in distinct), False])[row]
    return matches
