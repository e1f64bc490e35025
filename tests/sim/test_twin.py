"""The twin on the small template: nothing is lost, the same seed gives the same bytes, the live log replays."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from logistics.demand import build_demand
from logistics.dispatch import Dispatcher
from logistics.dispatch.messages import NO_VAN_IDLE, WAVE_FULL, LeftOut, PublishPlan, RoutePlan, Solve
from logistics.scenario import Scenario
from logistics.templates import init
from logistics.validate import load_scenario
from sim.random_streams import Streams
from sim.run import RunResult, make_roads, run_scenario
from sim.run_folder import write_run
from sim.twin import Twin, TwinOptions


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return init("small", "small", tmp_path_factory.mktemp("scenario"))


def simulated(template: Path, **changes: str) -> RunResult:
    return run_scenario(scenario(template, **changes), 7)


@cache
def scenario(template: Path, **changes: str) -> Scenario:
    return load_scenario(template, {key.replace("__", "."): value for key, value in changes.items()})


def build(template: Path, options: TwinOptions, **changes: str) -> Twin:
    loaded = scenario(template, **changes)
    streams = Streams(3)
    local, linehaul = make_roads(loaded)
    demand = build_demand(loaded, streams.generator, loaded.folder)
    return Twin(loaded, demand, local, linehaul, streams, options)


def test_books_balance_at_every_event_and_all_parcels_end(template: Path) -> None:
    twin = build(template, TwinOptions(audit_every_move=True))
    twin.run()
    ordered = twin.demand.parcels.units.sum()
    assert twin.custody.ordered_units == ordered
    assert sum(twin.custody.units_at[:5]) == ordered  # all in final places


def test_same_seed_same_bytes_with_any_number_of_threads(template: Path, tmp_path: Path) -> None:
    loaded = scenario(template)
    for name, jobs in (("a", 1), ("b", 2)):
        result = run_scenario(loaded, 7, options=TwinOptions(jobs=jobs))
        write_run(tmp_path / name, loaded, result.tables, result.manifest)
    tables = sorted((tmp_path / "a").glob("*.parquet"))
    assert tables
    for table in tables:
        assert table.read_bytes() == (tmp_path / "b" / table.name).read_bytes(), table.name


def test_another_seed_gives_another_day(template: Path) -> None:
    loaded = scenario(template)
    first, second = (run_scenario(loaded, seed).tables["parcels"] for seed in (7, 8))
    assert not first.equals(second)


def test_recorded_events_give_the_same_commands(template: Path) -> None:
    """The dispatcher needs nothing but events: replayed without a simulator it says the same."""
    twin = build(template, TwinOptions(keep_events=True, jobs=1))
    twin.run()
    dispatcher = Dispatcher(twin.config)
    state = dispatcher.start()
    replayed = []
    for now, event in twin.events:
        state, commands = dispatcher.step(state, [event], now)
        replayed += [(now, command) for command in commands]
    assert len(replayed) == len(twin.commands) > 0
    assert sorted(map(summary, replayed)) == sorted(map(summary, twin.commands))


def summary(told: tuple[int, object]) -> str:
    """When a command was given and what it says, without array objects."""
    now, command = told
    return f"{now} {said(command)}"


def said(command: object) -> str:
    if isinstance(command, PublishPlan) and isinstance(command.plan, RoutePlan):
        trips = [(t.vehicle, t.depart_s, [s.place for s in t.stops]) for t in command.plan.trips]
        return f"routes {command.plan.site} {command.plan.role} {trips}"
    if isinstance(command, Solve):
        return f"solve {command.solve} {command.site} {command.problem.num_visits} {command.seed}"
    parcels = getattr(getattr(command, "plan", command), "parcels", None)
    return f"{type(getattr(command, 'plan', command)).__name__} {None if parcels is None else list(parcels)}"


def test_twice_the_demand_costs_more_and_a_smaller_scale_is_part_of_it(template: Path) -> None:
    base = simulated(template)
    doubled = simulated(template, demand__scale="2.0")
    assert doubled.kpis["parcels"] > 1.8 * base.kpis["parcels"]
    assert doubled.kpis["cost_total"] > base.kpis["cost_total"]


def test_solve_time_is_charged(template: Path) -> None:
    solves = simulated(template).tables["solves"].to_pylist()
    model = scenario(template).dispatch.solve_time
    for row in solves:
        charge = min(model.ceiling_s, model.floor_s + model.per_stop_s * row["stops"])
        assert charge <= row["answered_s"] - row["asked_s"] < charge + 1


@pytest.mark.parametrize(
    "solver", ["savings", "ruin_recreate", "ortools", "genetic", "ant_colony", "alns", "auto"]
)
def test_every_solver_plans_a_day(template: Path, solver: str) -> None:
    """Every plan passes the independent checker: `sim.solving` raises otherwise. The name alone is enough."""
    result = simulated(template, dispatch__solver=f'"{solver}"', demand__scale="0.1")
    assert result.kpis["delivered_pct"] > 95


def test_an_empty_way_home_is_booked_on_the_lane_that_led_away(template: Path) -> None:
    """And it pays no toll: that is for the timetable's trips."""
    tables = simulated(template).tables
    legs = [row for row in tables["legs"].to_pylist() if row["role"] == "linehaul"]
    assert any(row["lane"] is None for row in legs)
    km: dict[str, float] = {}
    led_by: dict[str, str] = {}
    for row in sorted(legs, key=lambda row: row["depart_s"]):
        lane = led_by[row["vehicle"]] = row["lane"] or led_by[row["vehicle"]]
        km[lane] = km.get(lane, 0.0) + row["distance_m"] / 1000
    ledger = tables["ledger"].to_pylist()
    booked: dict[str, float] = {}
    for row in ledger:
        if row["kind"] == "distance" and row["rate_minor"] == 25:  # trucks
            booked[row["lane"]] = booked.get(row["lane"], 0.0) + row["quantity"]
    assert booked == pytest.approx(km)
    total = sum(row["amount_minor"] for row in ledger)
    assert total == round(100 * simulated(template).kpis["cost_total"])


