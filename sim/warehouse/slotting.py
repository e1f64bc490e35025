"""Slotting: which item lies where. At random, by turnover, or by turnover and affinity."""

from __future__ import annotations

from typing import Literal

import numpy as np

from sim.warehouse.affinity import item_affinity
from sim.warehouse.kernels import grouping
from sim.warehouse.layout import AisleBlock
from sim.warehouse.orders import IntArray, OrderLines

Policy = Literal["random", "turnover", "affinity"]
POLICIES: tuple[Policy, ...] = ("random", "turnover", "affinity")

PULL = 30.0  # of affinity against turnover, tuned on the first nine months of the UCI orders


def slot(
    block: AisleBlock,
    policy: str,
    history: OrderLines,
    generator: np.random.Generator,
    pull: float = PULL,
) -> IntArray:
    """(items,) location of every item, one each.

    `random`: any location alike. `turnover`: the more lines ask for an item, the nearer the aisle and the bay
    (aisle by aisle, which suits tours through whole aisles). `affinity`: aisles are filled one after the other
    by `group_items`; within an aisle, the more an item is asked for, the nearer its bay. Only `random` draws
    from the generator. Raises `ValueError` when items outnumber locations, or for an unknown policy.
    """
    items = len(history.names)
    if items > block.locations:
        raise ValueError(f"{items} items but {block.locations} locations; add aisles, bays or levels")
    if policy == "random":
        return generator.permutation(block.locations)[:items].astype(np.int64)
    places = block.by_aisle()
    picks = history.picks()
    result = np.empty(items, np.int64)
    if policy == "turnover":
        result[np.argsort(-picks, kind="stable")] = places[:items]
        return result
    if policy != "affinity":
        raise ValueError(f"no slotting policy {policy!r}; there are: {', '.join(POLICIES)}")
    sizes = np.full(block.aisles, block.per_aisle, np.int64)
    group = group_items(history, sizes, pull)
    turn = np.lexsort((np.arange(items), -picks, group))
    start = np.searchsorted(group[turn], np.arange(block.aisles))
    rank = np.arange(items) - start[group[turn]]
    result[turn] = places[group[turn] * block.per_aisle + rank]
    return result


def group_items(history: OrderLines, sizes: IntArray, pull: float = PULL) -> IntArray:
    """(items,) group of every item: groups of the given sizes, filled in turn with what is bought together.

    The first groups take what is asked for most, so that laying them nearest keeps what turnover gains. `sizes`
    must add up to the number of items at least. Raises `ValueError` otherwise.
    """
    items = len(history.names)
    if int(sizes.sum()) < items:
        raise ValueError(f"groups for {int(sizes.sum())} items, but there are {items}")
    affinity = item_affinity(history)
    group = np.full(items, -1, np.int64)
    weight = history.picks() + 1e-3
    grouping.grow_groups(
        affinity.indptr.astype(np.int64),
        affinity.indices.astype(np.int64),
        affinity.data.astype(np.float64),
        weight.astype(np.float64),
        np.asarray(sizes, np.int64),
        float(pull),
        group,
    )
    return group
