"""Order lines as array rows: what the warehouse models work on, and where real ones come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from logistics.importing import cleaned, load_map, read_lines
from solvers.errors import Fault, InvalidInputError

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
RowArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

DAY_S = 86_400
HOUR_S = 3_600
NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class OrderLines:
    """Orders in the order of their release; order `o` has the lines `first_line[o] : first_line[o + 1]`.

    `release_s` float64 (orders,), ascending seconds (NaN: not yet known); `first_line` int64 (orders + 1,);
    `item` int32 and `units` int64 (lines,), units at least 1. `names[i]` is item `i`'s code. Raises
    `ValueError` where these disagree.
    """

    release_s: FloatArray
    first_line: IntArray
    item: RowArray
    units: IntArray
    names: Sequence[str]

    def __post_init__(self) -> None:
        if self.first_line.size != self.release_s.size + 1 or self.first_line[0] != 0:
            raise ValueError(
                f"{self.release_s.size} orders need {self.release_s.size + 1} line bounds from 0 on, "
                f"not {self.first_line.size}"
            )
        if (np.diff(self.first_line) < 1).any() or self.first_line[-1] != self.item.size:
            raise ValueError("every order needs a line, and the last bound is the number of lines")
        if self.item.shape != self.units.shape or (self.units < 1).any():
            raise ValueError("every line needs an item and at least one unit")
        if self.item.size and not 0 <= self.item.min() <= self.item.max() < len(self.names):
            raise ValueError(f"item {self.item.max()} of {len(self.names)}; rows start at 0")
        if (np.diff(self.release_s) < 0).any():
            raise ValueError("orders must be sorted by release_s")

    def __len__(self) -> int:
        return self.release_s.size

    @property
    def lines(self) -> int:
        return self.item.size

    @property
    def lines_of_order(self) -> IntArray:
        """(orders,) number of lines."""
        return np.diff(self.first_line)

    @property
    def order_of_line(self) -> RowArray:
        """(lines,) order of each line."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.lines_of_order)

    def incidence(self) -> sparse.csr_array:
        """(orders, items) float64: 1 where the order has the item, however many units."""
        data = np.ones(self.lines)
        matrix = sparse.csr_array(
            (data, (self.order_of_line, self.item)), shape=(len(self), len(self.names)), dtype=np.float64
        )
        matrix.data[:] = 1.0
        return matrix

    def picks(self) -> IntArray:
        """(items,) how many lines ask for each item."""
        return np.bincount(self.item, minlength=len(self.names)).astype(np.int64)

    def units_of_items(self) -> IntArray:
        """(items,) units asked for."""
        wanted = np.zeros(len(self.names), np.int64)
        np.add.at(wanted, self.item, self.units)
        return wanted

    def between(self, from_s: float, to_s: float) -> OrderLines:
        """Orders released in [`from_s`, `to_s`), their clock kept."""
        first, last = np.searchsorted(self.release_s, [from_s, to_s])
        return self.chosen(np.arange(first, last))

    def chosen(self, orders: NDArray[np.integer], release_s: FloatArray | None = None) -> OrderLines:
        """These orders, re-sorted by release; `release_s` (one per chosen order) replaces their times."""
        release = self.release_s[orders] if release_s is None else np.asarray(release_s, np.float64)
        turn = np.argsort(release, kind="stable")
        orders = np.asarray(orders)[turn]
        lengths = self.lines_of_order[orders]
        first = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        lines = np.repeat(self.first_line[orders] - first[:-1], lengths) + np.arange(first[-1])
        return OrderLines(release[turn], first, self.item[lines], self.units[lines], self.names)

    def laid_on_one_day(self, window: tuple[float, float] = (8 * HOUR_S, 18 * HOUR_S)) -> OrderLines:
        """All orders on day 0, at their time of day, squeezed into the window: several days make one busy day."""
        time_of_day = self.release_s % DAY_S
        low, high = window
        return self.chosen(np.arange(len(self)), np.clip(time_of_day, low, high))

    def capped(self, units: int) -> OrderLines:
        """No line above that many units: what exceeds it leaves the building on pallets, not from the shelf."""
        return OrderLines(
            self.release_s, self.first_line, self.item, np.minimum(self.units, units), self.names
        )


