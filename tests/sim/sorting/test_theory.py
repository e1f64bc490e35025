"""Closed forms: charging as a closed queue, and what the command prints of the cross-belt."""

from __future__ import annotations

import pytest

from sim.sorting import theory


def test_chargers_are_a_machine_repair_queue() -> None:
    check = theory.charging(seed=5, replications=1, hours=9.0)
    assert check.estimate.mean == pytest.approx(1.0, abs=0.1)


def test_a_full_loop_and_rounds() -> None:
    assert theory.belt_bound(seed=5, replications=2).agrees
    assert theory.belt_rounds(seed=5, replications=3).agrees
