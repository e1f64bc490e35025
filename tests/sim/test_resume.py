"""A run cut at any moment and continued from its state is the run in one piece; a day starts from another's end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from logistics.templates import init
from logistics.validate import load_scenario
from sim.run import RunResult, run_scenario
from sim.run_folder import write_run
from sim.state import read_state
from sim.state_header import header_faults
from sim.world import STAMPS
from solvers.errors import InvalidInputError

SEED = 7


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return init("small", "small", tmp_path_factory.mktemp("scenario"))


def run_to(
    template: Path, folder: Path, start_from: Path | None = None, seed: int = SEED, **sets: str
) -> RunResult:
    scenario = load_scenario(template, {key.replace("__", "."): value for key, value in sets.items()})
    result = run_scenario(scenario, seed, start_from=start_from)
    write_run(folder, scenario, result.tables, result.manifest, result.roads, result.state)
    return result


def final_times(*results: RunResult) -> dict[tuple, tuple]:
    """All times, state and attempts of each parcel where it became final; later runs win."""
    found = {}
    for result in results:
        table = result.tables["parcels"].to_pydict()
        columns = [
            table[name] for name in (*STAMPS, "placed_s", "state", "attempts", "first_attempt", "mode")
        ]
        keys = zip(table["order"], table["weight_g"], table["volume_ml"], strict=True)
        for key, values in zip(keys, zip(*columns, strict=True), strict=True):
            found[key] = values
    return found


def stage_hours(result: RunResult) -> dict[tuple[str, float], float]:
    """Paid hours by site and rate."""
    rows = result.tables["ledger"].to_pylist()
    hours: dict[tuple[str, float], float] = {}
    for row in rows:
        if row["kind"] == "stage_wage":
            key = row["site"], row["rate_minor"]
            hours[key] = hours.get(key, 0.0) + row["quantity"]
    return hours


@pytest.fixture(scope="module")
def whole(template: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run_to(template, tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize(
    "cut",
    [
        "2026-03-02T07:30:00+01:00",  # a wave of vans falls on the very moment
        "2026-03-02T10:17:00+01:00",  # work in every stage of the warehouse
        "2026-03-02T11:20:00+01:00",  # a truck loads
        "2026-03-02T12:40:00+01:00",  # a truck on the road
        "2026-03-02T14:00:03+01:00",  # vans being planned
        "2026-03-02T15:31:00+01:00",  # vans on the road
        "2026-03-03T00:00:00+01:00",
        "2026-03-03T07:30:04+01:00",
        "2026-03-03T09:00:00+01:00",  # failed attempts still on board
    ],
)
def test_a_run_cut_anywhere_goes_on_to_the_same_times(
    template: Path, whole: RunResult, tmp_path: Path, cut: str
) -> None:
    first = run_to(template, tmp_path / "first", scenario__stop_at=cut)
    second = run_to(template, tmp_path / "second", tmp_path / "first")
    assert final_times(first, second) == final_times(whole)
    carried = second.manifest["from"]["parcels"]
    opened = pc.sum(pc.equal(first.tables["parcels"]["state"].cast(pa.string()), "open")).as_py()
    assert carried >= opened > 0
    hours = [stage_hours(result) for result in (first, second, whole)]
    for key in hours[
        2
    ]:  # no hour of a shift is paid twice; one without work in a part may be paid in neither
        assert hours[0].get(key, 0.0) + hours[1].get(key, 0.0) <= hours[2][key] + 1e-6
    for table in ("legs", "solves"):
        rows = first.tables[table].num_rows + second.tables[table].num_rows
        assert rows == whole.tables[table].num_rows


def test_a_run_cut_twice_is_still_the_same(template: Path, whole: RunResult, tmp_path: Path) -> None:
    cuts = ["2026-03-02T14:30:00+01:00", "2026-03-02T14:31:00+01:00", "2026-03-03T08:00:00+01:00", ""]
    results, before = [], None
    for number, cut in enumerate(cuts):
        sets = {"scenario__stop_at": cut} if cut else {}
        results.append(run_to(template, tmp_path / str(number), before, **sets))
        before = tmp_path / str(number)
    assert final_times(*results) == final_times(whole)


def test_the_second_day_starts_from_the_first_and_units_are_conserved(template: Path, tmp_path: Path) -> None:
    """What every place holds at the end of the first day enters the second there, by the moves tables alone."""
    midnight = "2026-03-03T00:00:00+01:00"
    run_to(template, tmp_path / "one", scenario__stop_at=midnight)
    second = run_to(
        template, tmp_path / "two", tmp_path / "one", seed=8,
        scenario__start=midnight, scenario__measure_from=midnight,
    )  # fmt: skip
    held = """
        SELECT place, sum(units)::BIGINT FROM (
            SELECT destination::VARCHAR AS place, units FROM '{0}'
            UNION ALL SELECT origin::VARCHAR, -units FROM '{0}' WHERE origin IS NOT NULL)
        WHERE place NOT IN ('customer', 'cancelled', 'out of stock', 'returned')
        GROUP BY place HAVING sum(units) <> 0 ORDER BY place"""
    entered = """
        SELECT destination::VARCHAR, sum(units)::BIGINT FROM '{0}'
        WHERE origin IS NULL AND parcel < {1} AND time_s = 0 GROUP BY 1 ORDER BY 1"""
    state = read_state(tmp_path / "one")
    taken_in = sum(name is not None for name in state.columns("parcels")["custody"])
    left = duckdb.sql(held.format(tmp_path / "one" / "moves.parquet")).fetchall()
    assert left == duckdb.sql(entered.format(tmp_path / "two" / "moves.parquet", taken_in)).fetchall()
    assert len(left) > 3
    parcels = second.tables["parcels"].to_pandas()
    assert (parcels.state != "open").all()
    assert (parcels.measured == (parcels.placed_s >= 0)).all()
    assert second.kpis["parcels"] == (parcels.placed_s >= 0).sum() < len(parcels)
    assert second.kpis["on_time_pct"] > 50


def test_stock_goes_on(template: Path, tmp_path: Path) -> None:
    """initial + received = on hand + taken, over both runs: nothing is refilled at the joint."""
    run_to(template, tmp_path / "one", scenario__stop_at="2026-03-02T13:20:10+01:00")
    one = read_state(tmp_path / "one").columns("stock")
    run_to(template, tmp_path / "none", tmp_path / "one", scenario__stop_at="2026-03-02T13:20:11+01:00")
    two = read_state(tmp_path / "none").columns("stock")
    assert one["reserved"].sum() > 0
    for name in ("on_hand", "reserved", "on_order"):
        assert np.array_equal(one[name], two[name])


def test_same_state_same_bytes(template: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run_to(template, tmp_path / name, scenario__stop_at="2026-03-02T15:31:00+01:00")
    files = sorted((tmp_path / "a" / "state").iterdir())
    assert len(files) == 9
    for file in files:
        assert file.read_bytes() == (tmp_path / "b" / "state" / file.name).read_bytes(), file.name


def faults_of(template: Path, folder: Path, tmp_path: Path, **sets: str) -> set[str]:
    with pytest.raises(InvalidInputError) as caught:
        run_to(template, tmp_path / "x", folder, **sets)
    assert all(fault.message and fault.repair for fault in caught.value.faults)
    return {fault.code for fault in caught.value.faults}


def test_a_state_that_does_not_fit_is_refused(template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    run_to(template, folder, scenario__stop_at="2026-03-03T07:30:04+01:00")
    assert faults_of(template, tmp_path / "nowhere", tmp_path) == {"missing-file"}
    other = tmp_path / "other.toml"
    other.write_text(template.read_text().replace("locker-1", "locker-9"))
    assert faults_of(other, folder, tmp_path) == {"other-network"}
    assert faults_of(template, folder, tmp_path, fleet_scale="0.2") == {"other-fleet"}
    header = folder / "state" / "state.json"
    good = header.read_text()
    for text, code in (
        ("{", "unreadable-file"),
        (good.replace('"format": 1', '"format": 99'), "other-version"),
        (json.dumps({k: v for k, v in json.loads(good).items() if k != "trucks"}), "absent-key"),
        (json.dumps({**json.loads(good), "lockers": None, "start": 7}), "damaged-value"),
        (json.dumps({**json.loads(good), "start": "today"}), "damaged-value"),
        (json.dumps({**json.loads(good), "network": {}}), "absent-key"),
    ):
        header.write_text(text)
        assert faults_of(template, folder, tmp_path) == {code}
    header.write_text(good)
    (folder / "state" / "work.parquet").write_bytes(b"no table")
    assert faults_of(template, folder, tmp_path) == {"unreadable-file"}


def leaves(value: object, path: tuple = ()) -> Iterator[tuple]:
    """Paths of all that holds no further value, empty tables and lists among them."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    deeper = [leaf for key, part in parts for leaf in leaves(part, (*path, key))]
    yield from deeper or [path]


