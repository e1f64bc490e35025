"""Orders of an order file, laid on the scenario's clock, with places for its customers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from logistics.catalogue import described_items, read_catalogue
from logistics.clock import next_local
from logistics.importing.cleaning import CleanOrders, cleaned
from logistics.importing.column_map import load_map
from logistics.importing.reading import read_lines
from logistics.marks import Keys, Marks, keys_of
from logistics.orders import OrderBatch
from logistics.paths import resolve
from logistics.places import Addresses, Random, nearest_area, with_customers
from logistics.promises import promise_s
from logistics.scenario import DAY_S, OrderFileSection, Scenario
from logistics.tables import CleaningReport, FloatArray, IntArray, Items, Places
from logistics.volumes import apportioned
from solvers.errors import Fault, InvalidInputError

BEFORE_START = "before the scenario's start"
AFTER_END = "after the scenario's horizon"
HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class OrdersOfFile:
    """What an order file brings to a run's demand."""

    batch: OrderBatch
    items: Items
    places: Places
    cleaning: CleaningReport


def order_file_faults(scenario: Scenario, root: Path) -> list[Fault]:
    """What is wrong with the files of `demand.order_file`: reads and cleans them as a run would."""
    section = scenario.demand.order_file
    if section is None:
        return []
    try:
        orders = _clean(section, scenario, root)
        _items(orders, scenario, root, _minor_per_unit(section, root))
    except InvalidInputError as error:
        return list(error.faults)
    return []


def file_orders(scenario: Scenario, homes: Addresses, random: Random, root: Path) -> OrdersOfFile:
    """The orders of the scenario's order file.

    Each customer lives at one place, which only the customer and the seed decide: a building, or an address
    of an area drawn by weight. Orders without a customer have a place of their own; coordinates in the file
    go before both. With `one_day` every order comes at its time of day at or after the start of the scenario.
    `demand.scale` below 1 leaves out orders; above 1 it adds copies, at another second of the same hour, of
    other customers. Raises `InvalidInputError` with the faults of the files.
    """
    section = scenario.demand.order_file
    assert section is not None
    orders = _clean(section, scenario, root)
    items, item_of_line = _items(orders, scenario, root, _minor_per_unit(section, root))
    lines = orders.purchases
    order_of_line, names = pd.factorize(lines["order"])
    first = np.unique(order_of_line, return_index=True)[1]
    heads = lines.iloc[first]
    marks = Marks(random("order file", "marks"))
    keys = keys_of(np.asarray(names, dtype=object))
    counts = apportioned(np.ones(len(keys)), scenario.demand.scale, marks.uniform(keys, 0, 0))
    source = np.repeat(np.arange(len(counts)), counts)
    copy = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
    placed = _seconds(lines, section, scenario)  # per line; an order's is that of its first line
    placed_of = placed[first][source]
    shifted = placed_of // HOUR_S * HOUR_S + (marks.uniform(keys[source], copy, 1) * HOUR_S).astype(np.int64)
    at = np.where(copy == 0, placed_of, shifted)
    places, place = _places(heads, source, copy, scenario, section, homes, marks, root)
    service = [each.id for each in scenario.services].index(section.service)
    origin = [each.id for each in scenario.sites].index(section.warehouse)
    names_of = np.asarray(names, dtype=object)[source]
    zeros = np.zeros(len(source), dtype=np.int64)
    copied = _copied_lines(order_of_line.astype(np.int64), counts)
    cancelled = _cancellations(orders, section, scenario, placed_of, at, order_of_line, counts, copied)
    batch = OrderBatch(
        reference=np.array(
            [
                f"{name}+{number}" if number else name
                for name, number in zip(names_of, copy.tolist(), strict=True)
            ],
            dtype=object,
        ),
        placed_s=at,
        place=place,
        service=zeros + service,
        origin=zeros + origin,
        promise_s=promise_s(scenario.services[service], at, scenario.scenario),
        weight_g=zeros,
        volume_ml=zeros,
        size_class=zeros - 1,
        line_order=copied.order,
        item=item_of_line[copied.line],
        quantity=lines["quantity"].to_numpy(dtype=np.int64)[copied.line],
        cancelled_line=cancelled[0],
        cancelled_at_s=cancelled[1],
        cancelled_quantity=cancelled[2],
    )
    return OrdersOfFile(batch, items, places, orders.report)


