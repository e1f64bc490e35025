"""Replications over processes, and paired comparison with common random numbers."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

from sim.experiment import Replications, compare, replicate
from sim.random_streams import Streams
from sim.validate import SYSTEMS, System, replicate_system


def queue(slower: float, replication: int) -> dict[str, float]:
    short = System("M/M/1", 0.5, 1, SYSTEMS[0].service, {"wait": 1.0}, warm_up=0, measured=400)
    return replicate_system(short, Streams(3, replication), slower) | {"replication": replication}


def broken(replication: int) -> dict[str, float]:
    if replication == 2:
        raise ArithmeticError("replication 2 has no answer")
    return {"x": 1.0}


def test_processes_change_nothing() -> None:
    done: list[int] = []
    alone = replicate(functools.partial(queue, 1.0), 5)
    spread = replicate(functools.partial(queue, 1.0), 5, jobs=2, on_done=lambda r, _: done.append(r))
    assert sorted(done) == [0, 1, 2, 3, 4]
    assert alone.figures.keys() == spread.figures.keys() == {"wait", "replication"}
    assert alone.figures["replication"].tolist() == [0, 1, 2, 3, 4]
    assert (alone.figures["wait"] == spread.figures["wait"]).all()
    assert len(set(alone.figures["wait"])) == 5


def test_common_random_numbers_find_a_small_difference() -> None:
    a = replicate(functools.partial(queue, 1.0), 20)
    b = replicate(functools.partial(queue, 1.02), 20)
    same = replicate(functools.partial(queue, 1.0), 20)
    row = next(row for row in compare(a, b) if row.figure == "wait")
    assert row.significant
    assert row.difference.mean == pytest.approx(row.mean_b - row.mean_a)
    assert row.difference.low > 0
    # Each policy's own interval is too wide to tell them apart.
    assert a.intervals()["wait"].high > b.intervals()["wait"].low
    assert not any(row.significant for row in compare(a, same))
    assert all(row.difference.mean == 0 == row.difference.half_width for row in compare(a, same))


def test_figures_that_some_replications_lack() -> None:
    a = Replications.of([{"x": 1.0, "y": 5.0}, {"x": 2.0}, {"x": 3.0, "y": 7.0}])
    b = Replications.of([{"x": 2.0, "z": 1.0}, {"x": 3.0, "y": 1.0}, {"x": math.nan, "y": 4.0}])
    assert np.isnan(a.figures["y"][1])
    assert a.intervals()["y"].mean == 6.0
    rows = {row.figure: row for row in compare(a, b)}
    assert rows.keys() == {"x", "y"}
    assert (rows["x"].mean_a, rows["x"].mean_b, rows["x"].difference.mean) == (1.5, 2.5, 1.0)
    assert rows["x"].difference.n == 2
    assert rows["y"].difference.half_width == math.inf
    assert not rows["y"].significant


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failing_replication_is_not_swallowed(jobs: int) -> None:
    with pytest.raises(ArithmeticError, match="replication 2 has no answer"):
        replicate(broken, 4, jobs=jobs)


def test_bad_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        replicate(broken, 0)
    with pytest.raises(ValueError, match="at least one"):
        replicate(broken, 1, jobs=0)
    with pytest.raises(ValueError, match="cannot be paired"):
        compare(Replications.of([{"x": 1.0}]), Replications.of([{"x": 1.0}, {"x": 2.0}]))
