from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.orders import OrderBatch, assembled, joined_batches, no_orders
from logistics.tables import Items

LIMIT_G, LIMIT_ML = 1000, 3000

line = st.tuples(st.integers(0, 5), st.integers(1, 25))  # item, quantity
order = st.tuples(st.integers(0, 50), st.lists(line, max_size=6))  # placed, lines


def catalogue(weights: list[int], volumes: list[int]) -> Items:
    names = np.array([f"i{k}" for k in range(len(weights))], dtype=object)
    return Items(
        names, names, np.array(weights), np.array(volumes), np.ones(len(weights), dtype=np.int64), names
    )


ITEMS = catalogue([100, 333, 1000, 1500, 1, 50], [100, 500, 10, 5000, 3000, 900])  # 3 exceeds both limits


def batch_of(
    orders: list[tuple[int, list[tuple[int, int]]]], cancelled: list[tuple[int, int, int]] | None = None
) -> OrderBatch:
    lines = [(number, item, units) for number, (_, content) in enumerate(orders) for item, units in content]
    columns = np.array(lines, dtype=np.int64).reshape(-1, 3)
    taken = np.array(cancelled or [], dtype=np.int64).reshape(-1, 3)
    count = len(orders)
    return OrderBatch(
        reference=np.array([f"r{number:03d}" for number in range(count)], dtype=object),
        placed_s=np.array([placed for placed, _ in orders], dtype=np.int64),
        place=np.arange(count),
        service=np.zeros(count, dtype=np.int64),
        origin=np.zeros(count, dtype=np.int64),
        promise_s=np.full(count, 99, dtype=np.int64),
        weight_g=np.full(count, 700, dtype=np.int64),
        volume_ml=np.full(count, 800, dtype=np.int64),
        size_class=np.full(count, 2, dtype=np.int64),
        line_order=columns[:, 0],
        item=columns[:, 1],
        quantity=columns[:, 2],
        cancelled_line=taken[:, 0],
        cancelled_at_s=taken[:, 1],
        cancelled_quantity=taken[:, 2],
    )


def first_fit_in_python(content: list[tuple[int, int]]) -> list[dict[int, int]]:
    """Unit by unit: the first parcel of the order with room, else a new one."""
    merged: dict[int, int] = {}
    for item, units in content:
        merged[item] = merged.get(item, 0) + units
    parcels: list[dict[int, int]] = []
    for item, units in merged.items():
        for _ in range(units):
            for parcel in parcels:
                grams = sum(ITEMS.weight_g[i] * n for i, n in parcel.items()) + ITEMS.weight_g[item]
                millilitres = sum(ITEMS.volume_ml[i] * n for i, n in parcel.items()) + ITEMS.volume_ml[item]
                if grams <= LIMIT_G and millilitres <= LIMIT_ML:
                    parcel[item] = parcel.get(item, 0) + 1
                    break
            else:
                parcels.append({item: 1})
    return parcels


@given(st.lists(order, max_size=8))
def test_splitting_equals_plain_python(orders: list[tuple[int, list[tuple[int, int]]]]) -> None:
    batch = batch_of(orders)
    table, parcels, lines, _ = assembled(batch, ITEMS, LIMIT_G, LIMIT_ML)
    assert table.reference.tolist() == sorted(
        batch.reference.tolist(), key=lambda name: (orders[int(name[1:])][0], name)
    )
    at = 0
    for row, reference in enumerate(table.reference):
        placed, content = orders[int(reference[1:])]
        assert table.placed_s[row] == placed
        expected = first_fit_in_python(content) if content else [None]
        for parcel in expected:
            assert parcels.order[at] == row
            start, end = parcels.first_line[at : at + 2]
            inside = dict(
                zip(lines.item[start:end].tolist(), lines.quantity[start:end].tolist(), strict=True)
            )
            assert (lines.parcel[start:end] == at).all()
            if parcel is None:
                assert (parcels.weight_g[at], parcels.volume_ml[at], parcels.units[at]) == (700, 800, 1)
                assert inside == {}
                assert parcels.size_class[at] == 2
            else:
                assert inside == parcel
                assert parcels.units[at] == sum(parcel.values())
                assert parcels.weight_g[at] == sum(ITEMS.weight_g[i] * n for i, n in parcel.items())
                assert parcels.volume_ml[at] == sum(ITEMS.volume_ml[i] * n for i, n in parcel.items())
                assert parcels.size_class[at] == -1
            at += 1
    assert at == len(parcels)


