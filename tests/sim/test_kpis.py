"""Key figures against plain loops over the sample's rows."""

from __future__ import annotations

import statistics
from typing import Any

import pyarrow as pa
import pytest

from sim.kpis import build_kpis, minor_per_major
from sim.tables import SCHEMAS
from tests.sim.sample_run import finished


def rows(table: str) -> list[dict[str, Any]]:
    return finished()[1][table].to_pylist()


def figure(kpi: str, scope: str = "") -> float:
    found = [row["value"] for row in rows("kpis") if (row["kpi"], row["scope"]) == (kpi, scope)]
    assert len(found) == 1, f"{kpi} {scope}: {len(found)} rows"
    return float(found[0])


def measured(service: str | None = None) -> list[dict[str, Any]]:
    return [row for row in rows("parcels") if row["measured"] and service in (None, row["service"])]


def test_each_figure_occurs_once() -> None:
    keys = [(row["kpi"], row["scope"]) for row in rows("kpis")]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("service", [None, "express", "next-day"])
def test_what_customers_see(service: str | None) -> None:
    scope = f"service:{service}" if service else ""
    chosen = measured(service)
    wanted = [row for row in chosen if row["state"] != "cancelled"]
    on_time = [row for row in wanted if row["state"] == "delivered" and row["final_s"] <= row["promise_s"]]
    assert figure("parcels", scope) == len(chosen) < len(rows("parcels"))
    assert figure("orders", scope) == len({row["order"] for row in chosen})
    assert figure("due", scope) == len(wanted)
    assert figure("late", scope) == len(wanted) - len(on_time)
    assert figure("on_time_pct", scope) == pytest.approx(100 * len(on_time) / len(wanted))
    for state in ("delivered", "cancelled", "out_of_stock", "returned", "open"):
        assert figure(state, scope) == sum(row["state"] == state for row in chosen)
    tried = [row for row in chosen if row["first_attempt"] is not None]
    first = sum(row["first_attempt"] for row in tried)
    assert figure("first_attempt_pct", scope) == pytest.approx(100 * first / len(tried))
    door = sorted(row["final_s"] - row["placed_s"] for row in chosen if row["state"] == "delivered")
    assert figure("click_to_door_p50_s", scope) == pytest.approx(statistics.median(door))
    cuts = statistics.quantiles(door, n=100, method="inclusive")
    assert figure("click_to_door_p95_s", scope) == pytest.approx(cuts[94])
    assert figure("click_to_door_p99_s", scope) == pytest.approx(cuts[98])


def test_late_parcels_are_all_attributed() -> None:
    stages = {row["scope"]: row["value"] for row in rows("kpis") if row["scope"].startswith("late_stage:")}
    assert sum(stages.values()) == figure("late")
    for scope, value in stages.items():
        stage = scope.removeprefix("late_stage:")
        assert value == sum(row["late_stage"] == stage for row in measured())


@pytest.mark.parametrize(
    ("scope", "column"), [("", None), ("vehicle:van", "vehicle_kind"), ("lane:W-H", "lane")]
)
def test_driving(scope: str, column: str | None) -> None:
    legs = [row for row in rows("legs") if column is None or row[column] == scope.partition(":")[2]]
    assert figure("km", scope) == pytest.approx(sum(row["distance_m"] for row in legs) / 1000)
    empty = [row for row in legs if row["parcels"] == 0]
    assert figure("empty_km", scope) == pytest.approx(sum(row["distance_m"] for row in empty) / 1000)
    for unit, load, room in (("weight", "load_g", "capacity_g"), ("volume", "load_ml", "capacity_ml")):
        carried = sum(row["distance_m"] * row[load] for row in legs)
        possible = sum(row["distance_m"] * row[room] for row in legs)
        assert figure(f"load_factor_{unit}_pct", scope) == pytest.approx(100 * carried / possible)
    assert figure("energy_kwh", scope) == pytest.approx(sum(row["energy_j"] for row in legs) / 3.6e6)
    assert figure("co2_kg", scope) == pytest.approx(sum(row["co2_g"] for row in legs) / 1000)


