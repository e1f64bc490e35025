"""Stations against queueing theory: systems with known answers, simulated in replications.

`python -m sim.validate` prints the table of docs/validation.md; the tests use the same systems.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.random_streams import Streams
from sim.stations import CapacityProfile, Station, StationChain
from sim.stats import Interval, littles_law, mean_interval

FloatArray: TypeAlias = NDArray[np.float64]
Draw: TypeAlias = Callable[[np.random.Generator, int], FloatArray]

LEVEL = 0.999
REPLICATIONS = 40


def erlang_c(servers: int, load: float) -> float:
    """Probability of waiting in M/M/c at `load` = λ/μ < c (Erlang C, from the Erlang B recursion)."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def pollaczek_khinchine(rate: float, mean: float, second_moment: float) -> float:
    """Mean wait in M/G/1: λE[S²] / (2(1 − ρ))."""
    return rate * second_moment / (2 * (1 - rate * mean))


@dataclass(frozen=True, slots=True)
class System:
    """A line of equal stations with Poisson arrivals and figures that theory gives.

    `classes` are shares of priority classes 0, 1, ...; `known` maps a figure (`wait`, `wait of class k`, `time in
    system`) to its analytic mean. `warm_up` customers are deleted before `measured` ones are counted.
    """

    name: str
    rate: float
    servers: int
    service: Draw
    known: Mapping[str, float]
    stages: int = 1
    classes: tuple[float, ...] = (1.0,)
    warm_up: int = 2_000
    measured: int = 50_000


def exponential(generator: np.random.Generator, n: int) -> FloatArray:
    return generator.exponential(1.0, n)


def deterministic(generator: np.random.Generator, n: int) -> FloatArray:
    del generator
    return np.ones(n)


def lognormal(generator: np.random.Generator, n: int) -> FloatArray:
    """Mean 1, squared coefficient of variation 1.5."""
    variance = math.log(2.5)
    return generator.lognormal(-variance / 2, math.sqrt(variance), n)


# Mean service is 1 everywhere, utilisation 0.8. The slowest, M/G/1, has a relaxation time near 120 services,
# about 100 arrivals: after 2,000 customers nothing is left of the empty start.
SYSTEMS = (
    System("M/M/1", 0.8, 1, exponential, {"wait": 4.0}),
    System("M/D/1", 0.8, 1, deterministic, {"wait": 2.0}),
    System("M/G/1, lognormal, scv 1.5", 0.8, 1, lognormal, {"wait": pollaczek_khinchine(0.8, 1.0, 2.5)}),
    System("M/M/4", 3.2, 4, exponential, {"wait": erlang_c(4, 3.2) / (4 - 3.2)}),
    System("M/M/16", 12.8, 16, exponential, {"wait": erlang_c(16, 12.8) / (16 - 12.8)}),
    System(
        "M/M/1, two priorities (Cobham)",
        0.8,
        1,
        exponential,
        {"wait of class 0": 0.8 / (1 - 0.4), "wait of class 1": 0.8 / ((1 - 0.4) * (1 - 0.8))},
        classes=(0.5, 0.5),
    ),
    System(
        "Jackson tandem, six M/M/16",
        12.8,
        16,
        exponential,
        {"time in system": 6 * (1 + erlang_c(16, 12.8) / (16 - 12.8))},
        stages=6,
        measured=30_000,
    ),
)


@dataclass(frozen=True, slots=True)
class Check:
    """One figure of one system over all replications."""

    system: str
    figure: str
    analytic: float
    estimate: Interval

    @property
    def agrees(self) -> bool:
        return self.estimate.covers(self.analytic)


def replicate_system(system: System, streams: Streams, slower: float = 1.0) -> dict[str, float]:
    """The system's figures in one replication; services take `slower` times as long as theory assumes.

    Time advances in steps, as inside the twin. Little's law must hold on the path, else
    `AssertionError`.
    """
    n = system.warm_up + system.measured
    arrive = np.cumsum(streams.generator(system.name, "arrivals").exponential(1 / system.rate, n))
    priority = streams.generator(system.name, "priority").choice(
        len(system.classes), n, p=np.array(system.classes)
    )
    service = [
        slower * system.service(streams.generator(system.name, f"service {stage}"), n)
        for stage in range(system.stages)
    ]
    capacity = CapacityProfile.constant(system.servers)
    chain = StationChain(
        [Station(f"{system.name} {stage}", capacity) for stage in range(system.stages)],
        lambda stage, rows: service[stage][rows],
    )
    chain.submit(np.arange(n, dtype=np.int32), arrive, priority.astype(np.int32))
    start, finish = np.empty(n), np.empty(n)
    for until in [*np.linspace(0, arrive[-1], 20), math.inf]:
        steps = chain.advance(until)
        start[steps[0].started.rows] = steps[0].started.start_s
        finish[steps[-1].started.rows] = steps[-1].started.finish_s
    law = littles_law(arrive, finish)
    if law.relative_error > 1e-9:
        raise AssertionError(f"{system.name}: Little's law is off by {law.relative_error}")

    kept = slice(system.warm_up, None)
    wait, figures = (start - arrive)[kept], {}
    figures["wait"] = float(wait.mean())
    for label in range(len(system.classes)):
        figures[f"wait of class {label}"] = float(wait[priority[kept] == label].mean())
    figures["time in system"] = float((finish - arrive)[kept].mean())
    return {figure: figures[figure] for figure in system.known}


def check(system: System, seed: int, replications: int = REPLICATIONS, slower: float = 1.0) -> list[Check]:
    """Every known figure of the system with its interval over the replications."""
    runs = [replicate_system(system, Streams(seed, r), slower) for r in range(replications)]
    return [
        Check(system.name, figure, analytic, mean_interval([run[figure] for run in runs], LEVEL))
        for figure, analytic in system.known.items()
    ]


def write_checks(checks: Iterable[Check]) -> bool:
    """Print checks as a Markdown table, each when it is done; whether all agree."""
    sys.stdout.write(
        "| check | figure | theory | simulated | half-width | agrees |\n|---|---|---|---|---|---|\n"
    )
    agreed = True
    for row in checks:
        agreed &= row.agrees
        sys.stdout.write(
            f"| {row.system} | {row.figure} | {row.analytic:.4f} | {row.estimate.mean:.4f} | "
            f"{row.estimate.half_width:.4f} | {'yes' if row.agrees else 'no'} |\n"
        )
        sys.stdout.flush()
    return agreed


def main(arguments: list[str] | None = None) -> int:
    """Print the table in Markdown; exit code 1 when an interval misses its analytic value."""
    parser = argparse.ArgumentParser(prog="python -m sim.validate", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    options = parser.parse_args(arguments)
    sys.stdout.write(
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, numpy {np.__version__}; seed {options.seed}, {options.replications} "
        f"replications, {LEVEL:.1%} intervals\n\n"
    )
    found = (row for system in SYSTEMS for row in check(system, options.seed, options.replications))
    rows = (replace(row, figure=f"mean {row.figure}") for row in found)
    return 0 if write_checks(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
