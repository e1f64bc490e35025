"""Orders as they come from any source, and their assembly into parcels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from logistics.kernels.parcelling import first_fit
from logistics.tables import (
    Cancellations,
    IntArray,
    Items,
    Lines,
    Orders,
    Parcels,
    RowArray,
)


@dataclass(frozen=True, slots=True)
class OrderBatch:
    """Orders of one source, in any order; row numbers refer to this batch, items and places to the run's.

    Orders without lines are origin–destination parcels with a weight, a volume and a size class of their own;
    those three are ignored for orders with lines.
    """

    reference: NDArray[np.object_]
    placed_s: IntArray
    place: IntArray
    service: IntArray
    origin: IntArray
    promise_s: IntArray
    weight_g: IntArray
    volume_ml: IntArray
    size_class: IntArray
    line_order: IntArray  # order of each line
    item: IntArray
    quantity: IntArray
    cancelled_line: IntArray  # a line of this batch
    cancelled_at_s: IntArray
    cancelled_quantity: IntArray

    def __len__(self) -> int:
        return len(self.placed_s)


def joined_batches(batches: Sequence[OrderBatch]) -> OrderBatch:
    """One batch of all, in turn."""
    orders = np.cumsum([0, *(len(batch) for batch in batches)])
    lines = np.cumsum([0, *(len(batch.item) for batch in batches)])
    shift = {"line_order": orders, "cancelled_line": lines}
    columns = {}
    for field in fields(OrderBatch):
        parts = [getattr(batch, field.name) for batch in batches]
        if field.name in shift:
            parts = [part + by for part, by in zip(parts, shift[field.name], strict=False)]
        empty = np.zeros(0, dtype=object if field.name == "reference" else np.int64)
        columns[field.name] = np.concatenate([empty, *parts])
    return OrderBatch(**columns)


def no_orders() -> OrderBatch:
    """A batch without orders."""
    return joined_batches([])


def assembled(
    batch: OrderBatch, items: Items, max_parcel_g: int, max_parcel_ml: int
) -> tuple[Orders, Parcels, Lines, Cancellations]:
    """The run's tables: orders by time (ties by reference), split first-fit into parcels within the limits.

    Lines of one order with the same item are one. A unit beyond the limits travels alone. Withdrawn units
    leave the order's last parcels first, and never exceed what the line holds.
    """
    if len(batch.quantity) and batch.quantity.min() < 1:
        raise ValueError("an order line holds no units")
    turn = order_turn(batch)
    rank = np.empty(len(batch), dtype=np.int64)
    rank[turn] = np.arange(len(batch))
    orders = Orders(
        reference=batch.reference[turn],
        placed_s=batch.placed_s[turn],
        place=_rows(batch.place[turn]),
        service=_rows(batch.service[turn]),
        promise_s=batch.promise_s[turn],
        origin=_rows(batch.origin[turn]),
    )
    line_order, item, quantity, merged_of = _merged_lines(rank[batch.line_order], batch, len(items))
    first = np.searchsorted(line_order, np.arange(len(batch) + 1)).astype(np.int64)
    parcel_order, weight, volume, units, row_parcel, row_line, row_units = first_fit(
        first, items.weight_g[item], items.volume_ml[item], quantity, max_parcel_g, max_parcel_ml
    )
    whole = np.flatnonzero(np.diff(first) == 0)  # orders without lines: one parcel each
    source = turn[whole]
    parcel_order = np.concatenate([parcel_order, whole])
    by_order = np.argsort(parcel_order, kind="stable")
    number = np.empty(len(by_order), dtype=np.int64)
    number[by_order] = np.arange(len(by_order))
    row_parcel = number[row_parcel]
    by_parcel = np.argsort(row_parcel, kind="stable")
    row_parcel, row_line, row_units = row_parcel[by_parcel], row_line[by_parcel], row_units[by_parcel]
    classes = np.concatenate([np.full(len(weight), -1), batch.size_class[source]])
    parcels = Parcels(
        order=_rows(parcel_order[by_order]),
        weight_g=np.concatenate([weight, batch.weight_g[source]])[by_order],
        volume_ml=np.concatenate([volume, batch.volume_ml[source]])[by_order],
        units=np.concatenate([units, np.ones(len(whole), dtype=np.int64)])[by_order],
        first_line=np.searchsorted(row_parcel, np.arange(len(by_order) + 1)).astype(np.int64),
        size_class=_rows(classes[by_order]),
    )
    lines = Lines(parcel=_rows(row_parcel), item=_rows(item[row_line]), quantity=row_units)
    return orders, parcels, lines, _cancellations(batch, merged_of, row_line, row_units)


def order_turn(batch: OrderBatch) -> IntArray:
    """The rows of a batch by time placed, ties by reference."""
    turn = np.argsort(batch.placed_s, kind="stable")
    reference, placed = batch.reference[turn], batch.placed_s[turn]
    tied = np.flatnonzero(placed[1:] == placed[:-1])
    if (reference[tied + 1] < reference[tied]).any():  # most sources give references in order: cheap
        turn = turn[np.lexsort((reference.astype(str), placed))]
    return turn.astype(np.int64)


def _merged_lines(
    line_rank: IntArray, batch: OrderBatch, items: int
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Order rank, item and quantity of each distinct (order, item), by order then first mention; and the
    merged line of each line of the batch."""
    key = line_rank * max(items, 1) + batch.item
    distinct, mention, group = np.unique(key, return_index=True, return_inverse=True)
    ranks = distinct // max(items, 1)
    turn = np.lexsort((mention, ranks))
    position = np.empty(len(distinct), dtype=np.int64)
    position[turn] = np.arange(len(distinct))
    merged_of = position[group]
    quantity = np.bincount(merged_of, weights=batch.quantity, minlength=len(distinct)).astype(np.int64)
    return ranks[turn], batch.item[mention[turn]], quantity, merged_of


def _cancellations(
    batch: OrderBatch, merged_of: IntArray, row_line: IntArray, row_units: IntArray
) -> Cancellations:
    rows_by_line = np.lexsort((-np.arange(len(row_line)), row_line))  # a line's last parcel first
    sorted_lines = row_line[rows_by_line]
    left: dict[int, int] = {}
    withdrawn: list[tuple[int, int, int]] = []
    for cancellation in np.lexsort((batch.cancelled_line, batch.cancelled_at_s)):
        line = merged_of[batch.cancelled_line[cancellation]]
        wanted = int(batch.cancelled_quantity[cancellation])
        start, end = np.searchsorted(sorted_lines, [line, line + 1])
        for row in rows_by_line[start:end].tolist():
            available = left.get(row, int(row_units[row]))
            taken = min(wanted, available)
            if taken > 0:
                withdrawn.append((int(batch.cancelled_at_s[cancellation]), row, taken))
                left[row] = available - taken
                wanted -= taken
    table = np.array(withdrawn, dtype=np.int64).reshape(len(withdrawn), 3)
    return Cancellations(at_s=table[:, 0], line=table[:, 1], quantity=table[:, 2])


def _rows(values: IntArray) -> RowArray:
    return values.astype(np.int32)
