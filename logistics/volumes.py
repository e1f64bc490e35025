"""Origin–destination volumes as planners hold them: parcels by origin, area, service, hour and size (CSV)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from logistics.clock import next_local
from logistics.csv_header import doubled_columns
from logistics.marks import Keys, Marks, keys_of
from logistics.orders import OrderBatch
from logistics.paths import resolve
from logistics.places import Addresses, Random
from logistics.scenario import Scenario
from logistics.streams import HOUR_S, home_or_locker, parcel_sizes, promises
from logistics.tables import BoolArray, FloatArray, IntArray
from solvers.errors import Fault, InvalidInputError

COLUMNS = ("origin", "area", "service", "hour", "size_class", "parcels")
ORIGIN_KINDS = ("merchant", "hub", "station")


@dataclass(frozen=True, slots=True)
class Volumes:
    """Rows of a volume table; rows of equal keys are added up. Numbers are rows of the scenario's lists."""

    origin: IntArray
    area: IntArray
    service: IntArray
    hour: IntArray
    size_class: IntArray
    parcels: FloatArray
    key: Keys


def volume_faults(scenario: Scenario, root: Path) -> list[Fault]:
    """What is wrong with the file that `demand.volumes` names; nothing where there is none."""
    return _read(scenario, root)[1] if scenario.demand.volumes is not None else []


def read_volumes(scenario: Scenario, root: Path) -> Volumes:
    """The scenario's volume table. Raises `InvalidInputError` with every fault of it."""
    volumes, faults = _read(scenario, root)
    if volumes is None or faults:
        raise InvalidInputError(faults)
    return volumes


def apportioned(expected: FloatArray, scale: float, offset: FloatArray) -> IntArray:
    """Whole numbers near `expected` × `scale` whose sum is the rounded sum of those.

    The k-th unit of a row enters at level (k - offset) / expected, and the lowest levels are taken: a divisor
    method (Balinski & Young, "Fair Representation", 1982) with a random signpost `offset` in [0, 1) per row.
    So a larger scale never takes a unit away, whole numbers stay as they are at scale 1, and no row is
    favoured on average.
    """
    total = round(float(expected.sum()) * scale)
    low, high = 0.0, scale + 1.0
    while np.floor(high * expected + offset).sum() < total:
        high *= 2.0
    for _ in range(80):
        middle = (low + high) / 2.0
        if np.floor(middle * expected + offset).sum() <= total:
            low = middle
        else:
            high = middle
    exact = np.floor(scale * expected + offset)
    counts = exact if exact.sum() == total else np.floor(low * expected + offset)
    missing = int(total - counts.sum())
    if missing:  # several units enter at one level
        with np.errstate(divide="ignore"):
            level = np.where(expected > 0, (counts + 1 - offset) / expected, np.inf)
        counts[np.argsort(level, kind="stable")[:missing]] += 1
    return counts.astype(np.int64)


def volume_orders(volumes: Volumes, scenario: Scenario, homes: Addresses, random: Random) -> OrderBatch:
    """One order, and parcel, per unit of volume; times are uniform within the hour.

    Every attribute is a mark of (row, k-th parcel of the row): other rows or another scale leave it alone.
    """
    marks = Marks(random("volumes", "marks"))
    none = np.zeros(0, dtype=np.int64)
    counts = apportioned(volumes.parcels, scenario.demand.scale, marks.uniform(volumes.key, 0, 0))
    row = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    key = volumes.key[row]
    starts = next_local(np.arange(24) * HOUR_S, 0, scenario.scenario)
    placed = starts[volumes.hour[row]] + (marks.uniform(key, number, 1) * HOUR_S).astype(np.int64)
    size_class = volumes.size_class[row]
    weight, volume = parcel_sizes(
        scenario, size_class, marks.uniform(key, number, 2), marks.uniform(key, number, 3)
    )
    service = volumes.service[row]
    return OrderBatch(
        reference=np.array(
            [f"v{r:06d}-{k:07d}" for r, k in zip(row.tolist(), number.tolist(), strict=True)], dtype=object
        ),
        placed_s=placed,
        place=home_or_locker(
            homes, volumes.area[row], marks.uniform(key, number, 4), np.zeros(len(row), dtype=bool)
        ),
        service=service,
        origin=volumes.origin[row],
        promise_s=promises(scenario, service, placed),
        weight_g=weight,
        volume_ml=volume,
        size_class=size_class,
        line_order=none,
        item=none,
        quantity=none,
        cancelled_line=none,
        cancelled_at_s=none,
        cancelled_quantity=none,
    )