def test_every_damaged_value_of_a_state_is_named(template: Path, tmp_path: Path) -> None:
    run_to(template, tmp_path / "vans", scenario__stop_at="2026-03-02T15:31:00+01:00")
    run_to(template, tmp_path / "planning", scenario__stop_at="2026-03-02T14:00:03+01:00")
    for name in ("vans", "planning"):
        whole = json.loads((tmp_path / name / "state" / "state.json").read_text())
        assert header_faults(whole, "f") == []
        assert whole["reports"] if name == "vans" else whole["solves"]
        for path in leaves(whole):
            if "parameters" in path:
                continue  # the solver's own
            changed = json.loads(json.dumps(whole))
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = {"junk": [1.5]}
            found = {fault.place for fault in header_faults(changed, "f")}
            assert any(place.startswith(".".join(map(str, path))) for place in found), path
        torn = json.loads(json.dumps(whole))
        torn["trucks"][0]["at"] = "nowhere"
        if torn["solves"]:
            torn["solves"][0]["first"][-1] += 1
        places = {fault.place for fault in header_faults(torn, "f")}
        assert places == {"trucks.0.at"} | ({"solves.0.first"} if torn["solves"] else set())


def test_a_finished_run_has_nothing_to_go_on_with(template: Path, tmp_path: Path) -> None:
    run_to(template, tmp_path / "one", demand__scale="0.05")
    assert faults_of(template, tmp_path / "one", tmp_path, demand__scale="0.05") == {"nothing-to-run"}
    later = run_to(
        template,
        tmp_path / "two",
        tmp_path / "one",
        demand__scale="0.05",
        scenario__start="2026-03-09T00:00:00+01:00",
    )
    assert later.kpis["delivered"] > 0


