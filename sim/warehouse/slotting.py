"""Slotting: which item lies where. At random, by turnover, or by turnover and affinity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from sim.warehouse.affinity import item_affinity
from sim.warehouse.kernels import grouping
from sim.warehouse.layout import AisleBlock
from sim.warehouse.orders import BoolArray, IntArray, OrderLines

Policy = Literal["random", "turnover", "affinity"]
POLICIES: tuple[Policy, ...] = ("random", "turnover", "affinity")

PULL = 30_000.0  # of affinity against turnover; mean affinities are of the order of 1e-4


def slot(
    block: AisleBlock,
    policy: str,
    history: OrderLines,
    generator: np.random.Generator,
    pull: float = PULL,
) -> IntArray:
    """(items,) location of every item, one each.

    `random`: any location alike. `turnover`: the more lines ask for an item, the nearer the aisle and the bay
    (aisle by aisle, which suits tours through whole aisles). `affinity`: aisles are filled one after the
    other by `group_items`; within an aisle, the more an item is asked for, the nearer its bay. Only `random`
    draws from the generator. Raises `ValueError` when items outnumber locations, or for an unknown policy.
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
    group = group_items(item_affinity(history), picks, sizes, pull)
    turn = np.lexsort((np.arange(items), -picks, group))
    start = np.searchsorted(group[turn], np.arange(block.aisles))
    rank = np.arange(items) - start[group[turn]]
    result[turn] = places[group[turn] * block.per_aisle + rank]
    return result


def group_items(
    affinity: sparse.csr_array,
    picks: IntArray,
    sizes: IntArray,
    pull: float = PULL,
    members: BoolArray | None = None,
) -> IntArray:
    """(items,) group of every item: groups of the given sizes, filled in turn with what is bought together.

    `affinity` is that of `item_affinity`, `picks` (items,) how often each is asked for. With `members` only
    these items are grouped; others get a negative number. The first groups take what is asked for most, so
    that laying them nearest keeps what turnover gains. `sizes` must add up to the number of items at least.
    Raises `ValueError` otherwise.
    """
    chosen = np.ones(picks.size, np.bool_) if members is None else members
    if int(sizes.sum()) < chosen.sum():
        raise ValueError(f"groups for {int(sizes.sum())} items, but there are {chosen.sum()}")
    group = np.where(chosen, -1, -2).astype(np.int64)
    weight = picks + 1e-3
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


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Bins of pods: parallel arrays of pod and item; no pod holds an item twice."""

    pod: IntArray
    item: IntArray

    def units(self, items: int, bin_units: int) -> IntArray:
        """(items,) units when every bin is full."""
        full: IntArray = np.bincount(self.item, minlength=items).astype(np.int64) * bin_units
        return full


def fill_pods(
    pods: int,
    bins_per_pod: int,
    policy: str,
    history: OrderLines,
    generator: np.random.Generator,
    pull: float = PULL,
) -> Bins:
    """Which items share a pod. Items asked for more get more bins, by the square root of their lines.

    Every policy gives an item the same number of bins, on different pods. `random` deals them out; `turnover`
    puts items of like turnover on one pod; `affinity` groups what is bought together by `group_items`. Raises
    `ValueError` when items outnumber bins.
    """
    items = len(history.names)
    if items > pods * bins_per_pod:
        raise ValueError(f"{items} items but {pods * bins_per_pod} bins; add pods or bins_per_pod")
    picks = history.picks()
    copies = _copies(picks, pods, bins_per_pod)
    if policy == "random":
        item = np.repeat(np.arange(items), copies)
        return Bins(_dealt(copies, pods, bins_per_pod, generator), item)
    if policy not in ("turnover", "affinity"):
        raise ValueError(f"no slotting policy {policy!r}; there are: {', '.join(POLICIES)}")
    affinity = item_affinity(history) if policy == "affinity" else None
    pod_parts, item_parts, first_pod = [], [], 0
    for copy in range(int(copies.max())):
        members = copies > copy
        number = -(-int(members.sum()) // bins_per_pod)
        if affinity is None:
            chosen = np.flatnonzero(members)[np.argsort(-picks[members], kind="stable")]
            group = np.arange(chosen.size) // bins_per_pod
        else:
            sizes = np.full(number, bins_per_pod, np.int64)
            grouped = group_items(affinity, picks, sizes, pull, members)
            chosen = np.flatnonzero(members)
            group = grouped[chosen]
        pod_parts.append(first_pod + group)
        item_parts.append(chosen)
        first_pod += number
    return Bins(np.concatenate(pod_parts).astype(np.int64), np.concatenate(item_parts).astype(np.int64))


def _copies(picks: IntArray, pods: int, bins_per_pod: int) -> IntArray:
    """(items,) number of bins: about √picks, at least one, so that rounds of one bin each fit into the pods."""
    weight = np.sqrt(picks.astype(np.float64))
    low, high = 0.0, float(pods * bins_per_pod)
    copies = np.ones(picks.size, np.int64)
    for _ in range(60):
        middle = (low + high) / 2
        trial = np.clip((weight / max(weight.sum(), 1.0) * middle).astype(np.int64), 1, pods)
        rounds = (trial[None, :] > np.arange(int(trial.max()))[:, None]).sum(axis=1)
        if int((-(-rounds // bins_per_pod)).sum()) <= pods:
            low, copies = middle, trial
        else:
            high = middle
    return copies


def _dealt(copies: IntArray, pods: int, bins_per_pod: int, generator: np.random.Generator) -> IntArray:
    """Pod of every bin: items in random order, each on the emptiest pods, ties at random."""
    held = np.zeros(pods, np.int64)
    first = np.concatenate(([0], np.cumsum(copies)))
    pod = np.empty(int(first[-1]), np.int64)
    for item in generator.permutation(copies.size).tolist():
        room = held + generator.random(pods) * bins_per_pod
        room[held >= bins_per_pod] = np.inf
        chosen = np.sort(np.argpartition(room, int(copies[item]) - 1)[: copies[item]])
        held[chosen] += 1
        pod[first[item] : first[item + 1]] = chosen
    return pod
