"""Goods-to-person: a cycle by hand, conservation, Little's law, controllers, faults."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.controllers import BUILT_IN, UnknownControllerError, make, registered
from logistics.storage import GoodsToPersonSection, PackingSection, ReplenishmentSection
from sim.random_streams import Streams
from sim.warehouse.controllers import MatchingOrder
from sim.warehouse.goods_to_person import RobotWarehouse
from sim.warehouse.inbound import Inbound
from sim.warehouse.motion import move_s
from sim.warehouse.orders import OrderLines
from sim.warehouse.pod_floor import PodFloor
from sim.warehouse.result import Fault, WarehouseResult
from sim.warehouse.slotting import Bins, fill_pods
from sim.warehouse.stock import Stock
from tests.sim.warehouse import support

END_S = 5 * 86_400.0


def complete(warehouse: RobotWarehouse) -> WarehouseResult:
    """Run to the end; every order packed, every unit accounted for, Little's law at every station."""
    result = warehouse.run(END_S)
    book = warehouse.orders
    assert result.open_orders == 0
    assert not np.isnan(result.picked_s).any()
    assert (warehouse.stock.picked == book.units_of_items()).all()
    assert (warehouse.stock.promised == 0).all()
    assert result.littles_law_error() < 1e-9
    assert (result.done_s >= result.ready_s).all()
    assert (result.ready_s >= np.maximum.reduceat(result.picked_s, book.first_line[:-1]) - 1e-9).all()
    return result


def _orders(items: list[int], release_s: float = 8 * 3600.0, units: int = 1) -> OrderLines:
    n = len(items)
    return OrderLines(
        np.full(n, release_s),
        np.arange(n + 1, dtype=np.int64),
        np.array(items, np.int32),
        np.full(n, units, np.int64),
        ("a", "b"),
    )


def test_one_robot_cycle_by_hand() -> None:
    """One robot, one station: fetch, lift, carry, pick, carry back, set down; then the next pod."""
    section = GoodsToPersonSection(
        pods=2, bins_per_pod=1, robots=1, stations=1, replenishment_stations=1, shifts=support.shift(1),
        cv=0.0, slowdown=1.2, pod_storage="nearest",
    )  # fmt: skip
    book = _orders([0, 1])
    bins = Bins(np.array([0, 1]), np.array([0, 1]))
    warehouse = RobotWarehouse(section, PackingSection(), book, bins, np.zeros(2, np.int64), Streams(3))
    floor = warehouse.floor
    at = floor.robot_xy[0].copy()
    place = {pod: floor.place_xy[floor.pod_place[pod]].copy() for pod in (0, 1)}
    places = floor.place_xy.copy()
    free = {tuple(xy) for xy in places} - {tuple(xy) for xy in place.values()}
    station = floor.station_xy[0].copy()

    def way(a: np.ndarray, b: np.ndarray) -> float:
        dx, dy = abs(a - b).tolist()
        return 1.2 * (move_s(dx, 1.5, 1.0) + move_s(dy, 1.5, 1.0) + (2.5 if dx and dy else 0.0))

    result = complete(warehouse)
    now = 8 * 3600.0
    for pod in np.argsort([result.picked_s[0], result.picked_s[1]]):
        now += way(at, place[pod]) + 2.2 + way(place[pod], station) + 10.0
        assert result.picked_s[pod] == pytest.approx(now)
        free.add(tuple(place[pod]))
        back = min(free, key=lambda xy: (abs(xy - station).sum(), xy[1], xy[0]))
        free.remove(back)
        at = np.array(back)
        now += way(station, at) + 2.2
    assert result.moved_m > 0


@given(
    st.integers(0, 10**6),
    st.sampled_from(list(itertools.product(*(sorted(BUILT_IN[kind]) for kind in BUILT_IN)))),
    st.integers(1, 12),
)
def test_nothing_is_lost_under_any_controllers(seed: int, names: tuple[str, ...], robots: int) -> None:
    book = support.orders(seed, 40)
    chosen = dict(zip(BUILT_IN, names, strict=True))
    complete(support.robots(book, robots=robots, seed=seed, **chosen))


def test_pile_on_controllers_raise_pile_on_and_save_way() -> None:
    book = support.orders(2, 900, 300)
    load = {"robots": 8, "stations": 2, "shifts": support.shift(2), "pods": 90}
    plain = complete(
        support.robots(book, pod_selection="random", order_assignment="fcfs", pod_storage="random", **load)
    )
    better = complete(support.robots(book, **load))
    assert better.figures["pile_on"] > 1.05 * plain.figures["pile_on"]
    assert better.moved_m < 0.8 * plain.moved_m


def test_more_stations_and_robots_shorten_the_cycle() -> None:
    book = support.orders(3, 500)
    few = complete(support.robots(book, robots=2, stations=1, shifts=support.shift(1)))
    many = complete(support.robots(book, robots=12, stations=6, shifts=support.shift(6)))
    assert np.mean(many.done_s) < np.mean(few.done_s) - 300


