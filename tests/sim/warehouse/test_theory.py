"""The checks of `python -m sim.warehouse validate`, and that wrong models would be found out."""

from __future__ import annotations

import pytest

from sim.warehouse import theory
from sim.warehouse.motion import move_s, moves_s
from sim.warehouse.theory import repair_queue


def test_trapezoid() -> None:
    assert move_s(10.0, 1.5, 1.0) == pytest.approx(8.1667, abs=1e-4)
    assert theory.trapezoid(10.0, 1.5, 1.0).agrees
    assert theory.trapezoid(1.0, 1.5, 1.0).agrees
    assert moves_s([0.0, 1.0, 10.0], 1.5, 1.0).tolist() == pytest.approx([0.0, 2.0, move_s(10.0, 1.5, 1.0)])
    assert move_s(3.0, 1.5, float("inf")) == 2.0


def test_aisles_cranes_and_charging_agree_with_theory() -> None:
    for row in [
        theory.aisles_visited(1, 10),
        *theory.cranes(1, 10, 2000),
        theory.charging(2, 8),
    ]:
        assert row.agrees, row
        assert row.estimate.half_width < 0.06 * row.analytic


def test_closed_queue_by_hand() -> None:
    """One machine never waits; two machines, one repairer, equal rates: states 1 : 2 : 2."""
    assert repair_queue(1, 1, 7.0, 3.0) == pytest.approx(3.0)
    number = (2 * 1 + 2 * 2) / 5
    assert repair_queue(2, 1, 1.0, 1.0) == pytest.approx(number / (2 - number))
    assert repair_queue(5, 5, 2.0, 1.0) == pytest.approx(1.0)
