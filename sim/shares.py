"""Who used what: how much of each trip, duty and site the parcels of each service class took.

Service classes are columns in the scenario's order; one more column at the end stands for nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from logistics.scenario import Scenario
from sim.columns import BoolArray, FloatArray, IntArray, Names, RowArray, counts, distinct, names, times

SITE, VEHICLE, CUSTOMER = "site:", "vehicle:", "customer"


@dataclass(frozen=True, slots=True)
class Trips:
    """One row per trip, in the order of trip numbers."""

    trip: IntArray
    vehicle: RowArray  # codes of `vehicles`
    vehicles: list[str]
    kind: RowArray
    kinds: list[str]
    role: RowArray
    roles: list[str]
    site: RowArray
    sites: list[str]
    lane: RowArray  # -1: none; that of the trip before where a truck drives on empty, off the timetable
    lanes: list[str]
    scheduled: BoolArray  # on the lane itself
    depart_s: FloatArray
    end_s: FloatArray
    distance_m: FloatArray
    energy_j: FloatArray
    share: FloatArray  # (trips, services + 1), rows sum to 1

    def groups(self) -> Iterator[tuple[IntArray, str, str, str]]:
        """Rows, site, lane ("" for none) and vehicle kind of all trips that have these in common."""
        key = np.column_stack((self.site, self.lane, self.kind))
        labels, member = np.unique(key, axis=0, return_inverse=True)
        for row, (site, lane, kind) in enumerate(labels.tolist()):
            lane_id = self.lanes[lane] if lane >= 0 else ""
            yield np.flatnonzero(member.ravel() == row), self.sites[site], lane_id, self.kinds[kind]


class Use:
    """Answers for one run's tables; `service` maps a parcel's number, `parcel_service` a row, to its
    column."""

    def __init__(self, scenario: Scenario, tables: Mapping[str, pa.Table]) -> None:
        self._scenario, self._tables = scenario, tables
        ids = [service.id for service in scenario.services]
        self.services = len(ids)
        parcels = tables["parcels"]
        self.parcel_service = names(parcels, "service").mapped(ids)
        number = counts(parcels, "parcel")
        size = int(number.max()) + 1 if len(number) else 0
        self.service = np.full(size, self.services, dtype=np.int32)
        self.service[number] = self.parcel_service
        self._volume = np.zeros(size, dtype=np.float64)
        self._volume[number] = counts(parcels, "volume_ml")
        moves = tables["moves"]
        self._time, self._parcel = times(moves, "time_s"), counts(moves, "parcel")
        self._origin, self._destination = names(moves, "origin"), names(moves, "destination")

    def nobody(self) -> FloatArray:
        """The mix of something that no service used."""
        mix = np.zeros(self.services + 1)
        mix[-1] = 1.0
        return mix

    @cached_property
    def trips(self) -> Trips:
        legs = self._tables["legs"]
        trip = counts(legs, "trip")
        order = np.lexsort((counts(legs, "leg"), trip))
        ids, first = np.unique(trip[order], return_index=True)
        head = order[first]
        vehicle, kind, role = (names(legs, column) for column in ("vehicle", "vehicle_kind", "role"))
        site, lane = names(legs, "site"), names(legs, "lane")
        depart = times(legs, "depart_s")[head]
        linehaul = role.where("linehaul")[head]
        return Trips(
            ids,
            vehicle.codes[head],
            vehicle.names,
            kind.codes[head],
            kind.names,
            role.codes[head],
            role.names,
            site.codes[head],
            site.names,
            _lane_before(vehicle.codes[head], depart, lane.codes[head], linehaul),
            lane.names,
            lane.codes[head] >= 0,
            depart,
            _reduced(np.maximum, times(legs, "leave_s")[order], first),
            _reduced(np.add, times(legs, "distance_m")[order], first),
            _reduced(np.add, times(legs, "energy_j")[order], first),
            self._trip_share(ids, vehicle, vehicle.codes[head], depart, linehaul),
        )

    def _trip_share(
        self, ids: IntArray, vehicle: Names, codes: RowArray, depart_s: FloatArray, linehaul: BoolArray
    ) -> FloatArray:
        """Linehaul: volume by service of the parcels in the trip's containers. Others: number of parcels that
        left the vehicle (to a customer, a locker or back at the site) between this trip's start and the
        next."""
        wide = self.services + 1
        used = np.zeros(len(ids) * wide)
        containers = self._tables["containers"]
        riders = counts(containers, "parcel")
        row = np.searchsorted(ids, counts(containers, "trip"))
        key = row * wide + self.service[riders] if len(riders) else np.zeros(0, dtype=np.int64)
        used += np.bincount(key, weights=np.maximum(self._volume[riders], 1.0), minlength=len(used))
        off, on_vehicle = self._off(vehicle.names)
        trip_of = last_before(codes, depart_s, on_vehicle, self._time[off])
        known = trip_of >= 0
        known[known] = ~linehaul[trip_of[known]]
        key = trip_of[known] * wide + self.service[self._parcel[off[known]]]
        used += np.bincount(key, minlength=len(used))
        share: FloatArray = used.reshape(-1, wide)
        share[share.sum(axis=1) == 0, -1] = 1.0
        share /= share.sum(axis=1, keepdims=True)
        return share

    def _off(self, vehicles: list[str]) -> tuple[IntArray, RowArray]:
        """Moves out of vehicles, and each one's vehicle as a row of `vehicles`."""
        code = self._origin.mapped([VEHICLE + vehicle for vehicle in vehicles])
        rows = np.flatnonzero(code >= 0)
        return rows, code[rows]

    def duty_mix(self, duties: pa.Table) -> FloatArray:
        """(duties, services + 1) shares of each duty: its trips' mixes weighted by their durations."""
        duty = self._duty_of_trip(duties)
        mix: FloatArray = np.zeros((duties.num_rows, self.services + 1))
        known = duty >= 0
        seconds = np.maximum(self.trips.end_s - self.trips.depart_s, 1.0)
        np.add.at(mix, duty[known], (self.trips.share * seconds[:, None])[known])
        mix[mix.sum(axis=1) == 0, -1] = 1.0
        mix /= mix.sum(axis=1, keepdims=True)
        return mix

    def duty_lane(self, duties: pa.Table) -> np.ndarray:
        """(duties,) the one lane that all trips of a duty ran on, "" where there is none or more than one."""
        duty, lane = self._duty_of_trip(duties), self.trips.lane
        known = duty >= 0
        low = np.full(duties.num_rows, np.iinfo(np.int32).max)
        high = np.full(duties.num_rows, -1)
        np.minimum.at(low, duty[known], lane[known])
        np.maximum.at(high, duty[known], lane[known])
        return np.array([*self.trips.lanes, ""], dtype=object)[np.where(low == high, high, -1)]

    def _duty_of_trip(self, duties: pa.Table) -> IntArray:
        """(trips,) the vehicle's last duty that began by the trip's start, else its first; -1 without any."""
        code = names(duties, "vehicle").mapped(self.trips.vehicles)
        return last_before(
            code, times(duties, "shift_start_s"), self.trips.vehicle, self.trips.depart_s, or_first=True
        )

    @cached_property
    def _handled(self) -> dict[str, FloatArray]:
        """Site -> number of parcels by service that came to or left it on a vehicle, each counted once."""
        from_site = np.flatnonzero(_starts(self._origin, SITE) & _starts(self._destination, VEHICLE))
        to_site = np.flatnonzero(_starts(self._destination, SITE) & _starts(self._origin, VEHICLE))
        sites = sorted({*self._origin.names, *self._destination.names})
        sites = [site for site in sites if site.startswith(SITE)]
        site = np.concatenate(
            (self._origin.mapped(sites)[from_site], self._destination.mapped(sites)[to_site])
        )
        parcel = np.concatenate((self._parcel[from_site], self._parcel[to_site]))
        wide, size = self.services + 1, max(len(self.service), 1)
        pairs = distinct(site.astype(np.int64) * size + parcel)
        key = pairs // size * wide + self.service[pairs % size] if len(pairs) else pairs
        handled = np.bincount(key, minlength=len(sites) * wide).reshape(-1, wide).astype(np.float64)
        return {name.removeprefix(SITE): handled[row] for row, name in enumerate(sites)}

    def handled(self, site: str) -> FloatArray:
        """(services + 1,) parcels that came to or left the site on a vehicle."""
        return self._handled.get(site, np.zeros(self.services + 1))

    def pieces(self, kind: str) -> dict[str, FloatArray]:
        """Base site -> parcels by service that vehicles of a kind handed over to customers and lockers, or
        took on at merchants."""
        ids = self._scenario.sites
        lockers = {SITE + site.id for site in ids if site.kind == "locker"}
        merchants = {SITE + site.id for site in ids if site.kind == "merchant"}
        trips = self.trips
        base = {
            VEHICLE + trips.vehicles[vehicle]: site
            for vehicle, site, its_kind in zip(
                trips.vehicle.tolist(), trips.site.tolist(), trips.kind.tolist(), strict=True
            )
            if trips.kinds[its_kind] == kind
        }
        wide = self.services + 1
        pieces = np.zeros((len(trips.sites), wide))
        for here, there, ends in (
            (self._origin, self._destination, {CUSTOMER, *lockers}),
            (self._destination, self._origin, merchants),
        ):
            site = np.array([base.get(name, -1) for name in here.names] + [-1])
            end = np.array([name in ends for name in there.names] + [False])
            rows = np.flatnonzero((site[here.codes] >= 0) & end[there.codes])
            key = site[here.codes[rows]] * wide + self.service[self._parcel[rows]]
            pieces += np.bincount(key, minlength=pieces.size).reshape(pieces.shape)
        return {name: pieces[row] for row, name in enumerate(trips.sites) if pieces[row].any()}


