"""Slotting: every item in one place, affinity recovers what is bought together, and it helps on unseen orders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.warehouse.affinity import item_affinity
from sim.warehouse.layout import AisleBlock
from sim.warehouse.orders import DAY_S, OrderLines, orders_from_file, orders_of, synthetic_orders
from sim.warehouse.routing import route
from sim.warehouse.slotting import POLICIES, fill_pods, slot


def _history(seed: int, items: int, orders: int = 400) -> OrderLines:
    return synthetic_orders(np.random.default_rng(seed), orders, items, 3.0, families=max(1, items // 8))


@given(st.integers(0, 10**6), st.integers(1, 60), st.sampled_from(POLICIES))
def test_every_item_has_a_place_of_its_own(seed: int, items: int, policy: str) -> None:
    block = AisleBlock(3, 5, 2)
    history = _history(seed, items)
    location = slot(block, policy, history, np.random.default_rng(seed))
    assert np.unique(location).size == items
    assert 0 <= location.min() <= location.max() < block.locations


@given(st.integers(0, 10**6), st.integers(2, 60), st.sampled_from(POLICIES))
def test_bins_are_filled_once_and_no_pod_holds_an_item_twice(seed: int, items: int, policy: str) -> None:
    history = _history(seed, items)
    bins = fill_pods(16, 5, policy, history, np.random.default_rng(seed))
    assert np.bincount(bins.pod, minlength=16).max() <= 5
    assert bins.pod.max() < 16
    pairs = bins.pod * items + bins.item
    assert np.unique(pairs).size == pairs.size
    others = [fill_pods(16, 5, other, history, np.random.default_rng(seed)) for other in POLICIES]
    counts = [np.bincount(each.item, minlength=items) for each in others]
    assert counts[0].min() >= 1
    assert (counts[0] == counts[1]).all()
    assert (counts[0] == counts[2]).all()


def test_turnover_lays_the_busiest_nearest() -> None:
    block = AisleBlock(3, 5, 2, depot_aisle=1)
    history = _history(1, 60)
    location = slot(block, "turnover", history, np.random.default_rng(1))
    busiest = int(np.argmax(history.picks()))
    assert location[busiest] == block.by_aisle()[0]
    aisle_picks = np.bincount(block.aisle[location], history.picks(), 3)
    assert aisle_picks[1] == aisle_picks.max()


def test_affinity_as_computed_by_hand() -> None:
    """Items 0 and 1 in three of four orders together, 2 alone: cosine less chance, shrunk."""
    order = np.array([0, 0, 1, 1, 2, 2, 3])
    item = np.array([0, 1, 0, 1, 0, 1, 2])
    history = orders_of(order, item, np.ones(7, np.int64), order.astype(float), ["a", "b", "c"])
    affinity = item_affinity(history, shrink=1.0)
    assert affinity[0, 1] == pytest.approx((3 / 3 - 3 / 4) * 3 / (3 + 1))
    assert affinity[1, 0] == affinity[0, 1]
    assert affinity.nnz == 2


def test_families_share_aisles_and_unseen_tours_are_shorter() -> None:
    """Families of equal turnover: turnover slotting knows nothing, affinity finds them."""
    generator = np.random.default_rng(2)
    families, size = 8, 12
    theme = np.repeat(generator.integers(0, families, 4000), 3)
    item = theme * size + generator.integers(0, size, theme.size)
    item = generator.permutation(families * size)[item]
    order = np.repeat(np.arange(4000), 3)
    everything = orders_of(
        order, item, np.ones(order.size, np.int64), order * 100.0, [str(n) for n in range(families * size)]
    )
    past, future = everything.between(0, 200_000), everything.between(200_000, 1e9)
    block = AisleBlock(8, 6, 1)
    metres = {}
    for policy in POLICIES:
        location = slot(block, policy, past, np.random.default_rng(3))
        tours = route(block, location[future.item], future.order_of_line, len(future))
        metres[policy] = tours.length_m.mean()
    assert metres["affinity"] < 0.7 * metres["turnover"]
    assert metres["affinity"] < 0.7 * metres["random"]


def test_affinity_shortens_tours_of_real_orders(data_dir) -> None:
    """Learned on the orders before September 2010, measured after: less way a line than by turnover or chance."""
    orders = orders_from_file(data_dir("orders/uci-online-retail-2010.parquet"))
    past, future = orders.between(0, 273 * DAY_S), orders.between(273 * DAY_S, np.inf)
    block = AisleBlock(20, 30, 4, depot_aisle=10)
    per_line = {}
    for policy in POLICIES:
        location = slot(block, policy, past, np.random.default_rng(4))
        tours = route(block, location[future.item], future.order_of_line, len(future))
        per_line[policy] = tours.length_m.sum() / future.lines
    assert per_line["affinity"] < 0.96 * per_line["turnover"]
    assert per_line["turnover"] < 0.7 * per_line["random"]


def test_too_many_items_are_refused() -> None:
    history = _history(1, 60)
    with pytest.raises(ValueError, match="60 items but 8 locations"):
        slot(AisleBlock(2, 2), "turnover", history, np.random.default_rng(1))
    with pytest.raises(ValueError, match="60 items but 50 bins"):
        fill_pods(10, 5, "random", history, np.random.default_rng(1))
    with pytest.raises(ValueError, match="no slotting policy 'moon'"):
        slot(AisleBlock(20, 20), "moon", history, np.random.default_rng(1))