def test_steps_change_nothing() -> None:
    book = support.orders(4, 200)
    whole, cut = support.robots(book), support.robots(book)
    for warehouse, step in ((whole, 40_000.0), (cut, 613.0)):
        warehouse.submit(np.arange(len(book)))
        now = 8 * 3600.0
        while np.isnan(warehouse.packed_s).any():
            now += step
            warehouse.advance(now)
    assert (whole.packed_s == cut.packed_s).all()
    assert (whole.picked_s == cut.picked_s).all()


def test_low_batteries_are_charged_and_chargers_are_never_shared() -> None:
    book = support.orders(5, 400)
    result = complete(support.robots(book, drive_s=400.0, charge_s=300.0, chargers=2))
    _, start, finish = result.stays["charging"]
    assert start.size > 10
    times = np.sort(np.concatenate((start, finish)))
    inside = [(start <= at).sum() - (finish <= at).sum() for at in times]
    assert max(inside) == 2


def test_bins_run_low_and_are_refilled_from_reserve() -> None:
    book = support.orders(6, 500)
    warehouse = support.robots(book, reserve=400, bin_units=4)
    complete(warehouse)
    assert warehouse.refills > 20
    assert (warehouse.stock.reserve < 400).any()
    empty = support.robots(book, reserve=0, bin_units=4)
    result = empty.run(2 * 86_400.0)
    assert result.open_orders > 0  # nothing behind the pods: they wait, and nothing goes negative
    empty.audit()


def test_trucks_bring_what_the_pods_lack() -> None:
    book = support.orders(11, 500)
    daily = book.units_of_items().astype(float)
    settings = {"pods": 20, "bins_per_pod": 6, "bin_units": 4, "shifts": support.shift(3)}
    section = GoodsToPersonSection(**settings, robots=6, stations=3)
    bins = fill_pods(20, 6, "random", book, np.random.default_rng(5))
    stock = Stock(bins.units(support.ITEMS, 4), np.zeros(support.ITEMS, np.int64))
    supply = ReplenishmentSection(review_s=3600.0, lead_s=5400.0, carton_units=6, truck_cartons=30)
    inbound = Inbound(supply, stock, daily, Streams(1))
    warehouse = RobotWarehouse(section, PackingSection(), book, bins, stock.reserve, Streams(1), inbound)
    result = complete(warehouse)
    assert stock.received.sum() > 100
    assert {"dock", "receive", "put_away", "replenishment_0"} <= set(result.stays)
    other = Inbound(supply, Stock(stock.initial + 1, stock.initial), daily, Streams(1))
    with pytest.raises(ValueError, match="begin with what the bins hold"):
        RobotWarehouse(section, PackingSection(), book, bins, stock.reserve, Streams(1), other)


def test_a_closed_station_hands_its_orders_on() -> None:
    book = support.orders(7, 300)
    fault = Fault("station_closed", 0, 8.5 * 3600, 10 * 3600.0)
    result = complete(support.robots(book, robots=10, faults=[fault]))
    _, start, _ = result.stays["station_0"]
    assert not ((start > fault.from_s) & (start < fault.to_s)).any()
    assert (start < fault.from_s).any()
    assert (start > fault.to_s).any()
    notes = [(note.at_s, note.what) for note in result.trace]
    assert (fault.from_s, "station closes") in notes
    assert (fault.to_s, "station opens") in notes
    for_ever = complete(support.robots(book, robots=10, faults=[Fault("station_closed", 0, 8.5 * 3600)]))
    assert for_ever.stays["station_0"][2].max() < 9 * 3600


def test_a_stopped_robot_holds_nobody_up() -> None:
    book = support.orders(8, 300)
    faults = [
        Fault("robot_stopped", number % 4, 8.5 * 3600 + 407.0 * number, 8.5 * 3600 + 407.0 * number + 1500)
        for number in range(12)
    ]
    result = complete(support.robots(book, robots=6, speed_mps=0.3, faults=faults))
    stops = [note for note in result.trace if note.what == "robot stops"]
    assert [note.who for note in stops] == [0, 1, 2, 3] * 3
    assert any("other pods" in note.detail for note in stops)
    assert np.median(result.done_s) < 14 * 3600
    healthy = complete(support.robots(book, robots=6, speed_mps=0.3))
    assert np.mean(result.done_s) > np.mean(healthy.done_s)


def test_a_wrong_count_is_found_noted_and_picked_elsewhere() -> None:
    book = support.orders(9, 300)
    item = int(np.argmax(book.picks()))
    fault = Fault("stock_wrong", item, 8.2 * 3600, units=15)
    warehouse = support.robots(book, reserve=500, faults=[fault])
    result = complete(warehouse)
    what = [note.what for note in result.trace]
    assert "stock wrong" in what
    assert "short pick" in what
    assert warehouse.stock.lost[item] == 15