def test_vans_used_say_how_many_a_station_needs(template: Path) -> None:
    """A day's fleet is paid as planned; how many of it went out at most tells the planner what would have done."""
    tables = simulated(template).tables
    kpis = {(row["kpi"], row["scope"]): row["value"] for row in tables["kpis"].to_pylist()}
    trips: dict[tuple[str, int], set[str]] = {}
    for row in tables["legs"].to_pylist():
        if row["vehicle_kind"] == "van":
            trips.setdefault((row["site"], int(row["depart_s"] // 86_400)), set()).add(row["vehicle"])
    fleet = {section.site: section.count for section in scenario(template).fleet}
    assert len(fleet) == 2
    for station, vans in fleet.items():
        most = max(len(out) for (site, _), out in trips.items() if site == station)
        assert kpis["vehicles_used", f"fleet:{station}/van"] == most <= vans
        assert kpis["vehicles", f"fleet:{station}/van"] == vans


def test_without_vans_every_parcel_waits_for_one(template: Path) -> None:
    tables = simulated(template, fleet_scale="0").tables
    opened = [row["parcel"] for row in tables["parcels"].to_pylist() if row["state"] == "open"]
    final = [row for row in tables["unassigned"].to_pylist() if row["final"]]
    assert sorted(row["parcel"] for row in final) == opened != []
    assert {row["reason"] for row in final} == {NO_VAN_IDLE}


def test_a_wave_that_is_full_leaves_the_less_urgent_out(template: Path) -> None:
    twin = build(template, TwinOptions(keep_events=True), dispatch__max_stops="2")
    twin.run()
    promise_s = twin.state.book.promise_s
    asked: dict[int, tuple[int, int]] = {}  # solve -> moment and site of its wave
    left: dict[tuple[int, int], int] = {}  # wave -> most urgent promise left out
    taken: dict[tuple[int, int], int] = {}  # wave -> least urgent stop taken
    for now, command in twin.commands:
        match command:
            case Solve():
                asked[command.solve] = now, command.site
                assert command.problem.num_visits <= 2
            case PublishPlan(LeftOut(site, _, rows, reason, _)) if reason == WAVE_FULL:
                left[now, site] = int(promise_s[rows].min())
            case PublishPlan(RoutePlan() as plan):
                stops = [stop.parcels for trip in plan.trips for stop in trip.stops]
                if stops and not len(plan.unassigned):
                    taken[asked[plan.solve]] = max(int(promise_s[rows].min()) for rows in stops)
    both = left.keys() & taken.keys()
    assert both
    assert all(taken[wave] <= left[wave] for wave in both)
