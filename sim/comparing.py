"""Variants of a scenario compared under common random numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from logistics.scenario import Scenario
from sim.experiment import Comparison, Replications, compare, replicate
from sim.run import run_scenario
from sim.twin import TwinOptions


@dataclass(frozen=True, slots=True)
class Variant:
    """A scenario under a name that tells what is different about it."""

    name: str
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class VariantComparison:
    """A variant against the first one, figure by figure."""

    base: str
    variant: str
    rows: list[Comparison]


def figures_of(scenario: Scenario, seed: int, replication: int) -> Mapping[str, float]:
    """Key figures of one replication; wall-clock figures are left out, they are not paired."""
    result = run_scenario(scenario, seed, replication, TwinOptions(jobs=1))
    return {name: value for name, value in result.kpis.items() if value is not None}


def compare_variants(
    variants: list[Variant],
    seed: int,
    replications: int,
    jobs: int,
    level: float = 0.95,
    on_done: Callable[[str, int], None] | None = None,
) -> list[VariantComparison]:
    """Run every variant on the same replications and compare each to the first."""
    runs: list[Replications] = []
    for variant in variants:

        def done(number: int, _: Mapping[str, float], name: str = variant.name) -> None:
            if on_done is not None:
                on_done(name, number)

        runs.append(replicate(partial(figures_of, variant.scenario, seed), replications, jobs, done))
    return [
        VariantComparison(variants[0].name, variant.name, compare(runs[0], run, level))
        for variant, run in zip(variants[1:], runs[1:], strict=True)
    ]
