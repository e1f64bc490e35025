"""The half-hour figures against a plain walk through the events."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.scenario import DisruptionSection
from sim.columns import names
from sim.sites import BIN_S, _Steps, build_sites, partial_moves, run_end
from sim.tables import SCHEMAS
from tests.sim.sample_run import finished, scenario


@given(pairs=st.lists(st.tuples(st.integers(-50, 300), st.integers(0, 100)), max_size=30))
def test_steps_are_those_of_a_plain_walk(pairs: list[tuple[int, int]]) -> None:
    edges = np.array([0.0, 100.0, 200.0, 300.0])
    ups = np.sort(np.array([float(start) for start, _ in pairs]))
    downs = np.sort(np.array([float(start + length) for start, length in pairs]))
    steps = _Steps(ups, downs)
    for row, (first, last) in enumerate(pairwise(edges)):
        levels = [
            sum(start <= second < start + length for start, length in pairs)
            for second in range(int(first), int(last))
        ]
        assert steps.seconds(edges)[row] == pytest.approx(sum(levels))
        assert steps.mean(edges)[row] == pytest.approx(sum(levels) / (last - first))
        assert steps.peak(edges)[row] == max(levels)


def rows(site: str, stage: str | None) -> list[dict[str, float]]:
    _, tables, _ = finished()
    return [row for row in tables["sites"].to_pylist() if row["site"] == site and row["stage"] == stage]


@pytest.mark.parametrize(("site", "stage"), [("W", "pick"), ("H", "sort"), ("A", "sort")])
def test_a_stage_is_counted_right(site: str, stage: str) -> None:
    _, tables, _ = finished()
    work = [row for row in tables["stages"].to_pylist() if (row["site"], row["stage"]) == (site, stage)]
    found = rows(site, stage)
    assert sum(row["arrivals"] for row in found) == len(work)
    for row in found:
        first, last = row["from_s"], row["from_s"] + BIN_S
        assert row["arrivals"] == sum(first <= each["arrive_s"] < last for each in work)
        assert row["finishes"] == sum(first <= each["finish_s"] < last for each in work)
        waited = sum(max(0, min(each["start_s"], last) - max(each["arrive_s"], first)) for each in work)
        busy = sum(max(0, min(each["finish_s"], last) - max(each["start_s"], first)) for each in work)
        assert row["queue_mean"] == pytest.approx(waited / BIN_S)
        assert row["busy_server_s"] == pytest.approx(busy)
        assert row["server_s"] == BIN_S
        assert row["space_mean"] is None
        service = (work[0]["finish_s"] - work[0]["start_s"]) if work else 0
        assert row["headroom"] == (BIN_S - round(busy)) // service


def test_a_building_holds_what_came_and_did_not_leave() -> None:
    _, tables, _ = finished()
    moves = tables["moves"].to_pylist()
    whole = {row["parcel"]: row["units"] for row in tables["parcels"].to_pylist()}
    partial = [m["destination"] == "cancelled" and m["units"] < whole[m["parcel"]] for m in moves]
    assert sum(partial) > 0
    changes = [
        (move["time_s"], (move["destination"] == "site:W") - (move["origin"] == "site:W"))
        for move, part in zip(moves, partial, strict=True)
        if not part
    ]

    def inside(at_s: float) -> int:
        return sum(change for moment, change in changes if moment <= at_s)

    for row in rows("W", None):
        first, last = row["from_s"], row["from_s"] + BIN_S
        instants = {first, *(moment for moment, change in changes if change and first <= moment < last)}
        assert row["space_peak"] == max(map(inside, instants))
        held = sum(change * (last - max(moment, first)) for moment, change in changes if moment < last)
        assert row["space_mean"] == pytest.approx(held / BIN_S, abs=1e-6)
        assert row["space_limit"] == 150
        assert row["headroom"] == 150 - row["space_peak"]


def test_a_closed_site_has_no_servers() -> None:
    closure = DisruptionSection.model_validate(
        {
            "kind": "site_closed",
            "target": "H",
            "starts": "2026-03-02T00:15:00+08:00",
            "ends": "2026-03-02T01:00:00+08:00",
        }
    )
    table = build_sites(scenario().model_copy(update={"disruptions": [closure]}), finished()[1])
    hub = [row for row in table.to_pylist() if row["site"] == "H" and row["stage"] == "sort"][:3]
    assert [row["server_s"] for row in hub] == [900, 0, 1800]
    assert hub[1]["headroom"] == 0


def test_the_last_cancellation_of_a_parcel_moves_it() -> None:
    parcels = finished()[1]["parcels"].slice(0, 1)  # two units
    assert parcels["units"].to_pylist() == [2]
    moves = pa.table(
        {
            "time_s": [1.0, 2.0, 3.0, 4.0],
            "parcel": pa.array([0, 0, 0, 0], pa.int32()),
            "units": [2, 2, 1, 1],
            "origin": pa.array([None, "order book", "site:W", "site:W"]).dictionary_encode(),
            "destination": pa.array(["order book", "site:W", "cancelled", "cancelled"]).dictionary_encode(),
        },
        schema=SCHEMAS["moves"],
    )
    assert partial_moves(parcels, moves, names(moves, "destination")).tolist() == [False, False, True, False]


def test_the_end_is_the_last_event() -> None:
    _, tables, _ = finished()
    assert run_end(tables) == max(
        max(row["leave_s"] for row in tables["legs"].to_pylist()),
        max(row["time_s"] for row in tables["moves"].to_pylist()),
        max(row["finish_s"] for row in tables["stages"].to_pylist()),
    )
