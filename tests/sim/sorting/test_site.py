"""Sorters inside the twin: every parcel sorted once per pass, books balanced at every move; faults of scenarios."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from logistics.demand import build_demand
from logistics.scenario import Scenario
from logistics.templates import init
from logistics.validate import load_scenario, validate
from sim.random_streams import Streams
from sim.results import build_tables
from sim.run import make_roads
from sim.sorting.site import SiteSorting, WorkingHours
from sim.stations import CapacityProfile
from sim.twin import Twin, TwinOptions

ROBOTS = "robots = { robots = 12, chute_rows = 3, chute_columns = 4, inductions = 3, chargers = 3 }"
SORTERS = {
    "curve": f'kind = "robots", {ROBOTS}',
    "full": f'kind = "robots", full = true, {ROBOTS}',
    "cross_belt": 'kind = "cross_belt", cross_belt = { length_m = 60, chutes = 20, inductions = 2 }',
}
MARK = 'id = "hub-1"\nkind = "hub"\n'


def _template(folder: Path, sorting: str, more: str = "") -> Path:
    path = init("town", "small", folder)
    text = path.read_text(encoding="utf-8")
    assert MARK in text
    path.write_text(text.replace(MARK, f"{MARK}sorting = {{ {sorting} }}\n") + more, encoding="utf-8")
    return path


def _twin(loaded: Scenario, seed: int = 3) -> Twin:
    streams = Streams(seed)
    local, linehaul = make_roads(loaded)
    demand = build_demand(loaded, streams.generator, loaded.folder)
    return Twin(loaded, demand, local, linehaul, streams, TwinOptions(jobs=1, audit_every_move=True))


def _sorting(twin: Twin) -> SiteSorting:
    row = next(n for n, site in enumerate(twin.scenario.sites) if site.id == "hub-1")
    sorting = twin.world.floors[row].sorting
    assert isinstance(sorting, SiteSorting)
    return sorting


@pytest.mark.parametrize("name", SORTERS)
def test_every_parcel_is_sorted_by_the_sorter(name: str, tmp_path: Path) -> None:
    twin = _twin(load_scenario(_template(tmp_path, SORTERS[name])))
    twin.run()
    assert sum(twin.custody.units_at[:5]) == twin.custody.ordered_units
    times = _sorting(twin).sorter.times
    came = ~np.isnan(times.arrive_s)
    assert came.sum() > 300
    assert not np.isnan(times.sorted_s[came]).any()
    assert (times.load_s[came] >= times.arrive_s[came] - 1e-9).all()
    assert (times.sorted_s[came] > times.load_s[came]).all()
    hub = next(n for n, site in enumerate(twin.scenario.sites) if site.id == "hub-1")
    delivered = ~np.isnan(twin.world.parcels.stamps["final_s"])
    assert delivered.sum() >= came.sum() > 0
    assert twin.world.floors[hub].chain.stations[0].expected == 0


def test_the_same_seed_gives_the_same_times(tmp_path: Path) -> None:
    path = _template(tmp_path, SORTERS["full"])
    first, second = (_twin(load_scenario(path)) for _ in range(2))
    first.run()
    second.run()
    a, b = (_sorting(twin).sorter.times.sorted_s for twin in (first, second))
    assert np.array_equal(a, b, equal_nan=True)


def test_a_stopped_robot_and_a_blocked_chute_show_in_the_trace(tmp_path: Path) -> None:
    window = (
        'target = "hub-1"\nnumber = 1\nstarts = 2026-03-02T00:00:00+01:00\nends = 2026-03-03T00:00:00+01:00\n'
    )
    more = "".join(
        f'\n[[disruptions]]\nkind = "{kind}"\n{window}'
        for kind in ("robot_stopped", "chute_blocked", "induction_closed")
    )
    path = _template(tmp_path, SORTERS["full"], more)
    assert validate(path) == [] or all(fault.code == "unmarked-input" for fault in validate(path))
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("[basis]\n", '[basis]\ndisruptions = "assumed: a bad day"\n'), encoding="utf-8"
    )
    twin = _twin(load_scenario(path))
    twin.run()
    sorting = _sorting(twin)
    what = {note.what for note in sorting.sorter.result().trace}
    assert {"robot stopped", "robot goes on", "chute blocked", "chute unblocked", "induction closed"} <= what
    came = ~np.isnan(sorting.sorter.times.arrive_s)
    assert not np.isnan(sorting.sorter.times.sorted_s[came]).any()
    rows = build_tables(twin)[0]["incidents"].to_pylist()
    assert what == {row["what"] for row in rows}
    assert {(row["site"], row["number"]) for row in rows if row["what"] == "chute blocked"} == {("hub-1", 1)}
    at_s = next(row["time_s"] for row in rows if row["what"] == "chute unblocked")
    assert at_s == 86_400


@pytest.mark.parametrize(
    ("sorting", "code"),
    [
        ('kind = "chaos"', "unknown-choice"),
        ('kind = "robots", cross_belt = { chutes = 3 }', "sorting-not-for-kind"),
        ('kind = "robots", robots = { inductions = 99 }', "sorter-too-small"),
        ('kind = "robots", robots = { robots = 9999 }', "sorter-too-small"),
        ('kind = "robots", errors = { missort = 1.5 }', "out-of-range"),
        ('kind = "robots", robots = { step_s = 0 }', "out-of-range"),
        ('kind = "cross_belt", cross_belt = { length_m = 10 }', "sorter-too-small"),
        ('kind = "cross_belt", cross_belt = { speed_kmh = 7 }', "wrong-unit"),
    ],
)
def test_broken_sorters_are_found(sorting: str, code: str, tmp_path: Path) -> None:
    faults = validate(_template(tmp_path, sorting))
    assert code in [fault.code for fault in faults]
    assert all("sorting" in fault.place for fault in faults)


@pytest.mark.parametrize(
    ("sorting", "kind", "number", "code"),
    [
        (SORTERS["curve"], "robot_stopped", 0, "sorting-needs-full"),
        (SORTERS["full"], "robot_stopped", 12, "too-few-chutes"),
        (SORTERS["full"], "chute_blocked", 12, "too-few-chutes"),
        (SORTERS["cross_belt"], "induction_closed", 2, "too-few-chutes"),
        (SORTERS["cross_belt"], "robot_stopped", 0, "no-sorter"),
    ],
)
def test_broken_disruptions_are_found(
    sorting: str, kind: str, number: int, code: str, tmp_path: Path
) -> None:
    more = (
        f'\n[[disruptions]]\nkind = "{kind}"\ntarget = "hub-1"\nnumber = {number}\n'
        "starts = 2026-03-02T00:00:00+01:00\nends = 2026-03-03T00:00:00+01:00\n"
    )
    assert code in [fault.code for fault in validate(_template(tmp_path, sorting, more))]


def test_a_warehouse_with_a_sorter_is_refused(tmp_path: Path) -> None:
    path = _template(tmp_path, 'kind = "cross_belt"')
    text = path.read_text(encoding="utf-8")
    shop = 'id = "wh-1"\nkind = "warehouse"\n'
    path.write_text(text.replace(shop, f'{shop}sorting = {{ kind = "cross_belt" }}\n'), encoding="utf-8")
    assert "key-not-for-kind" in [fault.code for fault in validate(path)]


def test_working_hours_and_moments_are_inverse() -> None:
    hours = WorkingHours(CapacityProfile(np.array([0.0, 100.0, 300.0, 500.0]), np.array([0, 2, 0, 1])))
    assert hours.worked(np.array([50.0, 100.0, 150.0, 400.0, 600.0])).tolist() == [
        0.0,
        0.0,
        50.0,
        200.0,
        300.0,
    ]
    assert hours.moment(np.array([0.0, 50.0, 200.0, 250.0])).tolist() == [100.0, 150.0, 300.0, 550.0]
