"""Which stage made a parcel late: constructed parcels with one long interval, and the sample's own rules."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from sim.lateness import FAILED, MILESTONES, STAGES, due, late, with_late_stage
from sim.tables import SCHEMAS
from tests.sim.sample_run import finished

END_S = 1_000_000.0
FULFILMENT = [name for name, _ in MILESTONES if name != "collected_s"]
COLLECTED = ["accepted_s", "collected_s", "sorted_s", "station_s", "ready_s", "loaded_s", "final_s"]


def parcel(way: list[str], slow: str | None = None, until: str | None = None, **given: Any) -> dict[str, Any]:
    """A parcel that takes 100 s for each interval, 5000 s for the one that ends at `slow`, and stays open after
    `until`."""
    row: dict[str, Any] = dict.fromkeys(SCHEMAS["parcels"].names)
    kind = "origin-destination" if "collected_s" in way else "fulfilment"
    row |= {"service": "s", "kind": kind, "origin": "o", "area": "a", "measured": True, "placed_s": 0.0}
    row |= {"promise_s": 2000.0, "state": "delivered", "attempts": 1}
    now = 0.0
    for milestone in way:
        now += 5000.0 if milestone == slow else 100.0
        row[milestone] = now
        if milestone == until:
            row |= {"state": "open", "attempts": 0}
            break
    return row | given


def stages_of(rows: list[dict[str, Any]]) -> list[str | None]:
    columns = [
        pa.array([row[field.name] for row in rows], pa.string()).dictionary_encode()
        if pa.types.is_dictionary(field.type)
        else pa.array([row[field.name] for row in rows], field.type)
        for field in SCHEMAS["parcels"]
    ]
    table = pa.table(columns, schema=SCHEMAS["parcels"])
    return list(with_late_stage(table, END_S)["late_stage"].to_pylist())


@pytest.mark.parametrize("way", [FULFILMENT, COLLECTED])
def test_the_slow_interval_is_named(way: list[str]) -> None:
    names = dict(MILESTONES)
    peers = [parcel(way) for _ in range(9)]
    slow = [parcel(way, slow=milestone) for milestone in way]
    assert stages_of(peers + slow) == [None] * 9 + [names[milestone] for milestone in way]


@pytest.mark.parametrize("way", [FULFILMENT, COLLECTED])
def test_an_open_parcel_is_late_where_it_is_stuck(way: list[str]) -> None:
    names = dict(MILESTONES)
    rows = [parcel(way) for _ in range(9)] + [parcel(way, until=milestone) for milestone in way[:-1]]
    assert stages_of(rows)[9:] == [names[milestone] for milestone in way[1:]]


def test_usual_is_by_way_then_service_then_kind() -> None:
    # far areas take 3000 s on the road as a rule: there it is the sort that is unusual
    far = [parcel(FULFILMENT, slow=None, area="far", promise_s=9000.0) for _ in range(6)]
    for row in far:
        row |= {name: row[name] + 3000.0 for name in FULFILMENT[FULFILMENT.index("station_s") :]}
    odd = dict(far[0]) | {"promise_s": 10.0}
    odd |= {name: odd[name] + 2000.0 for name in FULFILMENT[FULFILMENT.index("sorted_s") :]}
    near = [parcel(FULFILMENT) for _ in range(20)]
    assert stages_of([*far, *near, odd])[-1] == "sort"
    # with too few peers of its own way, those of the service speak: there the road is unusual
    assert stages_of([*far[:4], *near, odd])[-1] == "linehaul"
    # with no parcel on time there is nothing to compare with, and the longest is named
    assert stages_of([odd])[-1] == "linehaul"


def test_a_second_attempt_is_late_by_the_first() -> None:
    rows = [parcel(FULFILMENT) for _ in range(9)]
    rows += [parcel(FULFILMENT, slow="loaded_s", attempts=2), parcel(FULFILMENT, slow="loaded_s", attempts=1)]
    assert stages_of(rows)[9:] == [FAILED, "dispatch"]


def test_stock_and_returns_need_no_comparison() -> None:
    gone = parcel(FULFILMENT, until="accepted_s") | {"state": "out_of_stock", "final_s": 500.0}
    back = parcel(FULFILMENT, slow="sorted_s", attempts=3) | {"state": "returned"}
    cancelled = parcel(FULFILMENT, until="accepted_s") | {"state": "cancelled", "final_s": 9000.0}
    assert stages_of([gone, back, cancelled]) == ["stock", FAILED, None]


def test_the_sample_names_what_its_rules_did() -> None:
    parcels = finished()[1]["parcels"]
    rows = parcels.to_pylist()
    lateness, wanted = late(parcels), due(parcels)
    for row, is_late, is_due in zip(rows, lateness, wanted, strict=True):
        on_time = row["state"] == "delivered" and row["final_s"] <= row["promise_s"]
        assert is_due == (row["state"] != "cancelled")
        assert is_late == (is_due and not on_time)
        assert (row["late_stage"] in STAGES) == is_late
        if row["state"] == "returned" or (is_late and row["parcel"] % 17 == 5 and row["attempts"] == 2):
            assert row["late_stage"] == FAILED
        if row["state"] == "out_of_stock":
            assert row["late_stage"] == "stock"
        if row["state"] == "open":  # never collected, or never loaded
            assert row["late_stage"] == ("dispatch" if row["ready_s"] else "collection")