def _clean(section: OrderFileSection, scenario: Scenario, root: Path) -> CleanOrders:
    column_map = load_map(section.map, root)
    source = resolve(section.path, root)
    orders = cleaned(read_lines(source, column_map), column_map, section.from_time, section.to_time)
    if not section.one_day:
        start = round(scenario.scenario.start.timestamp())
        days = scenario.scenario.horizon_days
        orders = _without(orders, orders.purchases["at_s"] < start, BEFORE_START)
        orders = _without(orders, orders.purchases["at_s"] >= start + days * DAY_S, AFTER_END)
    if not len(orders.purchases):
        counts = ", ".join(f"{reason}: {lines}" for reason, lines in orders.report.dropped.items())
        raise InvalidInputError(
            [
                Fault(
                    str(source),
                    "",
                    f"{orders.report.lines_read} lines; {counts}",
                    "no-orders",
                    "no order line is left",
                    "widen from_time and to_time, or mend the column map",
                )
            ]
        )
    return orders


def _without(orders: CleanOrders, outside: pd.Series, reason: str) -> CleanOrders:
    """Without the purchases marked in `outside` and what cancels them."""
    gone = orders.purchases.index[outside]
    if not len(gone):
        return orders
    purchases = orders.purchases.drop(index=gone)
    cancellations = orders.cancellations[~orders.cancellations["purchase"].isin(gone)]
    kept = len(purchases) + cancellations.index.nunique()
    dropped = {**orders.report.dropped, reason: orders.report.lines_kept - kept}
    report = CleaningReport(orders.report.lines_read, kept, dropped)
    return CleanOrders(purchases, cancellations, report, orders.units_unmatched)


def _minor_per_unit(section: OrderFileSection, root: Path) -> int:
    return load_map(section.map, root).price.minor_per_unit


def _items(
    orders: CleanOrders, scenario: Scenario, root: Path, minor_per_unit: int
) -> tuple[Items, IntArray]:
    """The file's items, by code, with their usual description and median price; and each line's item."""
    lines = orders.purchases
    codes = np.sort(np.asarray(pd.unique(lines["item"]), dtype=object))
    item_of_line = pd.Categorical(lines["item"], categories=codes).codes.astype(np.int64)
    described = lines[lines["description"] != ""]
    pairs = described.groupby(["item", "description"], sort=True).size().reset_index(name="lines")
    usual = pairs.sort_values("lines", kind="stable").drop_duplicates("item", keep="last")
    names = usual.set_index("item")["description"].reindex(codes).fillna("")
    prices = lines.groupby("item")["price"].median().reindex(codes).fillna(0.0)
    table = scenario.catalogue.path
    items = described_items(
        codes,
        names.to_numpy(dtype=object),
        np.rint(prices.to_numpy(dtype=np.float64) * minor_per_unit).astype(np.int64),
        scenario.catalogue.rules,
        None if table is None else read_catalogue(resolve(table, root)),
    )
    return items, item_of_line


def _seconds(lines: pd.DataFrame, section: OrderFileSection, scenario: Scenario) -> IntArray:
    """When each line happens, in seconds from the start."""
    if section.one_day:
        second_of_day = lines["wall_s"].to_numpy(dtype=np.int64) % DAY_S
        return next_local(second_of_day, 0, scenario.scenario)
    start = round(scenario.scenario.start.timestamp())
    return lines["at_s"].to_numpy(dtype=np.int64) - start


@dataclass(frozen=True, slots=True)
class _CopiedLines:
    """Lines of kept orders and their copies: order of the batch, and line of the file's purchases."""

    order: IntArray
    line: IntArray
    row: IntArray  # of the first copy's lines, by line of the purchases
    stride: IntArray  # lines of the order of each purchase line


def _copied_lines(order_of_line: IntArray, counts: IntArray) -> _CopiedLines:
    """Orders lie in turn, each with its copies; so do their lines."""
    by_order = np.argsort(order_of_line, kind="stable")
    size = np.bincount(order_of_line, minlength=len(counts))
    first = np.cumsum(size) - size
    source = np.repeat(np.arange(len(counts)), counts)
    rows = np.repeat(first[source] - (np.cumsum(size[source]) - size[source]), size[source])
    line = by_order[rows + np.arange(len(rows))]
    order = np.repeat(np.arange(len(source)), size[source])
    offset = np.cumsum(size * counts) - size * counts  # first row of each order's first copy
    position = np.empty(len(order_of_line), dtype=np.int64)
    position[by_order] = np.arange(len(order_of_line)) - first[order_of_line[by_order]]
    return _CopiedLines(order, line, offset[order_of_line] + position, size[order_of_line])


