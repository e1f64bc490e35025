"""The cross-belt sorter: bounds, rounds, conservation at every step, disruptions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from logistics.sorting import ChutesSection, CrossBeltSection, ErrorsSection, SortingSection
from sim.random_streams import Streams
from sim.sorting.belt import CrossBelt, throughput_bound
from sim.sorting.disruptions import Disruption
from sim.sorting.parcels import SortParcels, allot_chutes, steady_arrivals


def _belt(
    arrive_s: Any, chutes: dict[str, Any] | None = None, errors: dict[str, Any] | None = None,
    disruptions: tuple[Disruption, ...] = (), seed: int = 1, **own: Any,
) -> CrossBelt:  # fmt: skip
    section = SortingSection(
        kind="cross_belt",
        cross_belt=CrossBeltSection(
            **({"length_m": 80.0, "chutes": 20, "inductions": 2, "pitch_m": 0.8, "speed_mps": 2.0} | own)
        ),
        chutes=ChutesSection(**(chutes or {"capacity_parcels": 10**6})),
        errors=ErrorsSection(**({"missort": 0.0, "damage": 0.0} | (errors or {}))),
    )
    number = section.cross_belt.chutes
    destination = np.random.default_rng(seed).integers(0, number, len(arrive_s))
    every = allot_chutes(np.bincount(destination, minlength=number), number)
    made = CrossBelt(section, SortParcels.of(destination), every, Streams(seed), disruptions)
    made.submit(np.arange(len(arrive_s)), np.asarray(arrive_s))
    return made


def test_inductions_that_never_wait_fill_every_cell() -> None:
    # One induction fed without pause; each cell that passes it is empty, for chutes beyond it took all.
    made = _belt(np.zeros(20_000), inductions=1, induct_s=1e-6, induct_cv=0.0, speed_mps=2.0, pitch_m=0.8)
    made.run()
    assert made.result().throughput_per_h(100.0, 1000.0) == pytest.approx(
        throughput_bound(made.own), rel=0.01
    )
    assert throughput_bound(made.own) == 9000.0


def test_slow_inductions_fill_the_share_that_they_can() -> None:
    made = _belt(np.zeros(4_000), induct_s=4.0, induct_cv=0.0)
    made.run()
    # two inductions, a parcel every 4 s each: the step before a cell passes rounds up to cells
    each_s = np.ceil(4.0 / made.dt - 1e-9) * made.dt
    assert made.result().throughput_per_h(200.0, 6000.0) == pytest.approx(2 * 3600 / each_s, rel=0.01)


def test_mean_rounds_are_those_of_independent_trials() -> None:
    """Each chute is closed in each lap with probability p, independently: p / (1 - p) extra rounds."""
    p, lap_s, laps = 0.4, 40.0, 1000
    closed = np.random.default_rng(3).random((20, laps)) < p
    blocks = [
        Disruption("chute_blocked", int(c), float(k) * lap_s, (float(k) + 1) * lap_s)
        for c, k in np.argwhere(closed)
    ]
    arrive_s = steady_arrivals(1800.0, 10.0, Streams(7))
    made = _belt(arrive_s, disruptions=tuple(blocks))
    assert len(made._cell) * made.dt == pytest.approx(lap_s)
    made.run()
    refused = made.times.refusals
    assert refused.mean() == pytest.approx(p / (1 - p), rel=0.04)
    # geometric: each further round as likely as the first
    assert (refused >= 3).sum() / (refused >= 2).sum() == pytest.approx(p, rel=0.08)


def test_a_chute_blocked_sends_its_parcels_round_until_it_opens() -> None:
    made = _belt([0.0], disruptions=tuple(Disruption("chute_blocked", c, 0.0, 100.0) for c in range(20)))
    made.run()
    lap_s = 100 * made.dt
    first = made.times.sorted_s[0] - lap_s * made.times.refusals[0]
    assert 0 < first - made.times.load_s[0] <= lap_s
    assert made.times.refusals[0] == np.ceil((100.0 - first) / lap_s)


def test_units_are_conserved_at_every_step() -> None:
    made = _belt(
        steady_arrivals(3000.0, 0.2, Streams(4)),
        {"capacity_parcels": 6, "exchange_s": 30.0},
        {"missort": 0.1, "missort_found_s": 50.0, "damage": 0.05},
        (Disruption("chute_blocked", 3, 50.0, 300.0), Disruption("induction_closed", 1, 100.0, 400.0)),
    )
    while made.open_parcels and made.now_s < 5_000:
        made.advance(made.now_s + made.dt)
        made.audit()
    assert made.open_parcels == 0
    figures = made.result().kpis()
    assert figures["missorts"] == made.times.returned > 20
    assert figures["damaged"] > 5
    assert figures["recirculations"] > 0
    fell = made.times.chute == 3
    assert not (fell & (made.times.sorted_s >= 50.0) & (made.times.sorted_s < 300.0)).any()
    assert made.result().littles_law_error() < 1e-9
    whole = _belt(
        steady_arrivals(3000.0, 0.2, Streams(4)),
        {"capacity_parcels": 6, "exchange_s": 30.0},
        {"missort": 0.1, "missort_found_s": 50.0, "damage": 0.05},
        (Disruption("chute_blocked", 3, 50.0, 300.0), Disruption("induction_closed", 1, 100.0, 400.0)),
    )
    whole.run()
    assert np.array_equal(whole.times.sorted_s, made.times.sorted_s)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="make it"):
        _belt([0.0], length_m=10.0)
    with pytest.raises(ValueError, match="no robots"):
        _belt([0.0], disruptions=(Disruption("robot_stopped", 0, 0.0, 1.0),))
