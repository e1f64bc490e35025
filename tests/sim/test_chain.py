"""The twin against the model with one SimPy process per parcel, from the order to the door."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from logistics.demand import build_demand
from logistics.dispatch.messages import PublishPlan, RoutePlan, SortiePlan
from logistics.scenario import Scenario
from logistics.templates import init
from sim.draws import RowDraws, attempt_keys, parcel_keys
from sim.random_streams import Streams
from sim.run import make_roads
from sim.twin import Twin, TwinOptions
from sim.world import DRONE, STAMPS
from tests.sim.chain_oracle import Chain


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """The small template with a drone, little room on trucks and in the locker, and customers often out.

    Orders are taken in every 61 s, so that no order is taken in at the very moment of a wave: which of two things
    of one instant comes first is no matter of the model.
    """
    file = init("small", "small", tmp_path_factory.mktemp("scenario"))
    data: dict[str, Any] = tomllib.loads(Path(file).read_text())
    vehicles = {vehicle["id"]: vehicle for vehicle in data["vehicles"]}
    vehicles["truck"]["capacity_ml"] = 250_000
    data["containers"][0]["capacity_ml"] = 60_000
    data["vehicles"].append({"id": "drone", "role": "drone", "capacity_g": 2500, "capacity_ml": 12_000})
    data["fleet"].append({"site": "st-north", "vehicle": "drone", "count": 1, "shift": ["07:00", "20:00"]})
    data["services"][0]["drone"] = True
    next(site for site in data["sites"] if site["id"] == "locker-1")["space_parcels"] = 4
    data["stock"] = {"initial_days": 30.0}
    data["dispatch"]["intake_s"] = 61
    data["delivery"]["failure"] = 0.25
    data["scenario"]["horizon_days"] = 8
    return Scenario.model_validate(data)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_parcel_times_equal_one_process_per_parcel(scenario: Scenario, seed: int) -> None:
    streams = Streams(seed)
    demand = build_demand(scenario, streams.generator, scenario.folder)
    twin = Twin(scenario, demand, *make_roads(scenario), streams, TwinOptions(keep_events=True, jobs=1))
    twin.run()
    key = parcel_keys(demand, round(scenario.scenario.start.timestamp()))

    def uniform(entity: str, purpose: str, row: int, attempt: int) -> float:
        keys = attempt_keys(key[[row]], np.array([attempt]))
        return float(RowDraws(streams, entity, purpose).uniform(keys)[0])

    def factor(entity: str, purpose: str, row: int, attempt: int, cv: float) -> float:
        keys = attempt_keys(key[[row]], np.array([attempt]))
        return float(RowDraws(streams, entity, purpose).multiplier(keys, cv)[0])

    def trip_factor(vehicle: str, trip: int) -> float:
        cv = scenario.roads.slowdown_cv
        return float(RowDraws(streams, vehicle, "slowdown").multiplier(np.array([trip]), cv)[0])

    plans = [
        (moment, command.plan)
        for moment, command in twin.commands
        if isinstance(command, PublishPlan) and isinstance(command.plan, (RoutePlan, SortiePlan))
    ]
    plan = twin.world.sort_plan.next_site
    chain = Chain(
        scenario,
        demand,
        *make_roads(scenario),
        lambda site, row: int(plan[site, twin.world.area[row], twin.world.service[row]]),
        uniform,
        factor,
        trip_factor,
        twin.fleet.id,
        plans,
    )
    times = chain.run()
    for name in STAMPS:
        expected = np.array([times[row].get(name, np.nan) for row in range(len(demand.parcels))])
        np.testing.assert_allclose(twin.world.parcels.stamps[name], expected, rtol=0, atol=0, err_msg=name)
    attempts = [chain.attempts[row] for row in range(len(demand.parcels))]
    assert twin.world.parcels.attempts.tolist() == attempts
    # all of it happened
    assert np.isfinite(twin.world.parcels.stamps["final_s"]).all()
    assert chain.left_behind
    assert max(attempts) == scenario.dispatch.max_attempts
    assert {times[row]["returned"] for row in times} == {0.0, 1.0}
    assert (twin.world.parcels.mode == DRONE).any()
    assert len(chain.taken) == 1
    assert np.isfinite(twin.world.parcels.stamps["collected_s"]).any()