def test_goods_without_parcels_are_a_load() -> None:
    made, tables, _ = finished()
    legs = tables["legs"]
    loaded = [max(load, 1) for load in legs["load_g"].to_pylist()]
    at = legs.schema.get_field_index("load_g")
    heavier = {**tables, "legs": legs.set_column(at, "load_g", pa.array(loaded, pa.int64()))}
    assert build_kpis(made, heavier, tables["ledger"])[1]["empty_km"] == 0
    assert figure("empty_km") > 0


def test_rounds() -> None:
    legs = [row for row in rows("legs") if row["role"] == "delivery"]
    routes = len({row["trip"] for row in legs})
    assert figure("routes") == routes
    assert figure("stops_per_route") == pytest.approx(sum(row["place"] is not None for row in legs) / routes)
    hours = sum(row["leave_s"] - row["depart_s"] for row in legs) / 3600
    handed = sum(row["state"] == "delivered" for row in rows("parcels"))
    assert figure("parcels_per_van_hour") == pytest.approx(handed / hours)


def test_utilisation_is_of_paid_time() -> None:
    work = [row for row in rows("stages") if (row["site"], row["stage"]) == ("W", "pick")]
    seconds = sum(row["finish_s"] - row["start_s"] for row in work)
    days = len({row["start_s"] // 86_400 for row in rows("stages") if row["site"] == "W"})
    assert figure("utilisation_pct", "stage:W/pick") == pytest.approx(100 * seconds / (86_400 * days))
    waits = [row["start_s"] - row["arrive_s"] for row in work]
    assert figure("wait_mean_s", "stage:W/pick") == pytest.approx(statistics.fmean(waits))
    duties = [row for row in rows("duties") if (row["site"], row["vehicle_kind"]) == ("A", "van")]
    on_duty = sum(row["shift_end_s"] - row["shift_start_s"] for row in duties)
    busy = sum(row["busy_s"] for row in duties)
    assert figure("utilisation_pct", "fleet:A/van") == pytest.approx(100 * busy / on_duty)


def test_cost_splits_without_a_rest() -> None:
    total = sum(row["amount_minor"] for row in rows("ledger"))
    assert figure("cost_total") == total / 100
    delivered = sum(row["state"] == "delivered" for row in rows("parcels"))
    assert figure("cost_per_parcel") == pytest.approx(total / 100 / delivered)
    for column, prefix in (("kind", "cost:"), ("service", "service:"), ("site", "site:"), ("lane", "lane:")):
        for each in {row[column] for row in rows("ledger")}:
            part = sum(row["amount_minor"] for row in rows("ledger") if row[column] == each)
            assert figure("cost_total", prefix + (each or "none")) == part / 100


def test_left_out_parcels() -> None:
    assert figure("left_out") == len({row["parcel"] for row in rows("unassigned")}) > 0
    assert figure("left_out", "reason:no-stock") == figure("left_out")
    assert figure("unassigned") == 0


def test_the_flat_form_holds_the_whole_run() -> None:
    _, _, flat = finished()
    whole = {row["kpi"]: row["value"] for row in rows("kpis") if row["scope"] == ""}
    services = {
        f"on_time_pct:{name}": figure("on_time_pct", f"service:{name}") for name in ("express", "next-day")
    }
    assert flat == whole | services
    assert isinstance(flat["delivered"], int)


def test_figures_without_a_basis_are_left_out() -> None:
    made, tables, _ = finished()
    empty = {name: table.slice(0, 0) for name, table in tables.items()}
    table, flat = build_kpis(made, empty, empty["ledger"])
    assert flat["parcels"] == flat["km"] == flat["cost_total"] == 0
    assert (
        not {"on_time_pct", "cost_per_parcel", "click_to_door_p50_s", "load_factor_weight_pct"} & flat.keys()
    )
    assert table.schema.equals(SCHEMAS["kpis"])


@pytest.mark.parametrize(("currency", "units"), [("EUR", 100), ("CNY", 100), ("JPY", 1), ("KWD", 1000)])
def test_minor_units(currency: str, units: int) -> None:
    assert minor_per_major(currency) == units
