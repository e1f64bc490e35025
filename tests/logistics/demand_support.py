"""A small scenario for the tests of demand, and random streams as the simulator keys them."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from logistics.places import Random
from logistics.scenario import Scenario

HOURLY = [0.0] * 7 + [1.0] * 4 + [3.0] * 2 + [2.0] * 8 + [0.0] * 3


def streams(seed: int = 1) -> Random:
    """`random(entity, purpose)` for a seed."""

    def random(entity: str, purpose: str) -> np.random.Generator:
        return np.random.default_rng([seed, zlib.crc32(entity.encode()), zlib.crc32(purpose.encode())])

    return random


def scenario(demand: dict[str, Any], **parts: Any) -> Scenario:
    """Two warehouses, a hub, a station with two lockers, a merchant and a supplier; three areas."""
    document: dict[str, Any] = {
        "schema": 1,
        "scenario": {"name": "small", "start": "2026-11-11T00:00:00+08:00", "timezone": "Asia/Shanghai"},
        "basis": {},
        "roads": {},
        "sites": [
            {"id": "north", "kind": "warehouse", "lon": 120.1, "lat": 30.4},
            {"id": "south", "kind": "warehouse", "lon": 120.1, "lat": 30.1},
            {"id": "hub", "kind": "hub", "lon": 120.2, "lat": 30.2},
            {"id": "station", "kind": "station", "lon": 120.2, "lat": 30.3},
            {"id": "far-locker", "kind": "locker", "station": "station", "lon": 120.3, "lat": 30.4},
            {"id": "near-locker", "kind": "locker", "station": "station", "lon": 120.2, "lat": 30.3},
            {"id": "mill", "kind": "merchant", "station": "station", "lon": 120.21, "lat": 30.31},
            {"id": "maker", "kind": "supplier", "lon": 120.5, "lat": 30.5},
        ],
        "areas": [
            {
                "id": "old-town",
                "station": "station",
                "lon": 120.2,
                "lat": 30.3,
                "radius_m": 1500,
                "places": 300,
            },
            {
                "id": "hills",
                "station": "station",
                "lon": 120.3,
                "lat": 30.4,
                "radius_m": 3000,
                "places": 200,
                "weight": 2,
            },
            {"id": "islands", "station": "hub", "lon": 120.6, "lat": 30.0, "radius_m": 900, "places": 50},
        ],
        "vehicles": [{"id": "van", "role": "delivery", "capacity_g": 900_000, "capacity_ml": 7_000_000}],
        "fleet": [{"site": "station", "vehicle": "van", "count": 3}],
        "containers": [{"id": "bag", "capacity_ml": 100_000, "capacity_g": 30_000}],
        "services": [
            {"id": "rush", "promise_after_s": 7200},
            {"id": "next", "promise_day": 1, "promise_clock": "21:00", "order_cutoff": "18:00"},
        ],
        "demand": {
            "sizes": [
                {"id": "small", "weight_g": 400, "volume_ml": 1500},
                {"id": "large", "weight_g": 9000, "volume_ml": 60_000, "sigma": 0.6},
            ],
            **demand,
        },
        "dispatch": {"warehouse_waves": [{"every_s": 600}], "delivery_waves": [{"every_s": 600}]},
        **parts,
    }
    return Scenario.model_validate(document)


def stream(**changes: Any) -> dict[str, Any]:
    """A stream of orders from both warehouses."""
    return {
        "origins": {"north": 1, "south": 3},
        "per_day": 800,
        "hourly": HOURLY,
        "services": {"rush": 1, "next": 4},
        **changes,
    }
