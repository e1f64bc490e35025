"""Queueing theory's answers, within 99.9 % intervals over replications; and wrong systems found out.

Seeds are fixed, so the outcome is too; over all seeds one figure in a thousand would miss.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim import validate
from sim.random_streams import Streams
from sim.stats import warm_up
from sim.validate import LEVEL, REPLICATIONS, SYSTEMS, System, check, erlang_c, replicate_system

# A third of the customers of the published table; the intervals are as honest, only wider.
SHORT = [replace(system, measured=15_000) for system in SYSTEMS]
BY_NAME = {system.name: system for system in SHORT}


@pytest.mark.parametrize("system", SHORT, ids=lambda system: system.name)
def test_theory_lies_within_the_interval(system: System) -> None:
    assert REPLICATIONS >= 30
    for row in check(system, seed=1):
        assert row.estimate.level == LEVEL
        assert row.agrees, row
        # An interval wide enough to take in anything would prove nothing.
        assert row.estimate.half_width < 0.12 * row.analytic


@pytest.mark.parametrize("name", ["M/M/1", "M/M/16", "M/M/1, two priorities (Cobham)"])
def test_service_five_per_cent_too_slow_is_found_out(name: str) -> None:
    assert not any(row.agrees for row in check(BY_NAME[name], seed=1, slower=1.05))


def test_analytic_values_are_the_published_ones() -> None:
    assert BY_NAME["Jackson tandem, six M/M/16"].known["time in system"] == pytest.approx(6.5717, abs=5e-5)
    assert erlang_c(1, 0.8) == pytest.approx(0.8)
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)


def test_warm_up_covers_what_mser_finds() -> None:
    """The mean over replications of the k-th wait has settled before the cut."""
    system = BY_NAME["M/M/1"]
    n = 2 * system.warm_up
    waits = []
    for replication in range(REPLICATIONS):
        generator = Streams(1, replication).generator("warm-up", "all")
        gaps, services = generator.exponential(1 / system.rate, n), system.service(generator, n)
        # Lindley's recursion, solved: the wait is the rise of a random walk above its lowest point.
        walk = np.concatenate(([0.0], np.cumsum(services[:-1] - gaps[1:])))
        waits.append(walk - np.minimum.accumulate(walk))
    cut = warm_up(np.mean(waits, axis=0))
    assert 0 < cut < system.warm_up


def test_same_seed_same_figures_and_replications_differ() -> None:
    system = BY_NAME["M/M/4"]
    first = replicate_system(system, Streams(5, 0))
    assert replicate_system(system, Streams(5, 0)) == first
    assert replicate_system(system, Streams(5, 1)) != first


def test_command_prints_every_figure_and_fails_on_a_miss(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = BY_NAME["M/M/4"]
    monkeypatch.setattr(validate, "SYSTEMS", (right,))
    assert validate.main(["--replications", "30", "--seed", "2"]) == 0
    assert "30 replications, 99.9% intervals" in (printed := capsys.readouterr().out)
    assert "| M/M/4 | mean wait | 0.7455 |" in printed
    monkeypatch.setattr(validate, "SYSTEMS", (right, replace(right, known={"wait": 0.9})))
    assert validate.main(["--replications", "30", "--seed", "2"]) == 1
    assert capsys.readouterr().out.count("| no |") == 1