def last_before(
    owner: RowArray, since_s: FloatArray, asked: RowArray, at_s: FloatArray, *, or_first: bool = False
) -> IntArray:
    """For each asked owner and moment, the row of that owner with the latest `since_s` not after the moment.

    Where there is none: the owner's earliest row with `or_first`, else -1; -1 also for unknown owners.
    """
    result = np.full(len(asked), -1, dtype=np.int64)
    order = np.lexsort((since_s, owner))
    order = order[owner[order] >= 0]
    if not len(order) or not len(asked):
        return result
    # owner and moment in one whole number, in milliseconds, so that one search does
    keys = (owner[order].astype(np.int64) << 40) + _milliseconds(since_s[order])
    place = np.searchsorted(keys, (asked.astype(np.int64) << 40) + _milliseconds(at_s), "right") - 1
    hit = (place >= 0) & (asked >= 0)
    hit &= owner[order[np.maximum(place, 0)]] == asked
    result[hit] = order[place[hit]]
    if or_first:
        after = np.minimum(place + 1, len(order) - 1)
        early = ~hit & (asked >= 0) & (owner[order[after]] == asked)
        result[early] = order[after[early]]
    return result


def _lane_before(vehicle: RowArray, depart_s: FloatArray, lane: RowArray, linehaul: BoolArray) -> RowArray:
    """The lane of each trip; for linehaul trips without one, that of the vehicle's last trip that had one: it is
    the lane that brought the truck to where it could not stay."""
    order = np.lexsort((depart_s, vehicle))
    place = np.where(lane[order] >= 0, np.arange(len(order)), -1)
    last = order[np.maximum(np.maximum.accumulate(place), 0)] if len(order) else order
    result = lane.copy()
    same = (vehicle[last] == vehicle[order]) & linehaul[order] & (lane[order] < 0)
    result[order[same]] = lane[last[same]]
    return result


def _milliseconds(seconds: FloatArray) -> IntArray:
    # shifted so that moments before the start stay positive
    return np.clip(np.rint(seconds * 1000.0).astype(np.int64) + (1 << 38), 0, (1 << 40) - 1)


def _reduced(how: np.ufunc, values: FloatArray, first: IntArray) -> FloatArray:
    return how.reduceat(values, first) if len(first) else np.zeros(0)


def _starts(column: Names, prefix: str) -> BoolArray:
    table = np.array([name.startswith(prefix) for name in column.names] + [False])
    return table[column.codes]
