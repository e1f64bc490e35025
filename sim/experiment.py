"""Experiments: replications of a run over processes, and two policies compared pair by pair."""

from __future__ import annotations

import math
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.stats import Interval, mean_interval, paired_difference

Run = Callable[[int], Mapping[str, float]]
Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Progress = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True, slots=True, eq=False)
class Replications:
    """Key figures of one policy: `figures[name]` is float64 over replications 0, 1, ..., NaN where one had none."""

    count: int
    figures: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, runs: list[Mapping[str, float]]) -> Replications:
        """Table of the figures of each replication, in the order in which they first appear."""
        names = dict.fromkeys(name for run in runs for name in run)
        return cls(
            len(runs),
            {name: np.array([run.get(name, np.nan) for run in runs], np.float64) for name in names},
        )

    def intervals(self, level: float = 0.95) -> dict[str, Interval]:
        """Interval of each figure over the replications that have it; figures that none has are left out."""
        present = {name: values[~np.isnan(values)] for name, values in self.figures.items()}
        return {name: mean_interval(values, level) for name, values in present.items() if values.size}


def replicate(run: Run, replications: int, jobs: int = 1, on_done: Progress | None = None) -> Replications:
    """`run(r)` for r = 0, 1, ..., over at most `jobs` processes; the result does not depend on how many.

    `run` takes the replication's number, from which it keys its random streams, and returns its key figures. With
    several jobs it must be picklable: a function of a module, or `functools.partial` of one. `on_done` is told of
    each replication as it ends. An exception in a run, or an interrupt, is raised here and cancels what has not
    begun. Raises `ValueError` for fewer than one replication or job.
    """
    if replications < 1 or jobs < 1:
        raise ValueError(f"{replications} replications in {jobs} jobs; give at least one of each")
    results: list[Mapping[str, float]] = [{} for _ in range(replications)]
    for number, figures in spread(run, range(replications), jobs):
        results[number] = figures
        if on_done is not None:
            on_done(number, figures)
    return Replications.of(results)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One key figure under two policies that met the same random numbers."""

    figure: str
    mean_a: float
    mean_b: float
    difference: Interval  # of B - A, over the replications that have both

    @property
    def significant(self) -> bool:
        """Zero lies outside the interval of the difference."""
        return not self.difference.covers(0.0)

    def as_dict(self) -> dict[str, Any]:
        """JSON values; a half-width that is not finite is null."""
        return {
            "base": self.mean_a,
            "variant": self.mean_b,
            "difference": self.difference.mean,
            "half_width": finite(self.difference.half_width),
            "significant": self.significant,
        }


def finite(value: float) -> float | None:
    """The value, or None where JSON has no number for it."""
    return value if math.isfinite(value) else None


def compare(a: Replications, b: Replications, level: float = 0.95) -> list[Comparison]:
    """Paired differences B - A of every figure that both have, replication by replication.

    Each interval has its own level: among many figures some will look significant by chance. Raises `ValueError`
    when the numbers of replications differ.
    """
    if a.count != b.count:
        raise ValueError(
            f"{a.count} and {b.count} replications cannot be paired; run the same number of both"
        )
    rows = []
    for name, first in a.figures.items():
        if name not in b.figures:
            continue
        second = b.figures[name]
        both = ~(np.isnan(first) | np.isnan(second))
        if both.any():
            difference = paired_difference(first[both], second[both], level)
            rows.append(Comparison(name, float(first[both].mean()), float(second[both].mean()), difference))
    return rows


def spread(
    function: Callable[[Item], Outcome], items: Sequence[Item], jobs: int
) -> Iterator[tuple[Item, Outcome]]:
    """`(item, function(item))` for every item, in the order in which they are done, over `jobs` processes.

    With several jobs, function and items must be picklable. An exception in one of them, or Ctrl-C here, is
    raised and ends all processes at once.
    """
    if jobs == 1 or len(items) < 2:
        for item in items:
            yield item, function(item)
        return
    # Forking a process that has threads (numba, solvers) can deadlock: start clean ones. Ctrl-C reaches the whole
    # group of processes; the workers leave it to this one.
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        min(jobs, len(items)),
        multiprocessing.get_context("spawn"),
        signal.signal,
        (signal.SIGINT, signal.SIG_IGN),
    )
    try:
        futures = {pool.submit(function, item): item for item in items}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
