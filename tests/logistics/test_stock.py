from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.demand import build_demand
from logistics.scenario import Scenario
from logistics.stock import Stock, rows_of
from logistics.tables import Demand
from tests.logistics.demand_support import scenario, stream, streams


def small(per_day: int = 60, **parts: object) -> tuple[Scenario, Demand]:
    section = scenario(
        {"streams": [stream(per_day=per_day, lines_per_order=3.0, units_per_line=2.5)]},
        catalogue={"items": 12},
        **parts,
    )
    return section, build_demand(section, streams(), Path())


def reserved_in_python(
    free: dict[tuple[int, int], int], demand: Demand, warehouse: dict[int, int], parcels: list[int]
) -> list[bool]:
    granted = []
    for parcel in parcels:
        start, end = demand.parcels.first_line[parcel : parcel + 2]
        site = warehouse[int(demand.orders.origin[demand.parcels.order[parcel]])]
        wanted: dict[tuple[int, int], int] = {}
        for line in range(start, end):
            key = site, int(demand.lines.item[line])
            wanted[key] = wanted.get(key, 0) + int(demand.lines.quantity[line])
        fits = all(free[key] >= units for key, units in wanted.items())
        if fits:
            for key, units in wanted.items():
                free[key] -= units
        granted.append(fits)
    return granted


@given(st.integers(0, 2**32 - 1), st.integers(0, 6))
def test_reservation_equals_plain_python(seed: int, most: int) -> None:
    section, demand = small()
    random = np.random.default_rng(seed)
    on_hand = random.integers(0, most + 1, (2, 12))
    stock = Stock(section, demand, on_hand=on_hand)
    parcels = random.permutation(len(demand.parcels))
    free = {(w, i): int(on_hand[w, i]) for w in range(2) for i in range(12)}
    expected = reserved_in_python(free, demand, {0: 0, 1: 1}, parcels.tolist())
    assert stock.reserve(parcels, demand.lines.quantity).tolist() == expected
    left = stock.on_hand - stock.reserved
    assert {(w, i): int(left[w, i]) for w in range(2) for i in range(12)} == free


@given(st.lists(st.tuples(st.sampled_from("rxtvg"), st.integers(0, 2**16)), max_size=40), st.integers(0, 3))
def test_units_are_conserved_and_never_negative(steps: list[tuple[str, int]], most: int) -> None:
    section, demand = small(per_day=40)
    initial = np.random.default_rng(most).integers(0, most + 2, (2, 12))
    stock = Stock(section, demand, on_hand=initial)
    quantity = demand.lines.quantity.copy()
    received, taken = 0, 0
    waiting = list(range(len(demand.parcels)))
    held: list[int] = []
    open_orders: list[tuple[int, int, int]] = []
    for step, pick in steps:
        if step == "r" and waiting:
            batch = np.array(waiting[: 1 + pick % 7])
            granted = stock.reserve(batch, quantity)
            held += batch[granted].tolist()
            waiting = [parcel for parcel in waiting if parcel not in set(batch[granted].tolist())]
        elif step in "xt" and held:
            lines = rows_of(demand.parcels.first_line, np.array([held.pop(pick % len(held))]))
            if step == "x":
                stock.release(lines, quantity[lines])
            else:
                stock.take(lines, quantity[lines])
                taken += int(quantity[lines].sum())
        elif step == "v":
            refill = stock.review(np.array(waiting, dtype=np.int64), quantity)
            open_orders += list(
                zip(refill.warehouse.tolist(), refill.item.tolist(), refill.quantity.tolist(), strict=True)
            )
        elif step == "g" and open_orders:
            warehouse, item, units = open_orders.pop(pick % len(open_orders))
            stock.receive(np.array([warehouse]), np.array([item]), np.array([units]))
            received += units
        assert initial.sum() + received == stock.on_hand.sum() + taken
        assert stock.on_hand.min() >= 0
        assert stock.reserved.min() >= 0
        assert (stock.on_hand >= stock.reserved).all()
        assert stock.on_order.sum() == sum(units for *_, units in open_orders)
        in_parcels = rows_of(demand.parcels.first_line, np.array(held, dtype=np.int64))
        assert stock.reserved.sum() == quantity[in_parcels].sum()


