"""Routing problems from open parcels and idle vehicles, and trips from their solutions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logistics.dispatch.book import ParcelBook
from logistics.dispatch.messages import COLLECTION, DELIVERY
from logistics.dispatch.messages import Stop as PlannedStop
from logistics.roads import Roads
from logistics.scenario import DeliverySection, VehicleSection
from logistics.tables import IntArray, RowArray
from solvers import UNLIMITED, Problem, Route
from solvers.problem import Depots, VehicleTypes, Visits

COST_SCALE = 1000  # problem costs are thousandths of a minor currency unit, so that metres have a price
JOULES_PER_KWH = 3.6e6
TOP_PRIORITY = 100  # problem priorities count upwards, those of services downwards


@dataclass(frozen=True, slots=True)
class VehicleGroup:
    """Idle vehicles alike in kind and in the time left: one vehicle type of the problem."""

    kind: VehicleSection
    vehicles: tuple[int, ...]
    earliest_s: int
    latest_s: int


@dataclass(frozen=True, slots=True, eq=False)
class Stops:
    """Open parcels grouped by place: the visits of a problem, in the order of the place numbers."""

    rows: RowArray  # parcels, sorted by stop
    first: IntArray  # (stops + 1,)
    place: RowArray
    road_place: RowArray
    service_s: IntArray
    tw: IntArray  # (stops, 2)

    def __len__(self) -> int:
        return len(self.place)

    def parcels(self, stop: int) -> RowArray:
        return self.rows[self.first[stop] : self.first[stop + 1]]


def group_stops(
    book: ParcelBook,
    rows: RowArray,
    place: RowArray,
    road_place: RowArray,
    delivery: DeliverySection,
    handling_s_per_parcel: float,
    opens: IntArray,
    closes: IntArray,
    largest_g: int,
    largest_ml: int,
) -> Stops:
    """Stops of the parcels: one per place, or as many as they need vehicles of the largest kind.

    `place`, `road_place`, `opens` and `closes` have one entry per parcel. A stop opens with the latest window
    of its parcels and closes with the earliest, but never before it opens.
    """
    order = np.argsort(place, kind="stable")
    rows = rows[order]
    place = place[order]
    begins = _stop_begins(place, book.weight_g[rows], book.volume_ml[rows], largest_g, largest_ml)
    first = np.flatnonzero(begins)
    bounds = np.append(first, len(rows)).astype(np.int64)
    counts = np.diff(bounds)
    service = (
        delivery.parking_s + delivery.per_stop_s + counts * (delivery.per_parcel_s + handling_s_per_parcel)
    )
    start = np.maximum.reduceat(opens[order], first)
    end = np.maximum(np.minimum.reduceat(closes[order], first), start)
    return Stops(
        rows,
        bounds,
        place[first].astype(np.int32),
        road_place[order][first],
        np.rint(service).astype(np.int64),
        np.stack([start, end], axis=1),
    )


def _stop_begins(
    place: RowArray, weight_g: IntArray, volume_ml: IntArray, largest_g: int, largest_ml: int
) -> NDArray[np.bool_]:
    """Where a new stop begins among parcels sorted by place: at each place, and where a vehicle would be full."""
    begins = np.ones(len(place), dtype=np.bool_)
    begins[1:] = place[1:] != place[:-1]
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], len(place))
    heavy = np.add.reduceat(weight_g, starts) > largest_g
    bulky = np.add.reduceat(volume_ml, starts) > largest_ml
    for k in np.flatnonzero(heavy | bulky):
        load_g = load_ml = 0
        for i in range(starts[k], ends[k]):
            load_g, load_ml = load_g + weight_g[i], load_ml + volume_ml[i]
            if i > starts[k] and (load_g > largest_g or load_ml > largest_ml):
                begins[i] = True
                load_g, load_ml = weight_g[i], volume_ml[i]
    return begins


def build_problem(
    name: str,
    book: ParcelBook,
    stops: Stops,
    groups: list[VehicleGroup],
    roads: Roads,
    depot_place: int,
    depart_s: int,
    priority_of_service: IntArray,
    role: str,
) -> Problem:
    """The routing problem of one wave at one station; times are seconds from the scenario's start.

    Loads have the dimensions grams and millilitres, and stops where a vehicle kind limits them.
    """
    n = len(stops)
    starts = stops.first[:-1]
    counted = any(g.kind.max_stops is not None for g in groups)
    load = np.zeros((n, 3 if counted else 2), dtype=np.int64)
    load[:, 0] = np.add.reduceat(book.weight_g[stops.rows], starts)
    load[:, 1] = np.add.reduceat(book.volume_ml[stops.rows], starts)
    if counted:
        load[:, 2] = 1
    nothing = np.zeros_like(load)
    capacity = np.array(
        [
            [g.kind.capacity_g, g.kind.capacity_ml, g.kind.max_stops or UNLIMITED][: load.shape[1]]
            for g in groups
        ],
        dtype=np.int64,
    )
    priority = TOP_PRIORITY - np.minimum.reduceat(priority_of_service[book.service[stops.rows]], starts)
    priority += np.minimum(np.maximum.reduceat(book.postponed[stops.rows], starts), 50)
    places = np.concatenate([[depot_place], stops.road_place]).astype(np.int32)
    travel, coords = roads.travel(places, float(depart_s))
    k = len(groups)
    zeros_n, zeros_k = np.zeros(n, dtype=np.int64), np.zeros(k, dtype=np.int64)
    per_metre = [
        g.kind.km_minor / 1000 + g.kind.energy_j_per_m / JOULES_PER_KWH * g.kind.energy_minor_per_kwh
        for g in groups
    ]
    return Problem(
        depots=Depots(np.array([[depart_s, UNLIMITED]], dtype=np.int64), ("station",)),
        visits=Visits(
            delivery=load if role == DELIVERY else nothing,
            pickup=load if role == COLLECTION else nothing,
            service=stops.service_s,
            tw=stops.tw,
            release=zeros_n,
            required=np.ones(n, dtype=np.bool_),
            prize=zeros_n,
            skills=np.zeros(n, dtype=np.uint64),
            priority=priority.astype(np.int64),
            names=tuple(str(p) for p in stops.place),
        ),
        vehicle_types=VehicleTypes(
            count=np.array([len(g.vehicles) for g in groups], dtype=np.int64),
            capacity=capacity,
            fixed_cost=zeros_k,
            distance_cost=np.array([max(1, round(c * COST_SCALE)) for c in per_metre], dtype=np.int64),
            time_cost=np.array(
                [round(g.kind.wage_minor_per_hour / 3600 * COST_SCALE) for g in groups], dtype=np.int64
            ),
            start_depot=zeros_k,
            end_depot=zeros_k,
            shift=np.array([[max(depart_s, g.earliest_s), g.latest_s] for g in groups], dtype=np.int64),
            max_distance=np.full(k, UNLIMITED),
            max_duration=np.full(k, UNLIMITED),
            skills=np.zeros(k, dtype=np.uint64),
            profile=zeros_k,
            names=tuple(g.kind.id for g in groups),
        ),
        travel=(travel,),
        coords=coords,
        name=name,
        cost_scale=COST_SCALE,
    )


def trip_stops(stops: Stops, route: Route) -> tuple[PlannedStop, ...]:
    """A route's visits as the stops that a driver is told."""
    return tuple(
        PlannedStop(
            place=int(stops.place[v]),
            road_place=int(stops.road_place[v]),
            parcels=stops.parcels(v),
            earliest_s=int(stops.tw[v, 0]),
            service_s=float(stops.service_s[v]),
        )
        for v in route.visits
    )
