"""The ledger against the sample's own rules and plain arithmetic."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.ledger import build_ledger, split
from tests.sim.sample_run import HOUR, finished, scenario


def entries(**wanted: str) -> list[dict[str, Any]]:
    _, tables, _ = finished()
    rows = tables["ledger"].to_pylist()
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def rows_of(table: str) -> list[dict[str, Any]]:
    return finished()[1][table].to_pylist()


@given(
    total=st.integers(0, 10**12),
    weights=st.lists(st.floats(0, 1e9), min_size=1, max_size=8).filter(lambda each: sum(each) > 1e-6),
)
def test_a_split_sums_and_is_nearly_proportional(total: int, weights: list[float]) -> None:
    given_weights = np.array(weights)
    parts = split(total, given_weights)
    assert parts.sum() == total
    exact = given_weights / given_weights.sum() * total
    assert (np.abs(parts - exact) <= 1 + 1e-6 * max(total, 1)).all()


def test_a_split_gives_the_odd_unit_to_the_largest_remainder() -> None:
    assert split(10, np.array([1.0, 1.0, 1.0])).tolist() == [4, 3, 3]
    assert split(5, np.array([0.0, 1.4, 3.6])).tolist() == [0, 1, 4]


def test_every_group_costs_its_rate_times_its_quantity() -> None:
    groups: dict[tuple[Any, ...], list[float]] = defaultdict(lambda: [0.0, 0])
    for row in entries():
        group = groups[row["kind"], row["site"], row["lane"], row["unit"], row["rate_minor"]]
        group[0] += row["quantity"]
        group[1] += row["amount_minor"]
    assert len(groups) > 30
    for (*_, rate), (quantity, amount) in groups.items():
        assert amount == pytest.approx(rate * quantity, abs=0.5 + 1e-6)


def test_every_kind_of_cost_occurs() -> None:
    assert Counter(row["kind"] for row in entries()).keys() == {
        *("stage_wage", "driver_wage", "piece", "vehicle_day", "distance", "energy", "toll"),
        *("handling", "space", "failed_attempt", "late_parcel", "late_hour"),
    }


def test_stage_wages_are_the_shifts_of_the_days_worked() -> None:
    starts = [row["start_s"] for row in rows_of("stages") if row["site"] == "W" and row["stage"] == "pick"]
    days = {start // 86_400 for row in rows_of("stages") if row["site"] == "W" for start in [row["start_s"]]}
    picks = entries(kind="stage_wage", site="W")
    picks = [row for row in picks if row["rate_minor"] == 2400]
    assert sum(row["quantity"] for row in picks) == pytest.approx(24 * len(days))
    worked = sum(row["quantity"] for row in picks if row["service"])
    assert worked == pytest.approx(len(starts) * 40 / HOUR)


def test_unused_time_is_nobodys() -> None:
    idle = [row for row in entries(kind="driver_wage", site="W") if row["service"] == ""]
    # two duties of 1.5 h each with half an hour of driving; on the second nothing was on board
    assert sum(row["quantity"] for row in idle) == pytest.approx(2.5)


def test_tolls_are_paid_by_trip_and_shared_by_volume() -> None:
    volume = {row["parcel"]: (row["service"], row["volume_ml"]) for row in rows_of("parcels")}
    trips: dict[int, Counter[str]] = defaultdict(Counter)
    for row in rows_of("containers"):
        service, millilitres = volume[row["parcel"]]
        trips[row["trip"]][service] += millilitres
    for lane in ("W-H", "H-A", "H-B", "A-H"):
        of_lane = {row["trip"] for row in rows_of("legs") if row["lane"] == lane}
        expected: Counter[str] = Counter()
        for trip in of_lane:
            whole = sum(trips[trip].values())
            for service, part in trips[trip].items():
                expected[service] += part / whole
            expected[""] += not whole
        found = {row["service"]: row["quantity"] for row in entries(kind="toll", lane=lane)}
        assert found == pytest.approx({service: part for service, part in expected.items() if part})


def test_pieces_are_what_vans_handed_over_and_collected() -> None:
    delivered = sum(row["destination"] == "customer" for row in rows_of("moves"))
    collected = sum(row["origin"] == "site:M" for row in rows_of("moves"))
    assert sum(row["quantity"] for row in entries(kind="piece")) == delivered + collected
    assert collected > 0


def test_handling_counts_each_parcel_once_a_site() -> None:
    at_a = {
        row["parcel"]
        for row in rows_of("moves")
        if row["origin"] and "vehicle:" in row["origin"] + row["destination"] and "site:A" in row.values()
    }
    assert sum(row["quantity"] for row in entries(kind="handling", site="A")) == len(at_a)


def test_failed_attempts_and_lateness_are_charged_by_service() -> None:
    parcels = rows_of("parcels")
    failed = sum(row["attempts"] - (row["state"] == "delivered") for row in parcels if row["attempts"])
    assert sum(row["amount_minor"] for row in entries(kind="failed_attempt")) == 150 * failed
    late = [row for row in parcels if row["late_stage"]]
    next_day = sum(row["service"] == "next-day" for row in late)
    assert sum(row["amount_minor"] for row in entries(kind="late_parcel")) == 500 * next_day
    hours = sum(
        max(row["final_s"] - row["promise_s"], 0) / HOUR for row in late if row["service"] == "express"
    )
    assert sum(row["quantity"] for row in entries(kind="late_hour")) == pytest.approx(hours)


def test_a_free_network_costs_nothing() -> None:
    _, tables, _ = finished()
    made = scenario()

    def free(section: Any) -> Any:
        prices = {name: 0.0 for name in type(section).model_fields if "_minor" in name}
        return section.model_copy(update=prices)

    parts = {key: [free(each) for each in getattr(made, key)] for key in ("vehicles", "lanes", "services")}
    sites = [
        free(site).model_copy(update={"stages": [free(each) for each in site.stages]}) for site in made.sites
    ]
    nothing = made.model_copy(update={**parts, "sites": sites, "delivery": free(made.delivery)})
    assert build_ledger(nothing, tables).num_rows == 0