def _read(scenario: Scenario, root: Path) -> tuple[Volumes | None, list[Fault]]:
    path = resolve(scenario.demand.volumes or "", root)
    file = str(path)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        fault = Fault(file, "", "", "missing-file", "there is no such file", "check demand.volumes")
        return None, [fault]
    except (OSError, ValueError) as error:
        fault = Fault(file, "", "", "unreadable-file", f"not a CSV table: {error}", "save it as UTF-8 CSV")
        return None, [fault]
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        return None, [
            Fault(file, "header", "", "absent-column", f"the column {name} is absent", f"add a column {name}")
            for name in missing
        ]
    faults = doubled_columns(path, COLUMNS)
    known = {
        "origin": [site.id for site in scenario.sites],
        "area": [area.id for area in scenario.areas],
        "service": [service.id for service in scenario.services],
        "size_class": [size.id for size in scenario.demand.sizes],
    }
    columns: dict[str, IntArray] = {}
    for name, names in known.items():
        number = {each: row for row, each in enumerate(names)}
        rows: IntArray = np.asarray(table[name].str.strip().map(number).fillna(-1), dtype=np.int64)
        faults += _cells(
            file,
            table,
            name,
            rows < 0,
            f"unknown-{name.replace('_', '-')}",
            f"the scenario has no such {name.replace('_', ' ')}",
            f"name one of: {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}",
        )
        columns[name] = rows
    able = np.array([*(site.kind in ORIGIN_KINDS for site in scenario.sites), True])
    faults += _cells(
        file,
        table,
        "origin",
        ~able[columns["origin"]],
        "bad-origin",
        "parcels without stock come from merchants, hubs or stations",
        "name such a site, or use a stream for orders from a warehouse",
    )
    hour = pd.to_numeric(table["hour"], errors="coerce").to_numpy(dtype=np.float64)
    good_hour = np.isin(hour, np.arange(24.0))
    faults += _cells(file, table, "hour", ~good_hour, "bad-hour", "no hour of the day", "give 0 to 23")
    parcels = pd.to_numeric(table["parcels"], errors="coerce").to_numpy(dtype=np.float64)
    number_given = np.isfinite(parcels)
    faults += _cells(
        file, table, "parcels", ~number_given, "bad-number", "not a number", "give a number of at least 0"
    )
    with np.errstate(invalid="ignore"):
        negative = number_given & (parcels < 0)
    faults += _cells(
        file, table, "parcels", negative, "negative-demand", "demand is never negative", "give 0 or more"
    )
    if faults:
        return None, faults
    return _summed(columns, hour.astype(np.int64), parcels, known), []


def _summed(
    columns: dict[str, IntArray], hour: IntArray, parcels: FloatArray, known: dict[str, list[str]]
) -> Volumes:
    keys = pd.DataFrame({**columns, "hour": hour})
    totals = pd.Series(parcels).groupby([keys[name] for name in keys.columns], sort=True).sum()
    rows = {name: np.asarray(totals.index.get_level_values(name), dtype=np.int64) for name in keys.columns}
    named = [np.array(names, dtype=object)[rows[name]] for name, names in known.items()]
    text = ["/".join(parts) for parts in zip(*named, rows["hour"].astype(str), strict=True)]
    return Volumes(
        origin=rows["origin"],
        area=rows["area"],
        service=rows["service"],
        hour=rows["hour"],
        size_class=rows["size_class"],
        parcels=np.asarray(totals, dtype=np.float64),
        key=keys_of(np.array(text, dtype=object)),
    )


def _cells(
    file: str, table: pd.DataFrame, column: str, wrong: BoolArray, code: str, message: str, repair: str
) -> list[Fault]:
    return [
        Fault(file, f"row {row + 2}, column {column}", repr(table[column].iloc[row]), code, message, repair)
        for row in np.flatnonzero(wrong).tolist()
    ]
