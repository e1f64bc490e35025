"""Storage inside the twin: the pick stage by each system, books balanced at every move, times in order; faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from logistics.demand import build_demand
from logistics.past_orders import COLUMNS
from logistics.scenario import Scenario
from logistics.templates import init
from logistics.validate import load_scenario, validate
from sim.random_streams import Streams
from sim.report.render import render_report
from sim.results import build_tables
from sim.run import make_roads
from sim.run_folder import write_run
from sim.twin import Twin, TwinOptions
from sim.warehouse.picker_to_parts import PickerFloor
from sim.warehouse.site import SitePicking, storage_figures, unlearned
from solvers.errors import InvalidInputError

SYSTEMS = {
    "goods_to_person": "goods_to_person = { pods = 120, bins_per_pod = 12, robots = 12, stations = 4 }",
    "picker_to_parts": "picker_to_parts = { aisles = 8, bays = 20, zones = 2, cubbies = 40 }",
    "automated": "automated = { aisles = 4 }",
    "shuttles": 'automated = { aisles = 4, machine = "shuttle" }',
}


def _template(folder: Path, storage: str) -> Path:
    path = init("town", "small", folder)
    text = path.read_text(encoding="utf-8")
    mark = 'id = "wh-1"\nkind = "warehouse"\n'
    assert mark in text
    path.write_text(text.replace(mark, mark + f"storage = {{ {storage} }}\n"), encoding="utf-8")
    return path


def _twin(loaded: Scenario, seed: int = 3) -> Twin:
    streams = Streams(seed)
    local, linehaul = make_roads(loaded)
    demand = build_demand(loaded, streams.generator, loaded.folder)
    return Twin(loaded, demand, local, linehaul, streams, TwinOptions(jobs=1, audit_every_move=True))


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_parcel_is_picked_by_the_storage(name: str, tmp_path: Path) -> None:
    kind = "automated" if name == "shuttles" else name
    loaded = load_scenario(_template(tmp_path, f'kind = "{kind}", {SYSTEMS[name]}'))
    twin = _twin(loaded)
    twin.run()
    assert sum(twin.custody.units_at[:5]) == twin.custody.ordered_units
    stamps = twin.world.parcels.stamps
    picked = ~np.isnan(stamps["picked_s"])
    assert picked.sum() > 300
    assert (stamps["picked_s"] > stamps["released_s"])[picked].all()
    assert (stamps["packed_s"] > stamps["picked_s"])[~np.isnan(stamps["packed_s"])].all()
    row = next(n for n, site in enumerate(loaded.sites) if site.id == "wh-1")
    picking = twin.world.floors[row].picking
    assert picking is not None
    assert np.isnan(picking.floor.ready_s).sum() == (~picked).sum() - _elsewhere(twin, row)
    picking.floor.stock.audit()
    # The stage's people are no servers here: no share of their time is told, of packing it is.
    tables = build_tables(twin)[0]
    kpis = {(row["scope"], row["kpi"]): row["value"] for row in tables["kpis"].to_pylist()}
    assert ("stage:wh-1/pick", "utilisation_pct") not in kpis
    assert 0 < kpis["stage:wh-1/pack", "utilisation_pct"] <= 100
    _figures_follow_from_tables(kpis, tables, storage_figures(twin.world)["wh-1"])


def _figures_follow_from_tables(
    kpis: dict[tuple[str, str], float], tables: dict[str, pa.Table], told: dict[str, Any]
) -> None:
    """What the storage tells of itself, recomputed from rows of the run folder."""
    rows = [row for row in tables["stages"].to_pylist() if (row["site"], row["stage"]) == ("wh-1", "pick")]
    parcels = {row["parcel"] for row in rows}
    lines = [row for row in tables["lines"].to_pylist() if row["parcel"] in parcels]
    scope = "storage:wh-1"
    assert kpis[scope, "orders"] == len(parcels) == len(rows)
    assert kpis[scope, "lines"] == len(lines)
    assert kpis[scope, "open_orders"] == 0
    spent = [row["finish_s"] - row["arrive_s"] for row in rows]
    for percent in (50, 95, 99):
        assert kpis[scope, f"cycle_p{percent}_s"] == pytest.approx(np.quantile(spent, percent / 100))
    span_s = max(row["finish_s"] for row in rows) - min(row["arrive_s"] for row in rows)
    assert kpis[scope, "lines_per_h"] == pytest.approx(len(lines) / (span_s / 3600))
    assert kpis[scope, "stock_accuracy_pct"] == 100
    assert 0 < kpis[scope, "space_used_mean_pct"] <= kpis[scope, "space_used_peak_pct"] + 1e-9 <= 100
    handled = np.array(told["handled"]).sum()
    assert handled == kpis.get((scope, "pod_trips"), len(lines))


def _elsewhere(twin: Twin, row: int) -> int:
    """Parcels without lines or of other sites."""
    lines = np.diff(twin.demand.parcels.first_line)
    return int(((twin.world.origin != row) | (lines == 0)).sum())


def test_slower_walking_makes_picking_later(tmp_path: Path) -> None:
    path = _template(tmp_path, f'kind = "picker_to_parts", {SYSTEMS["picker_to_parts"]}')
    mean = {}
    for speed in (1.2, 0.1):
        twin = _twin(load_scenario(path, {"sites.wh-1.storage.picker_to_parts.walk_mps": str(speed)}))
        twin.run()
        stamps = twin.world.parcels.stamps
        mean[speed] = np.nanmean(stamps["picked_s"] - stamps["released_s"])
    assert mean[0.1] > 1.5 * mean[1.2]


@pytest.mark.parametrize(
    ("storage", "code"),
    [
        ('kind = "cellar"', "unknown-choice"),
        ('kind = "automated", goods_to_person = { robots = 3 }', "storage-not-for-kind"),
        ('kind = "goods_to_person", goods_to_person = { robots = 500 }', "more-robots-than-pods"),
        ('kind = "goods_to_person", goods_to_person = { speed_kmh = 5 }', "wrong-unit"),
        ('kind = "picker_to_parts", picker_to_parts = { zones = 30 }', "zone-without-picker"),
        ('kind = "picker_to_parts", picker_to_parts = { zones = 30 }', "zone-without-aisle"),
        ('kind = "automated", automated = { shifts = [["06:00", "22:00", 0]] }', "no-workers"),
    ],
)
def test_broken_storage_is_found(storage: str, code: str, tmp_path: Path) -> None:
    faults = validate(_template(tmp_path, storage))
    assert code in [fault.code for fault in faults]
    assert all("storage" in fault.place for fault in faults)


def test_a_hub_with_storage_is_refused(tmp_path: Path) -> None:
    path = _template(tmp_path, 'kind = "automated"')
    text = path.read_text(encoding="utf-8")
    hub = 'id = "hub-1"\nkind = "hub"\n'
    path.write_text(text.replace(hub, hub + 'storage = { kind = "automated" }\n'), encoding="utf-8")
    assert "key-not-for-kind" in [fault.code for fault in validate(path)]


def test_too_few_places_are_told_before_the_run(tmp_path: Path) -> None:
    path = _template(tmp_path, 'kind = "automated", automated = { aisles = 1, columns = 2, levels = 2 }')
    with pytest.raises(InvalidInputError, match="add aisles, columns or levels"):
        _twin(load_scenario(path))


@pytest.mark.parametrize("policy", ["turnover", "affinity"])
def test_slotting_learns_from_the_past_alone(policy: str, tmp_path: Path) -> None:
    """What was asked for most before lies nearest, however little the run asks for it; nothing known, by code."""
    storage = f'kind = "picker_to_parts", slotting = {{ policy = "{policy}" }}, {SYSTEMS["picker_to_parts"]}'
    loaded = load_scenario(_template(tmp_path, storage))
    site = next(n for n, site in enumerate(loaded.sites) if site.id == "wh-1")
    streams = Streams(3)
    demand = build_demand(loaded, streams.generator, loaded.folder)
    local, linehaul = make_roads(loaded)

    def floor(past: pd.DataFrame | None, learned: int = 0) -> PickerFloor:
        twin = Twin(loaded, demand, local, linehaul, streams, TwinOptions(jobs=1), past=past)
        picking = twin.world.floors[site].picking
        assert isinstance(picking, SitePicking)
        assert isinstance(picking.floor, PickerFloor)
        figures = storage_figures(twin.world)
        assert figures["wh-1"]["kpis"]["slotting_lines"] == learned
        assert unlearned(loaded, figures) == ([] if learned else [("wh-1", policy)])
        return picking.floor

    known = floor(None)
    rare = int(np.argmin(known.orders.picks()))
    code = known.orders.names[rare]
    nearest = known.block.by_aisle()
    assert known.location.tolist() == nearest[: len(known.location)].tolist()
    rows = [("wh-1", 1, "a", code), ("wh-1", 1, "b", code), ("wh-1", 2, "c", code), ("wh-1", 9, "d", "other")]
    past = pd.DataFrame(rows, columns=list(COLUMNS))
    assert floor(past, learned=3).location[rare] == nearest[0]
    elsewhere = past.assign(site="wh-2")
    too_old = past.assign(days_before=8)
    for nothing in (elsewhere, too_old):
        assert (floor(nothing).location == known.location).all()


DAY = 'target = "wh-1"\nstarts = 2026-03-02T05:00:00+01:00\nends = 2026-03-02T12:00:00+01:00\n'


def _with_faults(folder: Path, storage: str, *faults: str) -> Path:
    path = _template(folder, storage)
    text = path.read_text(encoding="utf-8") + "".join(f"\n[[disruptions]]\n{each}\n{DAY}" for each in faults)
    text = text.replace("[basis]\n", '[basis]\ndisruptions = "assumed: a bad day"\n')
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["goods_to_person", "picker_to_parts"])
def test_what_goes_wrong_in_a_storage_shows_and_nothing_is_lost(name: str, tmp_path: Path) -> None:
    """A closed station or zone, a robot that stops, units that vanish: all is picked, the run folder tells it."""
    faults = ['kind = "station_closed"\nnumber = 0', 'kind = "stock_wrong"\nunits = 2000']
    faults += ['kind = "robot_stopped"\nnumber = 1'] if name == "goods_to_person" else []
    path = _with_faults(tmp_path, f'kind = "{name}", {SYSTEMS[name]}', *faults)
    assert validate(path) == []
    twin = _twin(load_scenario(path))
    twin.run()
    tables = build_tables(twin)[0]
    rows = tables["incidents"].to_pylist()
    assert {row["site"] for row in rows} == {"wh-1"}
    assert [row["time_s"] for row in rows] == sorted(row["time_s"] for row in rows)
    what = {row["what"] for row in rows}
    wanted = {"stock wrong", "short pick"}
    wanted |= {"station closes", "robot stops"} if name == "goods_to_person" else {"zone closed"}
    assert wanted <= what
    lost = next(row for row in rows if row["what"] == "stock wrong")
    assert lost["time_s"] == 5 * 3600
    items = {(row["parcel"], row["item"]) for row in tables["lines"].to_pylist()}
    for row in rows:
        if row["what"] == "short pick":
            assert row["item"] == lost["item"]
            assert (row["parcel"], row["item"]) in items
    picking = next(floor.picking for floor in twin.world.floors.values() if floor.picking is not None)
    assert isinstance(picking, SitePicking)
    assert not np.isnan(picking.floor.ready_s[~np.isnan(picking.floor.orders.release_s)]).any()
    picking.floor.stock.audit()
    assert picking.floor.stock.lost.sum() > 0
    states = {row["state"] for row in tables["parcels"].to_pylist()}
    assert "open" not in states
    manifest = {"kpis": {}, "storage": storage_figures(twin.world)}
    write_run(tmp_path / "run", twin.scenario, tables, manifest, twin.world.roads)
    page = render_report(tmp_path / "run").read_text(encoding="utf-8")
    for text in (
        "Warehouse floors",
        "Incidents inside buildings",
        "short pick",
        'data-figure="handled-wh-1"',
    ):
        assert text in page


@pytest.mark.parametrize(
    ("storage", "fault", "code"),
    [
        ('kind = "automated"', 'kind = "station_closed"', "no-storage"),
        ('kind = "picker_to_parts"', 'kind = "robot_stopped"', "no-storage"),
        ('kind = "picker_to_parts"', 'kind = "station_closed"\nnumber = 1', "too-few-stations"),
        ('kind = "goods_to_person"', 'kind = "robot_stopped"\nnumber = 40', "too-few-stations"),
        ('kind = "goods_to_person"', 'kind = "stock_wrong"', "missing-key"),
    ],
)
def test_faults_that_no_storage_has_are_found(storage: str, fault: str, code: str, tmp_path: Path) -> None:
    found = validate(_with_faults(tmp_path, storage, fault))
    assert code in [each.code for each in found if "disruptions" in each.place]
