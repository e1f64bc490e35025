"""Streams are fixed by their key alone."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest

from sim.random_streams import Streams


def test_order_of_asking_changes_nothing() -> None:
    first = Streams(7, 2)
    demand = first.generator("demand", "volume").random(5)
    roads = first.generator("roads", "speed").random(5)
    second = Streams(7, 2)
    second.generator("drones", "wind").random(100)
    assert (second.generator("roads", "speed").random(5) == roads).all()
    assert (second.generator("demand", "volume").random(5) == demand).all()


def test_every_part_of_the_key_counts() -> None:
    keys = itertools.product((0, 1, 2**40), (0, 1), ("ab", "a", ""), ("c", "bc", "abc"))
    draws = {
        Streams(seed, replication).generator(entity, purpose).integers(2**62)
        for seed, replication, entity, purpose in keys
    }
    assert len(draws) == 3 * 2 * 3 * 3


def test_streams_are_uncorrelated() -> None:
    rows = np.array([Streams(1, r).generator("site", "service").standard_normal(10_000) for r in range(20)])
    correlations = np.corrcoef(rows)[np.triu_indices(20, 1)]
    assert np.abs(correlations).max() < 0.045  # 4.5 standard errors
    assert abs(rows.mean()) < 4.5 / np.sqrt(rows.size)


def test_seeds_for_solvers() -> None:
    streams = Streams(3, 1)
    seeds = [streams.spawn_seed(f"solve:{i}", "seed") for i in range(1000)]
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seeds[4] == Streams(3, 1).spawn_seed("solve:4", "seed")
    assert seeds[4] != Streams(3, 2).spawn_seed("solve:4", "seed")


def test_same_in_another_process() -> None:
    """Python's own `hash` of strings would not be."""
    code = "from sim.random_streams import Streams; print(Streams(5, 1).spawn_seed('a', 'b'))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(printed) == Streams(5, 1).spawn_seed("a", "b")


def test_negative_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        Streams(-1, 0)
    with pytest.raises(ValueError, match="must not be negative"):
        Streams(0, -1)