def test_more_than_was_reserved_is_refused() -> None:
    section, demand = small()
    stock = Stock(section, demand)
    with pytest.raises(ValueError, match="released more"):
        stock.release(np.array([0]), np.array([1]))
    with pytest.raises(ValueError, match="took more"):
        stock.take(np.array([0]), np.array([1]))


def test_initial_stock_covers_the_declared_days() -> None:
    section, demand = small(per_day=400, stock={"initial_days": 2.0})
    stock = Stock(section, demand)
    for warehouse in range(2):
        origin = demand.orders.origin[demand.parcels.order[demand.lines.parcel]]
        for item in range(12):
            mine = (origin == warehouse) & (demand.lines.item == item)
            units = int(demand.lines.quantity[mine].sum())
            assert stock.on_hand[warehouse, item] == max(1, 2 * units)  # all orders lie on one day
    assert stock.reserve(np.arange(len(demand.parcels)), demand.lines.quantity).all()


def test_review_orders_up_to_the_level_once() -> None:
    section, demand = small(per_day=400, stock={"reorder_days": 1.0, "order_up_to_days": 3.0})
    stock = Stock(section, demand, on_hand=np.zeros((2, 12), dtype=np.int64))
    nobody = np.zeros(0, dtype=np.int64)
    refill = stock.review(nobody, demand.lines.quantity)
    assert len(refill) == 24
    assert set(refill.supplier.tolist()) == {7}
    assert len(stock.review(nobody, demand.lines.quantity)) == 0  # it is on its way
    for batch in (slice(0, 10), slice(10, 24)):
        stock.receive(refill.warehouse[batch], refill.item[batch], refill.quantity[batch])
    assert not stock.on_order.any()
    assert stock.reserve(np.arange(len(demand.parcels)), demand.lines.quantity).all()


def test_waiting_parcels_count_against_the_position() -> None:
    section, demand = small(per_day=400, stock={"reorder_days": 0.0, "order_up_to_days": 0.1})
    stock = Stock(section, demand, on_hand=np.zeros((2, 12), dtype=np.int64))
    everyone = np.arange(len(demand.parcels))
    refill = stock.review(everyone, demand.lines.quantity)
    stock.receive(refill.warehouse, refill.item, refill.quantity)
    assert stock.reserve(everyone, demand.lines.quantity).all()


def test_without_a_supplier_nothing_is_ordered() -> None:
    section, demand = small()
    lone = section.model_copy(update={"sites": [site for site in section.sites if site.kind != "supplier"]})
    stock = Stock(lone, demand, on_hand=np.zeros((2, 12), dtype=np.int64))
    assert len(stock.review(np.arange(len(demand.parcels)), demand.lines.quantity)) == 0


def test_the_lane_names_the_supplier() -> None:
    section, demand = small()
    second = section.sites[-1].model_copy(update={"id": "other-maker"})
    vehicle = section.vehicles[0].model_copy(update={"id": "truck", "role": "linehaul"})
    from logistics.scenario import LaneSection

    lane = LaneSection(
        id="in",
        origin="other-maker",
        destination="south",
        vehicle="truck",
        departures=["06:00"],  # type: ignore[list-item]
    )
    larger = section.model_copy(
        update={"sites": [*section.sites, second], "lanes": [lane], "vehicles": [*section.vehicles, vehicle]}
    )
    stock = Stock(larger, demand, on_hand=np.zeros((2, 12), dtype=np.int64))
    refill = stock.review(np.zeros(0, dtype=np.int64), demand.lines.quantity)
    assert {(int(w), int(s)) for w, s in zip(refill.warehouse, refill.supplier, strict=True)} == {
        (0, 7),
        (1, 8),
    }


def test_parcels_without_lines_need_nothing() -> None:
    section = scenario({"streams": [stream(origins={"mill": 1}, sizes={"small": 1})]})
    demand = build_demand(section, streams(), Path())
    assert len(demand.items) == 0
    stock = Stock(section, demand)
    assert len(stock.review(np.zeros(0, dtype=np.int64), demand.lines.quantity)) == 0


def test_withdrawn_units_are_not_reserved() -> None:
    section, demand = small()
    quantity = np.zeros_like(demand.lines.quantity)
    stock = Stock(section, demand, on_hand=np.zeros((2, 12), dtype=np.int64))
    assert stock.reserve(np.arange(len(demand.parcels)), quantity).all()
    assert not stock.reserved.any()