@given(st.lists(order, min_size=1, max_size=30))
def test_limits_hold_and_units_are_conserved(orders: list[tuple[int, list[tuple[int, int]]]]) -> None:
    batch = batch_of(orders)
    _, parcels, lines, _ = assembled(batch, ITEMS, LIMIT_G, LIMIT_ML)
    with_lines = np.diff(parcels.first_line) > 0
    assert lines.quantity.sum() == batch.quantity.sum() == parcels.units[with_lines].sum()
    oversize = (parcels.weight_g > LIMIT_G) | (parcels.volume_ml > LIMIT_ML)
    assert (parcels.units[oversize] == 1).all()
    assert len(lines) == 0 or lines.quantity.min() >= 1


@given(
    st.lists(order.filter(lambda each: each[1]), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 29), st.integers(51, 99), st.integers(1, 40)), max_size=12),
)
def test_cancellations_never_exceed_the_line(
    orders: list[tuple[int, list[tuple[int, int]]]], wanted: list[tuple[int, int, int]]
) -> None:
    total = sum(len(content) for _, content in orders)
    cancelled = [(row % total, at, units) for row, at, units in wanted]
    batch = batch_of(orders, cancelled)
    table, parcels, lines, taken = assembled(batch, ITEMS, LIMIT_G, LIMIT_ML)
    assert (np.diff(taken.at_s) >= 0).all()
    units = np.bincount(taken.line, weights=taken.quantity, minlength=len(lines)).astype(int)
    assert (units <= lines.quantity).all()
    asked: dict[tuple[str, int], int] = {}
    bought: dict[tuple[str, int], int] = {}
    for row, _, count in cancelled:
        key = batch.reference[batch.line_order[row]], int(batch.item[row])
        asked[key] = asked.get(key, 0) + count
    for row in range(total):
        key = batch.reference[batch.line_order[row]], int(batch.item[row])
        bought[key] = bought.get(key, 0) + int(batch.quantity[row])
    withdrawn: dict[tuple[str, int], int] = {}
    for row, count in enumerate(units.tolist()):
        key = table.reference[parcels.order[lines.parcel[row]]], int(lines.item[row])
        withdrawn[key] = withdrawn.get(key, 0) + count
    assert withdrawn == {key: min(units, asked.get(key, 0)) for key, units in bought.items()}


def test_cancellations_leave_the_last_parcel_first() -> None:
    batch = batch_of([(0, [(0, 25)])], [(0, 60, 7)])  # 10 units fit into a parcel
    _, parcels, lines, taken = assembled(batch, ITEMS, LIMIT_G, LIMIT_ML)
    assert parcels.units.tolist() == [10, 10, 5]
    assert list(zip(lines.parcel[taken.line].tolist(), taken.quantity.tolist(), strict=True)) == [
        (2, 5),
        (1, 2),
    ]


def test_many_parcels_of_one_order() -> None:
    batch = batch_of([(0, [(2, 20_000), (4, 3)])])
    _, parcels, lines, _ = assembled(batch, ITEMS, LIMIT_G, LIMIT_ML)
    assert len(parcels) == 20_003
    assert lines.quantity.sum() == 20_003


def test_joined_batches_shift_their_rows() -> None:
    first = batch_of([(5, [(0, 1)]), (1, [])], [(0, 60, 1)])
    second = batch_of([(2, [(1, 2), (2, 1)])], [(1, 70, 1)])
    both = joined_batches([first, second])
    assert both.line_order.tolist() == [0, 2, 2]
    assert both.cancelled_line.tolist() == [0, 2]
    table, _, lines, taken = assembled(both, ITEMS, LIMIT_G, LIMIT_ML)
    assert table.placed_s.tolist() == [1, 2, 5]
    assert lines.item[taken.line].tolist() == [0, 2]


def test_ties_are_broken_by_reference() -> None:
    one = batch_of([(5, [])] * 2)
    other = joined_batches([one, batch_of([(5, [])] * 3)])
    table, *_ = assembled(other, ITEMS, LIMIT_G, LIMIT_ML)
    assert table.reference.tolist() == ["r000", "r000", "r001", "r001", "r002"]


def test_no_orders() -> None:
    table, parcels, lines, taken = assembled(no_orders(), catalogue([], []), LIMIT_G, LIMIT_ML)
    assert [len(each) for each in (table, parcels, lines, taken)] == [0, 0, 0, 0]
    assert parcels.first_line.tolist() == [0]


def test_lines_without_units_are_refused() -> None:
    with pytest.raises(ValueError, match="no units"):
        assembled(batch_of([(0, [(0, 0)])]), ITEMS, LIMIT_G, LIMIT_ML)