def lines_of(first_line: IntArray, orders: IntArray) -> IntArray:
    """All lines `first_line[o] : first_line[o + 1]` of these orders, in turn."""
    lengths = first_line[orders + 1] - first_line[orders]
    begin = np.cumsum(lengths) - lengths
    lines: IntArray = np.repeat(first_line[orders] - begin, lengths) + np.arange(int(lengths.sum()))
    return lines


def orders_of(
    order: NDArray[np.integer],
    item: NDArray[np.integer],
    units: NDArray[np.integer],
    release_s: FloatArray,
    names: Sequence[str],
) -> OrderLines:
    """Order lines from parallel arrays, one entry a line; lines of one order and item are added up.

    An order's release is the earliest of its lines'. Raises `ValueError` for units below 1.
    """
    lines = pd.DataFrame({"order": order, "item": item, "units": units, "release_s": release_s})
    first = lines.groupby("order", sort=False)["release_s"].transform("min")
    keys = ["release_s", "order", "item"]
    lines = lines.assign(release_s=first).groupby(keys, sort=True)["units"].sum().reset_index()
    starts = np.flatnonzero(np.diff(lines["order"].to_numpy(np.int64), prepend=-1))
    return OrderLines(
        lines["release_s"].to_numpy(np.float64)[starts],
        np.append(starts, len(lines)).astype(np.int64),
        lines["item"].to_numpy(np.int32),
        lines["units"].to_numpy(np.int64),
        tuple(names),
    )


def orders_from_file(path: Path, map_name: str = "uci-online-retail") -> OrderLines:
    """Clean orders of a file, by a column map (see `logistics.importing`); times count from the first day's
    midnight.

    Raises `InvalidInputError` where the file cannot be read or holds no order that could be picked.
    """
    column_map = load_map(map_name)
    bought = cleaned(read_lines(path, column_map), column_map).purchases
    if bought.empty:
        raise InvalidInputError(
            [Fault(str(path), "", "", "no-orders", "no line is left after cleaning", "check the column map")]
        )
    order, _ = pd.factorize(bought["order"])
    item, names = pd.factorize(bought["item"], sort=True)
    wall = bought["wall_s"].to_numpy(np.int64)
    midnight = int(wall.min()) // DAY_S * DAY_S
    units = bought["quantity"].to_numpy(np.int64)
    return orders_of(order, item, units, (wall - midnight).astype(np.float64), [str(name) for name in names])


def synthetic_orders(
    generator: np.random.Generator,
    orders: int,
    items: int,
    lines_per_order: float = 2.5,
    units_per_line: float = 1.3,
    zipf: float = 0.8,
    families: int = 0,
    window: tuple[float, float] = (6 * HOUR_S, 22 * HOUR_S),
) -> OrderLines:
    """Made-up orders: geometric lines and units, popularity falling with rank ** -`zipf`.

    With `families`, items belong to that many groups and half of an order's lines come from one of them: then
    some items are bought together. Release times are uniform over the window.
    """
    count = generator.geometric(1 / lines_per_order, orders)
    order = np.repeat(np.arange(orders), count)
    weight = np.arange(1, items + 1, dtype=np.float64) ** -zipf
    weight = generator.permutation(weight)
    item = generator.choice(items, order.size, p=weight / weight.sum())
    if families:
        family = generator.integers(0, families, items)
        members = np.argsort(family, kind="stable")
        starts = np.searchsorted(family[members], np.arange(families + 1))
        theme = generator.integers(0, families, orders)[order]
        size = np.diff(starts)[theme]
        within = generator.random(order.size) < 0.5
        pick = (generator.random(order.size) ** 2 * np.maximum(size, 1)).astype(np.int64)
        item = np.where(within & (size > 0), members[np.minimum(starts[theme] + pick, items - 1)], item)
    units = generator.geometric(1 / units_per_line, order.size)
    release = np.sort(generator.uniform(*window, orders))
    return orders_of(order, item, units, release[order], [f"item-{number}" for number in range(items)])
