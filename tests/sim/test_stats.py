"""Output statistics against textbook values, plain loops and their own promises."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from sim.stats import (
    littles_law,
    mean_interval,
    occupancy,
    paired_difference,
    replications_for,
    time_average,
    warm_up,
    weighted_quantile,
)

TIMES = st.integers(-20, 60).map(lambda tick: tick / 2)


def test_interval_equals_scipy() -> None:
    sample = np.random.default_rng(1).normal(5, 2, 17)
    interval = mean_interval(sample, 0.99)
    low, high = scipy_stats.t.interval(0.99, 16, loc=sample.mean(), scale=scipy_stats.sem(sample))
    assert interval.low == pytest.approx(low, rel=1e-12)
    assert interval.high == pytest.approx(high, rel=1e-12)
    assert interval.covers(low + 1e-6)
    assert not interval.covers(low - 1e-6)
    assert mean_interval([3.0]).half_width == math.inf


def test_interval_covers_as_often_as_it_says() -> None:
    samples = np.random.default_rng(2).normal(0, 1, (4000, 5))
    covered = sum(mean_interval(sample, 0.9).covers(0.0) for sample in samples)
    assert abs(covered / 4000 - 0.9) < 4 * math.sqrt(0.09 / 4000)


def test_pairs_cancel_what_they_share() -> None:
    generator = np.random.default_rng(3)
    shared = generator.normal(100, 30, 20)
    first, second = shared + generator.normal(0, 1, 20), shared + 2 + generator.normal(0, 1, 20)
    paired = paired_difference(first, second)
    assert paired.covers(2.0)
    assert not paired.covers(0.0)
    assert paired.half_width < mean_interval(first).half_width / 10
    with pytest.raises(ValueError, match="same replications"):
        paired_difference(first, second[1:])


@given(st.integers(0, 2**32), st.floats(0.05, 5), st.sampled_from([0.9, 0.95, 0.999]))
def test_replication_count_is_the_least(seed: int, half_width: float, level: float) -> None:
    pilot = np.random.default_rng(seed).normal(0, 1, 6)

    def width(n: int) -> float:
        return float(scipy_stats.t.ppf(0.5 + level / 2, n - 1) * pilot.std(ddof=1) / math.sqrt(n))

    n = replications_for(pilot, half_width, level)
    assert width(n) <= half_width * (1 + 1e-9)
    assert n == 6 or width(n - 1) > half_width * (1 - 1e-9)


def test_warm_up_finds_the_end_of_a_transient() -> None:
    generator = np.random.default_rng(4)
    noise = generator.normal(0, 1, 2000)
    noise[:300] += np.linspace(20, 0, 300)
    assert 200 <= warm_up(noise) <= 320
    assert warm_up(generator.normal(0, 1, 2000)) <= 200


@given(st.lists(st.integers(-9, 9), min_size=20, max_size=60))
def test_warm_up_is_the_minimum(series: list[int]) -> None:
    means = np.array(series[: len(series) // 5 * 5], float).reshape(-1, 5).mean(axis=1)
    errors = [means[cut:].var() / (means.size - cut) for cut in range(means.size // 2 + 1)]
    assert errors[warm_up(series) // 5] == pytest.approx(min(errors), abs=1e-9)


def test_time_average() -> None:
    assert time_average([0, 4, 10], [2, 5, 1], 2, 12) == pytest.approx((2 * 2 + 6 * 5 + 2 * 1) / 10)
    assert time_average([5], [3], 0, 10) == 1.5
    assert time_average([0, 4], [7, 9], 1, 2) == 7
    with pytest.raises(ValueError, match="do not descend"):
        time_average([4, 0], [1, 2], 0, 5)
    with pytest.raises(ValueError, match="span"):
        time_average([0], [1], 5, 5)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4)), min_size=1), st.integers(0, 20))
def test_weighted_quantile_equals_repeating(pairs: list[tuple[int, int]], twentieth: int) -> None:
    repeated = sorted(value for value, weight in pairs for _ in range(weight))
    values, weights = [value for value, _ in pairs], [weight for _, weight in pairs]
    if not repeated:
        with pytest.raises(ValueError, match="weights"):
            weighted_quantile(values, weights, 0.5)
        return
    rank = max(1, -(-twentieth * len(repeated) // 20))
    assert weighted_quantile(values, weights, twentieth / 20) == repeated[rank - 1]


@given(
    st.lists(st.tuples(TIMES, st.integers(0, 40).map(lambda tick: tick / 2)), max_size=12),
    st.lists(TIMES, min_size=2, max_size=6, unique=True).map(sorted),
)
def test_occupancy_equals_counting(stays: list[tuple[float, float]], edges: list[float]) -> None:
    """All times are multiples of one half: presence between two neighbouring ones is constant."""
    enter = [begin for begin, _ in stays]
    leave = [begin + length for begin, length in stays]
    result = occupancy(enter, leave, edges)
    for i, (left, right) in enumerate(itertools.pairwise(edges)):
        moments = np.arange(left, right, 0.5)
        present = [sum(a <= m < b for a, b in zip(enter, leave, strict=True)) for m in moments]
        assert result.mean[i] == pytest.approx(np.mean(present), abs=1e-12)
        assert result.peak[i] == max(present)


def test_occupancy_of_open_and_absent_stays() -> None:
    result = occupancy([math.nan, 1.0, 3.0], [math.nan, math.nan, math.inf], [0.0, 2.0, 4.0])
    assert result.mean.tolist() == [0.5, 1.5]
    assert result.peak.tolist() == [1, 2]
    with pytest.raises(ValueError, match="leaves before"):
        occupancy([2.0], [1.0], [0.0, 4.0])
    with pytest.raises(ValueError, match="ascend"):
        occupancy([1.0], [2.0], [0.0, 0.0])


def test_occupancy_of_a_million() -> None:
    generator = np.random.default_rng(5)
    enter = generator.uniform(0, 86_400, 1_000_000)
    leave = enter + generator.exponential(600, enter.size)
    edges = np.arange(0, 90_001, 1800.0)
    result = occupancy(enter, leave, edges)
    inside = (np.minimum(leave, edges[-1]) - enter).sum()
    assert result.mean @ np.diff(edges) == pytest.approx(inside, rel=1e-12)
    assert (result.peak >= result.mean).all()


@given(st.lists(st.tuples(TIMES, st.floats(0.001, 50)), min_size=1, max_size=30))
def test_littles_law_is_exact_on_every_path(stays: list[tuple[float, float]]) -> None:
    enter = np.array([begin for begin, _ in stays])
    leave = enter + np.array([length for _, length in stays])
    assert littles_law(enter, leave).relative_error < 1e-12


def test_bad_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="level 95"):
        mean_interval([1.0, 2.0], 95)
    with pytest.raises(ValueError, match="one value per replication"):
        mean_interval([])
    with pytest.raises(ValueError, match="pilot"):
        replications_for([1.0], 1.0)
    with pytest.raises(ValueError, match="4 or more"):
        warm_up(range(19))
    with pytest.raises(ValueError, match="quantile"):
        weighted_quantile([1.0], [1.0], 1.5)
    with pytest.raises(ValueError, match="finished intervals"):
        littles_law([0.0], [math.nan])
