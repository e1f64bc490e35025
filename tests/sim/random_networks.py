"""Random small scenarios: networks with and without hubs, lockers, drones, merchants and warehouses, in trouble."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
from hypothesis import strategies as st

from logistics.scenario import Scenario
from logistics.tables import Cancellations, Demand

START = "2026-03-02T00:00:00+01:00"


def moment(hour: int) -> str:
    return f"2026-03-{2 + hour // 24:02d}T{hour % 24:02d}:00:00+01:00"


def stage(draw: st.DrawFn, name: str) -> dict[str, Any]:
    opens = draw(st.sampled_from(["00:00", "05:00", "08:00"]))
    return {
        "name": name,
        "service_s": draw(st.sampled_from([0, 5, 60, 400])),
        "cv": draw(st.sampled_from([0.0, 0.5])),
        "transfer_s": draw(st.sampled_from([0, 30])),
        "shifts": [[opens, draw(st.sampled_from(["18:00", "24:00"])), draw(st.integers(1, 3))]],
        "wage_minor_per_hour": draw(st.sampled_from([0, 1733])),
    }


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    hubs = [f"hub-{k}" for k in range(draw(st.integers(0, 2)))]
    stations = [f"st-{k}" for k in range(draw(st.integers(1, 3)))]
    warehouses = [f"wh-{k}" for k in range(draw(st.integers(0, 2)))]
    merchants = [f"shop-{k}" for k in range(draw(st.integers(0 if warehouses else 1, 2)))]
    lockers = ["locker-0"] if draw(st.booleans()) else []
    place = st.integers(0, 30)

    def site(name: str, kind: str, **more: Any) -> dict[str, Any]:
        where = {"lon": 10.0 + draw(place) / 200, "lat": 52.0 + draw(place) / 200}
        docks = draw(st.integers(1, 2))
        return {"id": name, "kind": kind, **where, "docks": docks, "handling_minor_per_parcel": 7, **more}

    sites = [site(h, "hub", stages=[stage(draw, "sort")]) for h in hubs]
    sites += [site(s, "station", stages=[stage(draw, "sort")], space_minor_per_day=999) for s in stations]
    sites += [
        site(w, "warehouse", stages=[stage(draw, name) for name in ("pick", "pack", "sort")])
        for w in warehouses
    ]
    sites += [
        site(m, "merchant", station=draw(st.sampled_from(stations)), pickup_window=["09:00", "17:00"])
        for m in merchants
    ]
    sites += [
        site(x, "locker", station=stations[0], space_parcels=draw(st.integers(0, 5)), dwell_s=7200)
        for x in lockers
    ]
    if warehouses and draw(st.booleans()):
        sites.append(site("maker", "supplier"))
    if hubs:
        home = {s: hubs[k % len(hubs)] for k, s in enumerate([*stations, *warehouses])}
        ways = list(permutations(hubs, 2)) + [(w, home[w]) for w in warehouses]
        ways += [(home[s], s) for s in stations] + ([(s, home[s]) for s in stations] if merchants else [])
    else:
        ways = [(w, s) for w in warehouses for s in stations]
        ways += list(permutations(stations, 2)) if merchants else []
    times = ["05:30", "06:00", "11:00", "13:00", "19:30", "23:50"]
    lanes = [
        {
            "id": f"{a}:{b}",
            "origin": a,
            "destination": b,
            "vehicle": "truck",
            "departures": draw(st.lists(st.sampled_from(times), min_size=1, max_size=3, unique=True)),
            "cutoff_s": draw(st.sampled_from([0, 900])),
            "toll_minor": 333,
        }
        for a, b in ways
    ]
    vehicles = [
        {
            "id": "truck", "role": "linehaul", "capacity_g": draw(st.sampled_from([6_000, 900_000])),
            "capacity_ml": draw(st.sampled_from([30_000, 3_000_000])), "day_minor": 9000, "km_minor": 25,
            "wage_minor_per_hour": 2001, "energy_j_per_m": 7200, "energy_minor_per_kwh": 17,
        },
        {
            "id": "van", "role": "delivery", "capacity_g": draw(st.sampled_from([4_000, 500_000])),
            "capacity_ml": draw(st.sampled_from([20_000, 4_000_000])), "day_minor": 4000, "km_minor": 12,
            "wage_minor_per_hour": 1900, "piece_minor_per_parcel": 3,
            "max_stops": draw(st.sampled_from([None, 3])),
        },
        {"id": "drone", "role": "drone", "capacity_g": 2500, "capacity_ml": 12_000, "day_minor": 500},
    ]  # fmt: skip
    fleet = [{"site": s, "vehicle": "van", "count": draw(st.integers(0, 2))} for s in stations]
    if draw(st.booleans()):
        fleet.append({"site": stations[0], "vehicle": "drone", "count": draw(st.integers(1, 2))})
    targets = st.sampled_from([*hubs, *stations, *warehouses])
    disruptions = []
    for _ in range(draw(st.integers(0, 2))):
        starts = draw(st.integers(0, 40))
        span = {"starts": moment(starts), "ends": moment(starts + draw(st.integers(1, 20)))}
        kind = draw(st.sampled_from(["site_closed", "lane_closed", "slow_roads"]))
        if kind == "site_closed":
            disruptions.append({"kind": kind, "target": draw(targets), **span})
        elif kind == "lane_closed" and lanes:
            disruptions.append({"kind": kind, "target": draw(st.sampled_from(lanes))["id"], **span})
        elif kind == "slow_roads":
            disruptions.append({"kind": kind, "factor": 2.0, **span})
    flat = [1.0] * 24
    streams: list[dict[str, Any]] = []
    for origins, more in ((warehouses, {"locker_share": 0.3}), (merchants, {"sizes": {"box": 1}})):
        if origins:
            streams.append(
                {
                    "origins": dict.fromkeys(origins, 1), "per_day": draw(st.integers(1, 40)),
                    "hourly": flat, "services": {"fast": 1, "slow": 1}, **more,
                }
            )  # fmt: skip
    return Scenario.model_validate(
        {
            "schema": 1,
            "scenario": {
                "name": "random", "start": START, "timezone": "Europe/Berlin",
                "horizon_days": draw(st.integers(1, 3)),
            },
            "basis": {},
            "roads": {
                "speeds_kmh": [draw(st.sampled_from([20, 50]))] * 24,
                "slowdown_cv": draw(st.sampled_from([0, 0.4])),
            },
            "sites": sites,
            "areas": [
                {
                    "id": f"a-{s}", "station": s, "lon": 10.05, "lat": 52.05,
                    "radius_m": draw(st.sampled_from([300, 3000])), "places": draw(st.integers(1, 30)),
                }
                for s in stations
            ],
            "vehicles": vehicles,
            "fleet": fleet,
            "lanes": lanes,
            "containers": [
                {"id": "bag", "capacity_g": 30_000, "capacity_ml": draw(st.sampled_from([9_000, 90_000]))}
            ],
            "sort_plan": {"container": "bag"},
            "services": [
                {
                    "id": "fast", "promise_after_s": 14_400, "priority": 0, "drone": True,
                    "late_minor_per_parcel": 100, "late_minor_per_hour": 13,
                },
                {"id": "slow", "promise_day": 1, "promise_clock": "20:00", "late_minor_per_parcel": 50},
            ],
            "demand": {
                "streams": streams, "sizes": [{"id": "box", "weight_g": 900, "volume_ml": 5000}],
                "max_parcel_g": 3_000, "max_parcel_ml": 10_000,
            },
            "catalogue": {"items": 5},
            "stock": {"initial_days": draw(st.sampled_from([0.0, 3.0])), "backorder_s": 40_000},
            "dispatch": {
                "solver": draw(st.sampled_from(["savings", "ruin_recreate"])), "iterations": 20,
                "warehouse_waves": [{"every_s": 3600}],
                "delivery_waves": [{"at": ["08:00", "12:00", "16:00"]}],
                "collection_waves": [{"at": ["09:00", "14:00"]}],
                "max_attempts": draw(st.integers(1, 3)),
            },
            "delivery": {
                "failure": draw(st.sampled_from([0.0, 0.5])), "cv": draw(st.sampled_from([0.0, 0.4])),
                "failed_minor": 21,
            },
            "disruptions": disruptions,
        }
    )  # fmt: skip


def with_cancellations(demand: Demand, seed: int) -> Demand:
    """Half of the orders' lines are taken back, in part or whole, at random times after the order."""
    random = np.random.default_rng(seed)
    lines = np.flatnonzero(random.random(len(demand.lines)) < 0.5).astype(np.int32)
    placed = demand.orders.placed_s[demand.parcels.order[demand.lines.parcel[lines]]]
    at_s = placed + random.integers(1, 20_000, len(lines))
    order = np.argsort(at_s, kind="stable")
    quantity = random.integers(1, demand.lines.quantity[lines] + 1)
    return replace(
        demand, cancellations=Cancellations(at_s[order].astype(np.int64), lines[order], quantity[order])
    )
