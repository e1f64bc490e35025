"""Picker-to-parts: a tour by hand, conservation through receive, store, pick and pack, Little's law, faults."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.storage import PackingSection, PickerToPartsSection, ReplenishmentSection
from sim.random_streams import Streams
from sim.warehouse.batching import batch_orders
from sim.warehouse.inbound import Inbound
from sim.warehouse.layout import AisleBlock
from sim.warehouse.orders import OrderLines
from sim.warehouse.picker_to_parts import PickerFloor
from sim.warehouse.result import Fault, SpaceUsed, WarehouseResult
from sim.warehouse.routing import route
from sim.warehouse.stock import Stock
from tests.sim.warehouse import support

END_S = 6 * 86_400.0


def complete(floor: PickerFloor) -> WarehouseResult:
    result = floor.run(END_S)
    book = floor.orders
    assert result.open_orders == 0
    assert (floor.stock.picked == book.units_of_items()).all()
    assert (floor.stock.promised == 0).all()
    assert result.littles_law_error() < 1e-9
    assert (result.picked_s >= book.release_s[book.order_of_line]).all()
    assert (result.ready_s >= np.maximum.reduceat(result.picked_s, book.first_line[:-1]) - 1e-9).all()
    assert (result.done_s >= result.ready_s).all()
    return result


def test_one_tour_by_hand() -> None:
    """Two lines in one order: the wave after the release, setup, way, two efforts; then packing."""
    section = PickerToPartsSection(
        aisles=2,
        bays=5,
        levels=1,
        cv=0.0,
        pickers=support.shift(1),
        wave_s=1800,
        routing="s_shape",
        face_units=10,
    )
    book = OrderLines(
        np.array([8.1 * 3600]), np.array([0, 2]), np.array([0, 1], np.int32), np.array([1, 3]), ("a", "b")
    )
    # Depot before aisle 1; item a in aisle 0, second bay (1.5 + 1.8 m), b in aisle 1, first bay.
    location = np.array([2, 10])
    stock = Stock(np.array([10, 10]), np.array([0, 0]))
    floor = PickerFloor(section, PackingSection(cv=0.0), book, location, stock, Streams(1))
    result = complete(floor)
    way = 2 * 4.0 + 2 * (5 * 1.2 + 3.0)
    picked = 8.5 * 3600 + 120 + way / 1.2 + 12 + 12 + 2 * 3.0
    assert result.picked_s.tolist() == pytest.approx([picked, picked])
    assert result.done_s[0] == pytest.approx(picked + 30 + 4)
    assert result.moved_m == way


@given(
    st.integers(0, 10**6),
    st.sampled_from(["fcfs", "seed", "savings"]),
    st.sampled_from(["s_shape", "largest_gap", "exact"]),
    st.integers(1, 3),
    st.sampled_from([0, 2, 50]),
)
def test_nothing_is_lost(seed: int, batching: str, routing: str, zones: int, cubbies: int) -> None:
    book = support.orders(seed, 50)
    floor = support.walkers(
        book, batching=batching, routing=routing, zones=zones, cubbies=cubbies, cart_lines=5, seed=seed
    )
    complete(floor)


def test_a_cubby_holds_one_order_at_a_time() -> None:
    book = support.orders(3, 300)
    floor = support.walkers(book, cubbies=4, zones=2, cart_orders=8)
    result = complete(floor)
    wall = floor.wall
    assert wall is not None
    begin = np.array(
        [wall.start_s[book.first_line[o] : book.first_line[o + 1]].min() for o in range(len(book))]
    )
    times = np.sort(np.concatenate((begin, result.ready_s)))
    inside = [(begin <= at).sum() - (result.ready_s <= at).sum() for at in times]
    assert max(inside) == 4
    roomy = complete(support.walkers(book, cubbies=300, zones=2, cart_orders=8))
    assert roomy.ready_s.mean() < result.ready_s.mean()


def test_steps_change_nothing() -> None:
    book = support.orders(4, 200)
    whole, cut = support.walkers(book, cubbies=20, zones=2), support.walkers(book, cubbies=20, zones=2)
    for floor, step in ((whole, 3600.0), (cut, 450.0)):
        floor._next_wave_s = 8 * 3600.0
        floor.submit(np.arange(len(book)))
        now = 8 * 3600.0
        while not floor.idle:
            now += step
            floor.advance(now)
    assert (whole.packed_s == cut.packed_s).all()


def test_exact_routing_and_batching_save_way() -> None:
    book = support.orders(5, 400, 150)
    settings = {"aisles": 8, "bays": 6}
    length = {
        routing: complete(support.walkers(book, batching="fcfs", routing=routing, **settings)).moved_m
        for routing in ("s_shape", "largest_gap", "exact")
    }
    assert length["exact"] < min(length["s_shape"], length["largest_gap"])
    batched = {
        batching: complete(support.walkers(book, batching=batching, routing="exact", **settings)).moved_m
        for batching in ("seed", "savings")
    }
    assert max(batched.values()) < length["exact"]


@given(
    st.integers(0, 10**6), st.sampled_from(["fcfs", "seed", "savings"]), st.integers(1, 6), st.integers(4, 12)
)
def test_batches_hold_every_order_once_within_the_cart(seed: int, policy: str, most: int, lines: int) -> None:
    generator = np.random.default_rng(seed)
    block = AisleBlock(5, 6)
    size = generator.integers(1, 5, 30)
    order = np.repeat(np.arange(30), size)
    location = generator.integers(0, block.locations, order.size)
    cart = batch_orders(block, location, order, 30, policy, most, lines)
    carts = np.unique(cart)
    assert (carts == np.arange(carts.size)).all()
    assert np.bincount(cart).max() <= most
    assert np.bincount(cart, size).max() <= lines


def test_savings_never_lengthen() -> None:
    generator = np.random.default_rng(6)
    block = AisleBlock(8, 10)
    order = np.repeat(np.arange(60), 3)
    location = generator.integers(0, block.locations, order.size)
    cart = batch_orders(block, location, order, 60, "savings", 4, 12)
    together = route(block, location, cart[order], int(cart.max()) + 1).length_m.sum()
    alone = route(block, location, order, 60).length_m.sum()
    assert together < 0.6 * alone


def test_faces_are_refilled_from_reserve_before_they_are_picked() -> None:
    book = support.orders(7, 400)
    floor = support.walkers(book, face_units=3, refillers=2)
    result = complete(floor)
    assert result.figures["refills"] > 50
    assert (result.stays["refill"][2] - result.stays["refill"][1] == 90).all()


def test_without_stock_orders_wait_for_the_truck() -> None:
    book = support.orders(8, 200)
    daily = book.units_of_items().astype(float)
    stock = Stock(np.ones(support.ITEMS, np.int64), np.zeros(support.ITEMS, np.int64))
    section = ReplenishmentSection(review_s=3600.0, lead_s=7200.0, carton_units=5, truck_cartons=40)
    inbound = Inbound(section, stock, daily, Streams(1))
    floor = support.walkers(book, stock=stock, inbound=inbound)
    result = complete(floor)
    assert stock.received.sum() > 0
    assert inbound.trucks > 2
    assert {"dock", "receive", "put_away"} <= set(result.stays)
    assert np.median(result.done_s) > 8 * 3600 + 7200


@given(
    st.integers(0, 10**6),
    st.sampled_from(["s_S", "forecast"]),
    st.floats(0.0, 2.0),
    st.lists(st.tuples(st.integers(0, support.ITEMS - 1), st.integers(1, 30)), max_size=4),
)
def test_counts_never_go_negative(seed: int, policy: str, days: float, wrong: list[tuple[int, int]]) -> None:
    """Receive, store, pick, pack with wrong counts: every unit in one place at every wave, none below zero."""
    book = support.orders(seed, 60)
    daily = book.units_of_items().astype(float)
    stock = Stock.covering(daily, days, 5)
    section = ReplenishmentSection(policy=policy, review_s=7200.0, lead_s=3600.0, carton_units=4)
    faults = [Fault("stock_wrong", item, 9 * 3600.0, units=units) for item, units in wrong]
    floor = support.walkers(
        book, stock=stock, inbound=Inbound(section, stock, daily, Streams(seed)), faults=faults, face_units=5
    )
    floor.submit(np.arange(len(book)))
    for wave in range(2 * 24 * 8):
        floor.advance(wave * 900.0)
        stock.audit()
    assert floor.idle
    assert (stock.picked == book.units_of_items()).all()


def test_a_wrong_count_is_found_and_the_line_picked_again() -> None:
    book = support.orders(9, 200)
    item = int(np.argmax(book.picks()))
    floor = support.walkers(book, faults=[Fault("stock_wrong", item, 8.5 * 3600, units=8)], face_units=8)
    result = complete(floor)
    what = [note.what for note in result.trace]
    assert what.count("stock wrong") == 1
    assert "short pick" in what
    assert floor.stock.lost[item] == 8


def test_a_closed_zone_stops_its_carts_only() -> None:
    book = support.orders(10, 200)
    fault = Fault("station_closed", 1, 8.5 * 3600, 14 * 3600.0)
    result = complete(support.walkers(book, zones=2, cubbies=100, faults=[fault]))
    start = result.stays["zone_1"][1]
    assert not ((start >= fault.from_s) & (start < fault.to_s)).any()
    other = result.stays["zone_0"][1]
    assert ((other >= fault.from_s) & (other < fault.to_s)).any()
    assert "zone closed" in [note.what for note in result.trace]


def test_reviews_order_by_position() -> None:
    daily = np.array([10.0, 10.0, 0.0])
    stock = Stock(np.array([5, 60, 0]), np.zeros(3, np.int64))
    inbound = Inbound(ReplenishmentSection(lead_s=3600.0, lead_cv=0.0), stock, daily, Streams(1))
    inbound.advance(0.0)
    assert stock.on_order.tolist() == [45, 0, 1]  # s = 20, S = 50; an item nobody asked for keeps one
    inbound.advance(3600.0)
    assert stock.dock.sum() == 0
    inbound.advance(2 * 3600.0)
    assert stock.reserve.tolist() == [45, 0, 1]
    assert stock.on_order.tolist() == [0, 0, 0]
    stock.audit()


def test_forecast_follows_demand() -> None:
    daily = np.array([10.0])
    section = ReplenishmentSection(policy="forecast", lead_s=0.0, smoothing=0.5, safety=0.0)
    stock = Stock(np.array([10_000]), np.zeros(1, np.int64))
    inbound = Inbound(section, stock, daily, Streams(1))
    inbound.advance(0.0)
    levels = [10.0]
    for day in range(1, 5):
        stock.asked += 40
        inbound.advance(day * 86_400.0)
        levels.append(0.5 * levels[-1] + 0.5 * 40)
        assert inbound.targets()[1][0] == math.ceil(levels[-1])


def test_bad_requests_are_refused() -> None:
    book = support.orders(1, 5)
    with pytest.raises(ValueError, match="has no picker"):
        support.walkers(book, pickers=support.shift(1), zones=2)
    with pytest.raises(ValueError, match="a cart holds 1 to 2"):
        batch_orders(AisleBlock(2, 2), np.array([0, 1, 2]), np.zeros(3, int), 1, "fcfs", 1, 2)
    with pytest.raises(AssertionError, match="item 1: face is -2"):
        Stock(np.array([1, -2]), np.array([0, 0]))


def test_space_used_by_hand() -> None:
    """4 of 10 places for 100 s, 5 for 50 s, 2 for 50 s."""
    space = SpaceUsed(10, 4)
    assert space.figures(0.0) == {"space_used_mean_pct": 40.0, "space_used_peak_pct": 40.0}
    space.count(1000.0, 4)
    space.change(1100.0, 1)
    space.count(1150.0, 2)
    assert space.figures(1200.0) == {"space_used_mean_pct": 37.5, "space_used_peak_pct": 50.0}


def test_stock_accuracy_and_places_used_by_hand() -> None:
    """The books of one item of five are wrong; of 80 locations those are used whose items have units."""
    book = support.orders(1, 1, items=5)
    units = np.array([7, 7, 7, 0, 0])
    ordered = int(book.item[0])
    units[ordered] = int(book.units[0])
    floor = support.walkers(book, stock=Stock(units, 0 * units))
    other = next(item for item in range(5) if units[item] and item not in book.item)
    assert floor.stock.miscount(other, 2) == 2
    before = floor.result().figures
    assert before["stock_accuracy_pct"] == pytest.approx(100 * 4 / 5)
    assert before["space_used_peak_pct"] == pytest.approx(100 * np.count_nonzero(units) / 80)