@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 1), st.floats(8.0, 12.0), st.floats(0.0, 30.0)), max_size=3),
    st.lists(st.tuples(st.integers(0, 5), st.floats(8.0, 12.0), st.floats(0.0, 6.0)), max_size=5),
    st.lists(
        st.tuples(st.integers(0, support.ITEMS - 1), st.floats(8.0, 12.0), st.integers(1, 30)), max_size=3
    ),
    st.booleans(),
)
def test_nothing_is_lost_whatever_fails(
    seed: int,
    closed: list[tuple[int, float, float]],
    stopped: list[tuple[int, float, float]],
    wrong: list[tuple[int, float, int]],
    for_ever: bool,
) -> None:
    """Two of three stations may close, also for good; robots stop, also while stopped; counts are wrong."""
    hour = 3600.0
    faults = [
        *(
            Fault("station_closed", s, at * hour, np.inf if for_ever else (at + n) * hour)
            for s, at, n in closed
        ),
        *(Fault("robot_stopped", r, at * hour, (at + n) * hour) for r, at, n in stopped),
        *(Fault("stock_wrong", item, at * hour, units=units) for item, at, units in wrong),
    ]
    complete(support.robots(support.orders(seed, 60), faults=faults, seed=seed, drive_s=900.0, chargers=1))


def test_bad_requests_are_refused() -> None:
    book = support.orders(1, 5)
    with pytest.raises(ValueError, match="no pick station 7"):
        support.robots(book, faults=[Fault("station_closed", 7, 0.0)])
    with pytest.raises(ValueError, match="must come back"):
        support.robots(book, faults=[Fault("robot_stopped", 0, 0.0)])
    with pytest.raises(ValueError, match="no fault 'flood'"):
        Fault("flood", 0, 0.0)
    with pytest.raises(UnknownControllerError, match="nearest, pile_on, random"):
        make("pod_selection", "best", np.random.default_rng(1))
    with pytest.raises(UnknownControllerError, match="no kind of controller"):
        registered("weather")


def test_serving_pods_equals_counting() -> None:
    book = support.orders(10, 30)
    warehouse = support.robots(book)
    floor: PodFloor = warehouse.floor
    floor.order_slots[1, :4] = [3, 5, 8, 13]
    floor.free_units[::3] = 0
    pods, lines = floor.serving_pods(1)
    expected: dict[int, int] = {}
    for order in (3, 5, 8, 13):
        for line in range(book.first_line[order], book.first_line[order + 1]):
            for number in np.flatnonzero((floor.bin_item == book.item[line]) & (floor.free_units > 0)):
                pod = int(floor.bin_pod[number])
                expected[pod] = expected.get(pod, 0) + 1
    assert dict(zip(pods.tolist(), lines.tolist(), strict=True)) == expected


def test_matching_and_claiming_what_is_on_the_way_equal_counting() -> None:
    book = support.orders(11, 40)
    floor: PodFloor = support.robots(book).floor
    floor.pod_station[::2] = np.arange(10) % 4  # the last is a replenishment station
    floor.free_units[::3] = 0
    orders = np.array([3, 5, 8, 13, 21, 34])
    matched = floor.matching_lines(orders)
    assert matched.shape == (6, 3)
    for row, order in enumerate(orders.tolist()):
        for station in range(3):
            lines = range(book.first_line[order], book.first_line[order + 1])
            here = (floor.pod_station[floor.bin_pod] == station) & (floor.free_units > 0)
            assert matched[row, station] == sum(
                bool((here & (floor.bin_item == book.item[line])).any()) for line in lines
            )
    assert matched.max() > 1 > matched.min()
    row, station = divmod(int(matched.argmax()), 3)
    free, wanted = floor.free_units.copy(), floor.open_units.copy()
    claims = floor.claim_coming(int(orders[row]), station)
    assert len({line for line, _, _ in claims}) == matched[row, station]
    for line, number, units in claims:
        assert floor.bin_item[number] == floor.item[line]
        assert floor.pod_station[floor.bin_pod[number]] == station
        free[number] -= units
        wanted[line] -= units
    assert free.min() >= 0 <= wanted.min()
    assert (free == floor.free_units).all()
    assert (wanted == floor.open_units).all()


def test_an_order_goes_where_its_lines_are_on_the_way_but_work_stays_even() -> None:
    book = support.orders(12, 40)
    floor: PodFloor = support.robots(book).floor
    rule = MatchingOrder(np.random.default_rng(1))
    order = int(np.argmax(book.lines_of_order))
    holder = int(floor.bin_pod[np.flatnonzero(floor.bin_item == book.item[book.first_line[order]])[0]])
    floor.pod_station[holder] = 2
    stations, orders = np.array([0, 1, 2]), np.array([order])
    assert rule.choose(floor, stations, orders) == (2, order)
    floor.lines_left[2] = rule.worth + 1
    assert rule.choose(floor, stations, orders) == (0, order)


def test_no_pod_is_fetched_for_a_line_that_one_on_the_way_brings() -> None:
    """Two orders of one item, of which every pod holds some: the second goes with the first one's pod."""
    book = _orders([0, 0])
    book.release_s[1] += 1.0
    result = support.robots(book).run(END_S)
    assert result.figures["pod_trips"] == 1
    assert result.figures["pile_on"] == 2
