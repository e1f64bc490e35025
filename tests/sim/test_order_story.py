"""The life of an order, told from a run folder alone."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from logistics.templates import init
from logistics.validate import load_scenario
from sim.order_story import OrderStory, tell_order, worst_orders
from sim.run import run_scenario
from sim.run_folder import write_run
from solvers.errors import InvalidInputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("story")
    changes = {"delivery.failure": "0.2", "fleet_scale": "0.3", "vehicles.van.max_stops": "20"}
    loaded = load_scenario(init("town", "small", path), {**changes, "demand.scale": "0.3"})
    result = run_scenario(loaded, 7)
    write_run(path / "run", loaded, result.tables, result.manifest)
    return path / "run"


def one(folder: Path, condition: str) -> str:
    query = f"""SELECT "order" FROM '{folder}/parcels.parquet' WHERE {condition} ORDER BY parcel LIMIT 1"""
    return str(duckdb.sql(query).fetchall()[0][0])


def whats(story: OrderStory) -> list[str]:
    return [event.what for event in story.parcels[0].events]


def test_a_fulfilled_order_from_click_to_door(folder: Path) -> None:
    story = tell_order(folder, one(folder, "kind = 'fulfilment' AND attempts = 1 AND state = 'delivered'"))
    assert [w for w in whats(story) if w not in ("linehaul", "sort")] == [
        "order placed", "taken in by the dispatcher", "stock reserved", "wave released", "pick", "pack",
        "loaded on van", "at the door", "delivered",
    ]  # fmt: skip
    assert whats(story).count("linehaul") == 2
    assert whats(story).count("sort") == 3
    assert sum(line["quantity"] for line in story.parcels[0].lines) > 0
    events = story.parcels[0].events
    assert [event.at_s for event in events] == sorted(event.at_s for event in events)
    # waits and work fill the time from the first to the last event, but for work that overlaps
    covered = sum(event.wait_s + event.took_s for event in events)
    assert covered >= events[-1].at_s - events[0].at_s - 1e-6
    assert any("plan " in event.detail and "savings" in event.detail for event in events)


def test_a_failed_attempt_is_told_and_paid(folder: Path) -> None:
    story = tell_order(folder, one(folder, "attempts = 2 AND state = 'delivered' AND place_kind = 'home'"))
    doors = [event.detail for event in story.parcels[0].events if event.what == "at the door"]
    assert doors == ["nobody there: back to the station", "handed over"]
    assert story.cost["failed_attempt"] == 0.5


def test_a_late_order_says_why_and_by_how_much(folder: Path) -> None:
    worst = worst_orders(folder, 5)
    assert [each.late_h for each in worst] == sorted((each.late_h for each in worst), reverse=True)
    story = tell_order(folder, worst[0].order)
    assert worst[0].late_stage in story.parcels[0].late
    assert "instead of the usual" in story.parcels[0].late
    assert any(worst[0].late_stage in line for line in story.lines())


def test_reasons_of_parcels_left_out(folder: Path) -> None:
    query = f"SELECT parcel FROM '{folder}/unassigned.parquet' ORDER BY 1 LIMIT 1"
    parcel = duckdb.sql(query).fetchall()[0][0]
    story = tell_order(folder, one(folder, f"parcel = {parcel}"))
    assert next(each for each in story.parcels if each.parcel == parcel).left_out[0].code


def test_costs_of_all_orders_of_a_service_sum_to_its_own(folder: Path) -> None:
    """Each order's share by the ledger's own rules; single roundings are the only difference."""
    orders = [
        str(row[0])
        for row in duckdb.sql(
            f"""SELECT DISTINCT "order" FROM '{folder}/parcels.parquet' WHERE service = 'same-day' ORDER BY 1"""
        ).fetchall()
    ]
    told = [tell_order(folder, order) for order in orders]
    [(total,)] = duckdb.sql(
        f"SELECT sum(amount_minor) FROM '{folder}/ledger.parquet' WHERE service = 'same-day'"
    ).fetchall()
    assert len(orders) > 10
    assert all(story.cost_total == pytest.approx(sum(story.cost.values())) for story in told)
    assert sum(story.cost_total for story in told) == pytest.approx(float(total) / 100, rel=0.005)


def test_an_unknown_order_is_answered_with_close_ones(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match="closest are s01-00-"):
        tell_order(folder, "s01-00-0000008x")
