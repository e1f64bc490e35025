"""Records of vehicle movements, trip by trip, the same for trucks, vans and drones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logistics.scenario import VehicleSection
from logistics.tables import FloatArray, IntArray

JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True, eq=False)
class TripLegs:
    """The legs of one trip in order. Arrays have one entry per leg; points are (legs + 1, 2) [lon, lat].

    `place` numbers the address reached, -1 for sites; `energy_j` may be given (drones), else it is the
    distance times what the vehicle takes per metre. `solve` is the plan that the trip carries out, -1 for none.
    """

    trip: int
    vehicle: str
    kind: VehicleSection
    role: str
    lane: str | None
    site: str
    points: FloatArray
    place: NDArray[np.int32]
    depart_s: FloatArray
    arrive_s: FloatArray
    leave_s: FloatArray
    distance_m: IntArray
    parcels: NDArray[np.int32]
    load_g: IntArray
    load_ml: IntArray
    energy_j: FloatArray | None = None
    solve: int = -1

    def __len__(self) -> int:
        return len(self.distance_m)

    def energy(self) -> FloatArray:
        """Joules of each leg."""
        if self.energy_j is not None:
            return self.energy_j
        return np.asarray(self.distance_m * self.kind.energy_j_per_m, dtype=np.float64)


def leg_columns(trips: list[TripLegs]) -> dict[str, object]:
    """All legs as columns of the legs table, by trip and leg; names as lists of one name per leg's trip."""
    trips = sorted(trips, key=lambda each: each.trip)
    counts = np.array([len(each) for each in trips], dtype=np.int64)

    def each(values: list[object], dtype: type) -> NDArray[np.generic]:
        return np.repeat(np.array(values, dtype=dtype), counts)

    def joined(values: list[NDArray[np.generic]], dtype: type) -> NDArray[np.generic]:
        return np.concatenate(values) if values else np.empty(0, dtype=dtype)

    first = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(counts) else counts
    energy = joined([t.energy() for t in trips], np.float64)
    per_kwh = np.repeat(np.array([t.kind.co2_g_per_kwh for t in trips], dtype=np.float64), counts)
    origins = [t.points[:-1] for t in trips] or [np.empty((0, 2))]
    ends = [t.points[1:] for t in trips] or [np.empty((0, 2))]
    return {
        "trip": each([t.trip for t in trips], np.int32),
        "leg": (np.arange(int(counts.sum())) - np.repeat(first, counts)).astype(np.int32),
        "vehicle": (np.repeat(np.arange(len(trips)), counts), [t.vehicle for t in trips]),
        "vehicle_kind": (np.repeat(np.arange(len(trips)), counts), [t.kind.id for t in trips]),
        "role": (np.repeat(np.arange(len(trips)), counts), [t.role for t in trips]),
        "lane": (np.repeat(np.arange(len(trips)), counts), [t.lane for t in trips]),
        "site": (np.repeat(np.arange(len(trips)), counts), [t.site for t in trips]),
        "solve": each([t.solve for t in trips], np.int32),
        "origin_lon": np.concatenate([p[:, 0] for p in origins]),
        "origin_lat": np.concatenate([p[:, 1] for p in origins]),
        "destination_lon": np.concatenate([p[:, 0] for p in ends]),
        "destination_lat": np.concatenate([p[:, 1] for p in ends]),
        "place": joined([t.place for t in trips], np.int32),
        "depart_s": joined([t.depart_s for t in trips], np.float64),
        "arrive_s": joined([t.arrive_s for t in trips], np.float64),
        "leave_s": joined([t.leave_s for t in trips], np.float64),
        "distance_m": joined([t.distance_m for t in trips], np.int64),
        "parcels": joined([t.parcels for t in trips], np.int32),
        "load_g": joined([t.load_g for t in trips], np.int64),
        "load_ml": joined([t.load_ml for t in trips], np.int64),
        "capacity_g": each([t.kind.capacity_g for t in trips], np.int64),
        "capacity_ml": each([t.kind.capacity_ml for t in trips], np.int64),
        "energy_j": energy,
        "co2_g": np.asarray(energy, dtype=np.float64) / JOULES_PER_KWH * per_kwh,
    }
