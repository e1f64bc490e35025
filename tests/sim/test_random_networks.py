"""Laws that hold on every network, in every trouble: nothing is lost, all is paid for, all is explained."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logistics.demand import build_demand
from logistics.dispatch.book import Status
from logistics.scenario import Scenario
from sim.custody import NOT_ORDERED
from sim.handover import take_state
from sim.joining import join
from sim.random_streams import Streams
from sim.results import build_tables
from sim.resume import put_state
from sim.run import make_roads
from sim.sites import BIN_S
from sim.state import RunState
from sim.twin import Twin, TwinOptions
from sim.waiting import NO_DELIVERY_WAVE, NO_DEPARTURE, ON_THE_FLOOR
from sim.world import FINAL
from tests.sim.random_networks import scenarios, with_cancellations

OPTIONS = TwinOptions(jobs=1, audit_every_move=True)  # a full audit at every movement
Tables = dict[str, pa.Table]


def simulate(scenario: Scenario, seed: int, state: RunState | None = None) -> Twin:
    streams = Streams(seed)
    demand = build_demand(scenario, streams.generator, scenario.folder)
    demand = with_cancellations(demand, seed)
    if state is None:
        twin = Twin(scenario, demand, *make_roads(scenario), streams, OPTIONS)
    else:
        joined = join(scenario, demand, state)
        twin = Twin(
            scenario,
            joined.demand,
            *make_roads(scenario),
            streams,
            OPTIONS,
            joined.begins_s,
            joined.keys,
            demand,
        )
        put_state(twin, state)
    twin.run()
    return twin


def every_unit_is_in_one_place(twin: Twin) -> None:
    twin.custody.audit()
    assert sum(twin.custody.units_at) == twin.custody.ordered_units
    ordered = twin.custody.place != NOT_ORDERED
    assert twin.custody.ordered_units == twin.demand.parcels.units[ordered].sum()
    holds = {
        name: units for name, units in zip(twin.custody.names, twin.custody.units_at, strict=True) if units
    }
    assert not any(name.startswith("vehicle:") for name in holds)  # all are back


def every_parcel_is_final_or_explained(twin: Twin, tables: Tables) -> None:
    """Open parcels are left only by a run that was cut, and the stage in which they are stuck is named if late."""
    parcels = tables["parcels"].to_pylist()
    opened = [row for row in parcels if row["state"] == "open"]
    assert not opened or not twin.world.ended.triggered
    for row in parcels:
        assert (row["final_s"] is None) == (row["state"] == "open")
        if row["state"] == "open" and row["promise_s"] < twin.cut_s:
            assert row["late_stage"] is not None
        stamps = [
            row[f"{name}_s"] for name in ("placed", "accepted", "released", "picked", "packed", "sorted")
        ]
        known = [at for at in stamps if at is not None]
        assert known == sorted(known)


def what_waits_has_one_reason(twin: Twin, tables: Tables) -> None:
    """A parcel open at the end is on a round of a van or drone, in a locker, or waits for one thing, named."""
    kinds = {site.id: site.kind for site in twin.scenario.sites}
    final = [row for row in tables["unassigned"].to_pylist() if row["final"]]
    reasons = {row["parcel"]: row for row in final}
    assert len(reasons) == len(final)
    book = twin.state.book
    for row in tables["parcels"].to_pylist():
        number = row["parcel"]
        place = twin.custody.names[twin.custody.place[number]]
        open_here = row["state"] == "open" and book.status[number] != Status.OUT
        if not open_here or kinds.get(place.removeprefix("site:")) == "locker":
            assert number not in reasons
            continue
        told = reasons[number]
        assert told["detail"]
        assert told["time_s"] <= twin.cut_s
        assert told["site"] in kinds
        if told["reason"] in (ON_THE_FLOOR, NO_DEPARTURE, NO_DELIVERY_WAVE):
            assert told["site"] == place.removeprefix("site:")
    figures = {row["scope"]: row["value"] for row in tables["kpis"].to_pylist() if row["kpi"] == "unassigned"}
    assert figures.pop("") == len(reasons) == sum(figures.values())


def the_ledger_sums_to_the_cent(twin: Twin, tables: Tables) -> None:
    ledger = tables["ledger"].to_pylist()
    groups: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    for entry in ledger:
        groups[tuple(entry[key] for key in ("kind", "site", "lane", "unit", "rate_minor"))].append(entry)
    for key, entries in groups.items():
        quantity = sum(entry["quantity"] for entry in entries)
        assert abs(sum(entry["amount_minor"] for entry in entries) - key[-1] * quantity) <= 0.5 + 1e-6
    kpis = {(row["kpi"], row["scope"]): row["value"] for row in tables["kpis"].to_pylist()}
    total = sum(entry["amount_minor"] for entry in ledger)
    assert round(kpis["cost_total", ""] * 100) == total
    for scope in ("cost:", "site:", "lane:", "service:"):
        parts = [
            value for (kpi, name), value in kpis.items() if kpi == "cost_total" and name.startswith(scope)
        ]
        assert round(sum(round(part * 100) for part in parts)) == total
    attempts = sum(row["attempts"] - (row["state"] == "delivered") for row in tables["parcels"].to_pylist())
    failed = sum(entry["quantity"] for entry in ledger if entry["kind"] == "failed_attempt")
    assert failed == attempts


def littles_law_holds(tables: Tables) -> None:
    """Mean queue times time = arrivals times mean wait, at every stage: both are sums over the same sample path."""
    waited: dict[tuple[str, str], float] = defaultdict(float)
    for row in tables["stages"].to_pylist():
        assert row["arrive_s"] <= row["start_s"] <= row["finish_s"]
        waited[row["site"], row["stage"]] += row["start_s"] - row["arrive_s"]
    queued: dict[tuple[str, str], float] = defaultdict(float)
    for row in tables["sites"].to_pylist():
        if row["stage"] is not None:
            queued[row["site"], row["stage"]] += row["queue_mean"] * BIN_S
    for key, seconds in waited.items():
        assert queued[key] == pytest.approx(seconds, abs=0.01)


@settings(max_examples=80)
@given(scenarios(), st.integers(0, 1000))
def test_laws(scenario: Scenario, seed: int) -> None:
    """Solvers' plans are checked on the way: `sim.solving` raises where the independent checker objects."""
    twin = simulate(scenario, seed)
    tables = build_tables(twin)[0]
    every_unit_is_in_one_place(twin)
    every_parcel_is_final_or_explained(twin, tables)
    what_waits_has_one_reason(twin, tables)
    the_ledger_sums_to_the_cent(twin, tables)
    littles_law_holds(tables)