MACHINES = {
    "wh-1": {
        "goods_to_person": "storage = { kind = 'goods_to_person', goods_to_person = { pods = 120, robots = 12 } }",
        "picker_to_parts": "storage = { kind = 'picker_to_parts', picker_to_parts = { aisles = 8 } }",
        "automated": "storage = { kind = 'automated', automated = { aisles = 4 } }",
        "none": "",
    },
    "hub-1": {
        "full": "sorting = { kind = 'robots', full = true, robots = { robots = 12, chute_rows = 3, "
        "chute_columns = 4, inductions = 3, chargers = 3 } }",
        "cross_belt": "sorting = { kind = 'cross_belt', cross_belt = { length_m = 60, chutes = 20 }, "
        "errors = { missort = 0.2, missort_found_s = 1800 } }",
        "none": "",
    },
}
CUTS = {"wh-1": "2026-03-03T06:02:00+01:00", "hub-1": "2026-03-02T19:10:00+01:00"}


def with_machine(folder: Path, site: str, machine: str) -> Path:
    """The template with something else in place of a stage."""
    folder.mkdir()
    path = init("small", "small", folder)
    text = path.read_text(encoding="utf-8")
    mark = f'id = "{site}"\nkind = "{"warehouse" if site.startswith("wh") else "hub"}"\n'
    assert mark in text
    path.write_text(text.replace(mark, f"{mark}{MACHINES[site][machine]}\n"), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("site", "before", "after"),
    [
        ("wh-1", "goods_to_person", "goods_to_person"),
        ("wh-1", "picker_to_parts", "picker_to_parts"),
        ("wh-1", "automated", "none"),
        ("wh-1", "none", "automated"),
        ("hub-1", "full", "cross_belt"),
        ("hub-1", "cross_belt", "none"),
        ("hub-1", "none", "full"),
    ],
)
def test_what_is_inside_a_storage_or_sorter_goes_on(
    site: str, before: str, after: str, tmp_path: Path
) -> None:
    """Cut in the midst of the work, also where the next run has other machines: nothing is lost, nothing twice."""
    first = run_to(
        with_machine(tmp_path / "a", site, before), tmp_path / "first", scenario__stop_at=CUTS[site]
    )
    stage = "pick" if site == "wh-1" else "sort"
    work = read_state(tmp_path / "first").tables["work"].to_pylist()
    inside = {  # what people had begun is theirs to end
        row["parcel"]
        for row in work
        if (row["site"], row["stage"]) == (site, stage) and row["finish_s"] is None
    }
    assert len(inside) > 5
    assert inside.isdisjoint(first.tables["sorting_errors"]["parcel"].to_pylist())
    second = run_to(with_machine(tmp_path / "b", site, after), tmp_path / "second", tmp_path / "first")
    done = final_times(first, second)
    assert "open" not in {values[len(STAMPS) + 1] for values in done.values()}
    rows = [
        row for row in second.tables["stages"].to_pylist() if (row["site"], row["stage"]) == (site, stage)
    ]
    finished = [row for row in rows if row["parcel"] in inside]
    assert len(finished) == len(inside)
    cut_s = first.manifest["ended_s"]
    assert all(row["finish_s"] >= max(cut_s, row["start_s"]) for row in finished)
    assert all(row["arrive_s"] <= row["start_s"] for row in finished)
    assert min(row["arrive_s"] for row in finished) <= cut_s
