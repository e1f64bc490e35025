"""Automated storage: a cycle by hand, dual commands, conservation, Little's law; cranes and shuttles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.warehouse.automated import AutomatedFloor, Machine, dual_command_s, single_command_s
from tests.sim.warehouse import support


def complete(floor: AutomatedFloor) -> AutomatedFloor:
    result = floor.run(4 * 86_400.0)
    book = floor.orders
    assert result.open_orders == 0
    assert (floor.stock.picked == book.units_of_items()).all()
    assert (floor.stock.face == 0).all()
    assert result.littles_law_error() < 1e-9
    assert not np.isnan(floor._finish).any()  # every tote is back
    assert (result.picked_s >= book.release_s[book.order_of_line] + 2 * floor.section.handover_s).all()
    return floor


@given(
    st.integers(0, 10**6), st.sampled_from(["crane", "shuttle"]), st.booleans(), st.sampled_from([None, 0.5])
)
def test_nothing_is_lost(seed: int, machine: str, dual: bool, acceleration: float | None) -> None:
    book = support.orders(seed, 30)
    complete(
        support.automated(
            book, machine=machine, dual_command=dual, acceleration_mps2=acceleration, speed_mps=1.0
        )
    )


def _machine(
    x: list[float], y: list[float], storage: list[bool], dual: bool
) -> tuple[Machine, np.ndarray, np.ndarray]:
    start, finish = np.full(len(x), np.nan), np.full(len(x), np.nan)
    machine = Machine(
        np.array(x), np.array(y), np.array(storage), start, finish, 2.0, 1.0, math.inf, 3.0, dual, len(x)
    )
    return machine, start, finish


def test_cycles_by_hand() -> None:
    """2 m/s along, 1 m/s up, 3 s to hand over: single out 2·5 + 6; dual 5 + way between + way back + 12."""
    machine, start, finish = _machine([10.0, 4.0, 8.0], [2.0, 4.0, 1.0], [False, True, False], dual=True)
    machine.submit(np.array([0]), np.array([0.0]))
    machine.submit(np.array([1, 2]), np.array([1.0, 2.0]))
    machine.advance(math.inf)
    assert finish[0] == 2 * 5 + 6
    assert start[1] == start[2] == 16
    assert finish[1] == 16 + 4 + 6
    assert finish[2] == 16 + 4 + 3 + 4 + 12
    assert machine.cycles.tolist() == [1, 1]
    assert machine.moved_m[0] == 20 + 4 + 4 + 8


def test_single_commands_only() -> None:
    machine, _, finish = _machine([4.0, 8.0], [4.0, 1.0], [True, False], dual=False)
    machine.submit(np.array([0, 1]), np.zeros(2))
    machine.advance(math.inf)
    assert finish[1] == 8 + 6  # the retrieval goes first
    assert finish[0] == 14 + 4 + 6
    assert machine.cycles.tolist() == [2, 0]


def test_dual_commands_bring_all_totes_back_sooner() -> None:
    book = support.orders(1, 600)
    slow = {"speed_mps": 0.5, "lift_mps": 0.2, "shifts": support.shift(10)}
    dual = complete(support.automated(book, **slow))
    single = complete(support.automated(book, dual_command=False, **slow))
    assert dual._finish.max() < 0.95 * single._finish.max()
    assert sum(each.cycles[1] for each in dual.machines) > 100


def test_shuttles_outrun_cranes() -> None:
    book = support.orders(2, 800)
    slow = {"speed_mps": 0.7, "lift_mps": 2.0, "shifts": support.shift(10)}
    crane = complete(support.automated(book, **slow))
    shuttle = complete(support.automated(book, machine="shuttle", **slow))
    assert np.mean(shuttle.packed_s) < np.mean(crane.packed_s)


def test_formulas_at_their_ends() -> None:
    assert single_command_s(1.0, 1.0) == pytest.approx(4 / 3)
    assert dual_command_s(1.0, 1.0) == pytest.approx(1.8)
    assert single_command_s(0.0, 60.0) == 60.0
    assert dual_command_s(0.0, 60.0) == pytest.approx(80.0)


def test_places_beyond_the_rack_are_refused() -> None:
    book = support.orders(1, 5)
    with pytest.raises(ValueError, match="add aisles, columns or levels"):
        support.automated(book, columns=2)