def _cancellations(
    orders: CleanOrders,
    section: OrderFileSection,
    scenario: Scenario,
    placed_s: IntArray,
    at_s: IntArray,
    order_of_line: IntArray,
    counts: IntArray,
    copied: _CopiedLines,
) -> tuple[IntArray, IntArray, IntArray]:
    """Batch line, time and units of each cancellation; never sooner than one second after its order."""
    taken_back = orders.cancellations
    purchase = orders.purchases.index.get_indexer(pd.Index(taken_back["purchase"]))
    order = order_of_line[purchase]
    own = _seconds(taken_back, section, scenario)
    times = counts[order]
    row = np.repeat(np.arange(len(taken_back)), times)
    copy = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    batch_order = (np.cumsum(counts) - counts)[order][row] + copy
    moved = own[row] + at_s[batch_order] - placed_s[batch_order]
    line = copied.row[purchase][row] + copy * copied.stride[purchase][row]
    when = np.maximum(moved, at_s[batch_order] + 1)
    return line, when, taken_back["quantity"].to_numpy(dtype=np.int64)[row]


def _places(
    heads: pd.DataFrame,
    source: IntArray,
    copy: IntArray,
    scenario: Scenario,
    section: OrderFileSection,
    homes: Addresses,
    marks: Marks,
    root: Path,
) -> tuple[Places, IntArray]:
    """The run's places, and the place of each order."""
    customer = heads["customer"].to_numpy(dtype=object)
    alone = np.array([f"order {order}" for order in heads["order"]], dtype=object)
    who = keys_of(np.where(customer == "", alone, customer))[source]
    given = heads[["lon", "lat"]].to_numpy(dtype=np.float64)
    located = np.isfinite(given).all(axis=1)[source] & (copy == 0)
    if section.places == "buildings":
        points = building_points(section, root)
        point = (marks.uniform(who, copy, 2) * len(points)).astype(np.int64)
    else:
        points = np.zeros((0, 2))
        point = np.zeros(len(source), dtype=np.int64)
    # customers' places: coordinates of the file, then buildings in use, each once
    known = np.concatenate([given[source][located], points])
    number = np.empty(len(source), dtype=np.int64)
    number[located] = np.arange(int(located.sum()))
    number[~located] = int(located.sum()) + point[~located]
    at_home = np.zeros(len(source), dtype=bool) if section.places == "buildings" else ~located
    used, compact = np.unique(number[~at_home], return_inverse=True)
    distinct, merged = np.unique(known[used], axis=0, return_inverse=True)
    places = with_customers(homes.places, distinct, nearest_area(scenario.areas, distinct))
    place = np.empty(len(source), dtype=np.int64)
    place[~at_home] = len(homes.places) + merged.reshape(-1)[compact]
    place[at_home] = _homes(who, copy, scenario, homes, marks)[at_home]
    return places, place


def _homes(who: Keys, copy: IntArray, scenario: Scenario, homes: Addresses, marks: Marks) -> IntArray:
    """An address of an area drawn by weight, for each customer."""
    weight = np.array([area.weight for area in scenario.areas], dtype=np.float64)
    upper = np.cumsum(weight / weight.sum())
    area = np.minimum(np.searchsorted(upper, marks.uniform(who, copy, 3), side="right"), len(weight) - 1)
    count = np.diff(homes.first_home)
    place: IntArray = homes.first_home[area] + (marks.uniform(who, copy, 2) * count[area]).astype(np.int64)
    return place


def building_points(section: OrderFileSection, root: Path) -> FloatArray:
    """Points of the buildings (n, 2). OpenStreetMap is read only where buildings are asked for (an extra).

    Raises `InvalidInputError` for a file that is none or has no buildings.
    """
    from logistics.roads.buildings import read_buildings

    if section.buildings_path is None:
        raise InvalidInputError(
            [
                Fault(
                    "",
                    "demand.order_file.buildings_path",
                    "",
                    "missing-file",
                    'places = "buildings" needs an .osm.pbf file',
                    "give buildings_path",
                )
            ]
        )
    path = resolve(section.buildings_path, root)
    points: FloatArray = read_buildings(path).lonlat
    if not len(points):
        raise InvalidInputError(
            [Fault(str(path), "", "", "no-buildings", "the extract has no buildings", "take another extract")]
        )
    return points