@settings(max_examples=8)
@given(scenarios(), st.integers(0, 1000))
def test_same_seed_same_tables(scenario: Scenario, seed: int) -> None:
    first, second = (build_tables(simulate(scenario, seed))[0] for _ in range(2))
    for name, table in first.items():
        assert table.equals(second[name]), name


@settings(max_examples=20)
@given(scenarios(), st.integers(0, 1000), st.integers(1, 3000))
def test_a_cut_loses_nothing(scenario: Scenario, seed: int, minute: int) -> None:
    """Units enter the second run where the first left them, and what is final in one is not in the other."""
    start = scenario.scenario.start
    cut = start + (minute * 60 + 7) * np.timedelta64(1, "s").astype(object)
    general = scenario.scenario.model_copy(update={"stop_at": cut})
    first = simulate(scenario.model_copy(update={"scenario": general}), seed)
    what_waits_has_one_reason(first, build_tables(first)[0])
    state = take_state(first)
    later = (first.world.placed_s >= first.cut_s).any()
    if state.tables["parcels"].num_rows == 0 and not later:
        return
    second = simulate(scenario, seed, state)
    every_unit_is_in_one_place(second)
    left = {
        name: units
        for name, units in zip(first.custody.names, first.custody.units_at, strict=True)
        if units and name not in ("customer", "cancelled", "out of stock", "returned")
    }
    columns = second.custody.columns()
    begun = columns["origin"] == NOT_ORDERED
    entered: dict[str, int] = defaultdict(int)
    known = sum(name is not None for name in state.columns("parcels")["custody"])
    for parcel, units, destination in zip(
        columns["parcel"][begun].tolist(), columns["units"][begun].tolist(), columns["destination"][begun].tolist(),
        strict=True,
    ):  # fmt: skip
        if parcel < known:
            entered[second.custody.names[destination]] += units
    assert dict(entered) == left
    whole = simulate(scenario, seed)
    ends = [np.isin(twin.custody.place, FINAL) for twin in (first, second, whole)]
    if whole.world.ended.triggered and second.world.ended.triggered:
        assert ends[0].sum() + ends[1].sum() == ends[2].sum() == len(whole.demand.parcels)


@pytest.mark.soak
@settings(max_examples=1500)
@given(scenarios(), st.integers(0, 10**6))
def test_laws_for_long(scenario: Scenario, seed: int) -> None:
    twin = simulate(scenario, seed)
    tables = build_tables(twin)[0]
    every_unit_is_in_one_place(twin)
    every_parcel_is_final_or_explained(twin, tables)
    what_waits_has_one_reason(twin, tables)
    the_ledger_sums_to_the_cent(twin, tables)
    littles_law_holds(tables)
