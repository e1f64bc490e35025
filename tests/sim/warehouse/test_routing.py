"""Picker routing: the exact length against enumeration and Held–Karp, the heuristics against hand-drawn tours."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.warehouse.layout import AisleBlock, expected_aisles_visited
from sim.warehouse.routing import route


def _way(block: AisleBlock, a: tuple[int, float], b: tuple[int, float]) -> float:
    """Shortest way between (aisle, along) points through front or back cross aisle."""
    if a[0] == b[0]:
        return abs(a[1] - b[1])
    across = abs(a[0] - b[0]) * block.aisle_pitch_m
    return across + min(a[1] + b[1], 2 * block.length_m - a[1] - b[1])


def _points(block: AisleBlock, locations: list[int]) -> list[tuple[int, float]]:
    picks = {(int(block.aisle[each]), float(block.along_m[each])) for each in locations}
    return [(block.depot_aisle, 0.0), *sorted(picks)]


def enumerated(block: AisleBlock, locations: list[int]) -> float:
    depot, *picks = _points(block, locations)
    return min(
        sum(_way(block, a, b) for a, b in itertools.pairwise([depot, *turn, depot]))
        for turn in itertools.permutations(picks)
    )


def held_karp(block: AisleBlock, locations: list[int]) -> float:
    points = _points(block, locations)
    n = len(points)
    way = [[_way(block, a, b) for b in points] for a in points]
    best = {(1 << k, k): way[0][k] for k in range(1, n)}
    for size in range(2, n):
        for chosen in itertools.combinations(range(1, n), size):
            mask = sum(1 << k for k in chosen)
            for k in chosen:
                best[mask, k] = min(best[mask ^ (1 << k), j] + way[j][k] for j in chosen if j != k)
    full = (1 << n) - 2
    return min(best[full, k] + way[k][0] for k in range(1, n))


BLOCKS = st.builds(
    lambda aisles, bays, pitch, cross, depot: AisleBlock(
        aisles, bays, 1, pitch, 1.0, cross, depot_aisle=min(depot, aisles - 1)
    ),
    st.integers(1, 7),
    st.integers(1, 12),
    st.sampled_from([0.5, 2.0, 4.0, 20.0]),
    st.sampled_from([0.0, 3.0]),
    st.integers(0, 6),
)


def _one(block: AisleBlock, locations: list[int], policy: str) -> float:
    picks = np.array(locations)
    return float(route(block, picks, np.zeros(len(picks), int), 1, policy).length_m[0])


@given(BLOCKS, st.lists(st.integers(0, 10**6), min_size=1, max_size=6))
def test_exact_equals_enumeration(block: AisleBlock, drawn: list[int]) -> None:
    locations = [each % block.locations for each in drawn]
    assert _one(block, locations, "exact") == pytest.approx(enumerated(block, locations))


@given(BLOCKS, st.lists(st.integers(0, 10**6), min_size=5, max_size=11))
def test_exact_equals_held_karp(block: AisleBlock, drawn: list[int]) -> None:
    locations = [each % block.locations for each in drawn]
    assert _one(block, locations, "exact") == pytest.approx(held_karp(block, locations))


@given(BLOCKS, st.lists(st.integers(0, 10**6), min_size=1, max_size=60))
def test_heuristics_are_tours_hence_not_shorter(block: AisleBlock, drawn: list[int]) -> None:
    locations = [each % block.locations for each in drawn]
    exact = _one(block, locations, "exact")
    for policy in ("s_shape", "largest_gap"):
        assert _one(block, locations, policy) >= exact - 1e-9


def test_heuristics_as_drawn() -> None:
    """Five aisles of length 13, pitch 4, depot before aisle 0; picks at 2.5 and 10.5 in aisle 1, 4.5 in 3."""
    block = AisleBlock(5, 10, 1, 4.0, 1.0, 3.0)
    picks = [1 * 20 + 2 * 0, 1 * 20 + 2 * 8, 3 * 20 + 2 * 2]
    along = block.along_m[np.array(picks)]
    assert along.tolist() == [2.0, 10.0, 4.0]
    assert _one(block, picks, "s_shape") == 2 * 3 * 4 + 13 + 13
    assert _one(block, picks[:2], "s_shape") == 2 * 4 + 2 * 10
    three = [*picks, 2 * 20 + 2 * 9]  # aisle 2, 11 m in: gap from the front, 2 m left at the back
    assert _one(block, three, "s_shape") == 24 + 13 + 13 + 2 * 4
    assert _one(block, three, "largest_gap") == 24 + 13 + 13 + 2 * 2


def test_tours_are_kept_apart_and_empty_ones_are_zero() -> None:
    block = AisleBlock(6, 8)
    generator = np.random.default_rng(1)
    location, tour = generator.integers(0, block.locations, 40), generator.integers(0, 5, 40) * 2
    together = route(block, location, tour, 10)
    for number in range(10):
        chosen = location[tour == number]
        expected = _one(block, chosen.tolist(), "exact") if chosen.size else 0.0
        assert together.length_m[number] == expected
        assert together.aisles[number] == np.unique(block.aisle[chosen]).size


def test_aisles_visited_by_random_picks() -> None:
    """M(1 − (1 − 1/M)^n), within four standard errors."""
    block = AisleBlock(12, 20)
    picks, tours = 9, 20_000
    location = np.random.default_rng(2).integers(0, block.locations, picks * tours)
    aisles = route(block, location, np.repeat(np.arange(tours), picks), tours, "s_shape").aisles
    error = aisles.std() / np.sqrt(tours)
    assert abs(aisles.mean() - expected_aisles_visited(12, picks)) < 4 * error
    assert error < 0.02


def test_bad_requests_are_refused() -> None:
    block = AisleBlock(2, 2)
    with pytest.raises(ValueError, match="no routing policy 'zigzag'"):
        route(block, np.array([0]), np.array([0]), 1, "zigzag")
    with pytest.raises(ValueError, match="location outside 0 to 7"):
        route(block, np.array([8]), np.array([0]), 1)
    with pytest.raises(ValueError, match="depot before one of the aisles"):
        AisleBlock(2, 2, depot_aisle=2)
