"""The cost ledger: entries of a declared rate times a quantity, split over sites, lanes and service classes.

Each group of entries with the same kind, site, lane, unit and rate costs round(rate x quantity) minor units.
What services share is divided among them by use, in whole minor units by largest remainder, so that the
entries of a group sum to its cost and all entries to the total, exactly.

Who uses what:

- a trip's kilometres, energy and toll: the parcels it carried, by volume on linehaul, by number otherwise; a
  truck's empty way home is booked on the lane that took it out, without toll;
- drivers' paid time and vehicles' days: the trips of the duty, by their duration and each trip's parcels;
- a stage's paid time: by the server seconds of each service's parcels;
- handling, piece rates, missorts, damage, failed attempts, lateness: each parcel its own; space: the parcels
  that passed the site.

Paid time beyond the time worked, duties without a trip and trips without a parcel are nobody's use: they go
to the service "" (unused capacity) rather than being hidden in a service's cost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from logistics.clock import LocalClock, local_day_and_second
from logistics.scenario import Scenario, SiteSection
from sim.columns import FloatArray, IntArray, counts, names, times
from sim.lateness import late
from sim.shares import Use
from sim.sites import run_end
from sim.tables import SCHEMAS

J_PER_KWH = 3_600_000.0

Span = tuple[float, float]  # when a run began and when it was cut, seconds
EVER: Span = (0.0, math.inf)


class _Book:
    """Quantities by group and service, before they are priced."""

    def __init__(self, services: list[str]) -> None:
        self.services = [*services, ""]
        self.groups: dict[tuple[str, str, str, str, float], FloatArray] = {}

    def add(self, kind: str, site: str, lane: str, unit: str, rate: float, quantity: FloatArray) -> None:
        """Add (services + 1,) quantities, the last of them unused capacity. A rate of 0 costs nothing."""
        if rate <= 0 or not quantity.any():
            return
        key = (kind, site, lane, unit, rate)
        self.groups[key] = self.groups.get(key, np.zeros(len(self.services))) + quantity

    def table(self) -> pa.Table:
        rows: list[tuple[str, str, str, str, float, str, float, int]] = []
        for (kind, site, lane, unit, rate), quantity in sorted(self.groups.items()):
            amounts = split(round(rate * float(quantity.sum())), quantity)
            rows += [
                (kind, site, lane, service, float(part), unit, rate, int(amount))
                for service, part, amount in zip(self.services, quantity, amounts, strict=True)
                if part > 0
            ]
        fields = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(8)]
        arrays = [
            pa.array(values, pa.string()).dictionary_encode()
            if pa.types.is_dictionary(field.type)
            else values
            for field, values in zip(SCHEMAS["ledger"], fields, strict=True)
        ]
        return pa.table(dict(zip(SCHEMAS["ledger"].names, arrays, strict=True)), schema=SCHEMAS["ledger"])


def split(total: int, weights: FloatArray) -> IntArray:
    """Whole numbers in proportion to the weights that sum to `total`: largest remainder, ties to the
    first."""
    share = weights / weights.sum() * total
    parts: IntArray = np.floor(share).astype(np.int64)
    missing = total - int(parts.sum())
    largest = np.argsort(-(share - parts), kind="stable")
    parts[largest[:missing]] += 1
    return parts


def build_ledger(scenario: Scenario, tables: Mapping[str, pa.Table], span: Span = EVER) -> pa.Table:
    """The `ledger` table of a run. Costs cover the whole run, whatever window is measured; shifts are paid inside
    `span` only (`duties` must have been cut to it already)."""
    services = [service.id for service in scenario.services]
    book = _Book(services)
    use = Use(scenario, tables)
    _stage_wages(book, scenario, tables, use, span)
    _trips(book, scenario, use)
    _duties(book, scenario, tables, use)
    _sites(book, scenario, tables, use)
    _sorters(book, scenario, tables, use)
    _parcels(book, scenario, tables, use)
    return book.table()


def paid_server_seconds(
    scenario: Scenario, site: SiteSection, starts: FloatArray, end_s: float, span: Span = EVER
) -> dict[str, float]:
    """Stage -> server seconds paid at a site: its shifts on the days on which it worked.

    A day counts when any stage of the site began a parcel within any of that day's shifts. `starts` are the
    ascending moments at which work on a parcel began at the site. Time outside `span` is not paid: before the run
    began, and after it was cut.
    """
    clock = LocalClock(scenario.scenario)
    paid: dict[str, float] = {stage.name: 0.0 for stage in site.stages}
    for day in range(-1, clock.day_of(end_s) + 1):
        windows = [
            (stage.name, shift.workers, *clock.window(day, shift.window))
            for stage in site.stages
            for shift in stage.shifts
        ]
        if any(
            np.searchsorted(starts, closes, "left") > np.searchsorted(starts, opens, "left")
            for _, _, opens, closes in windows
        ):
            for stage, workers, opens, closes in windows:
                paid[stage] += workers * max(min(closes, span[1]) - max(opens, span[0]), 0)
    return paid


def _stage_wages(
    book: _Book, scenario: Scenario, tables: Mapping[str, pa.Table], use: Use, span: Span
) -> None:
    stages = tables["stages"]
    site, stage = names(stages, "site"), names(stages, "stage")
    start, seconds = times(stages, "start_s"), times(stages, "finish_s") - times(stages, "start_s")
    service = use.service[counts(stages, "parcel")]
    wide = use.services + 1
    key = (site.codes.astype(np.int64) * len(stage.names) + stage.codes) * wide + service
    cells = max(len(site.names) * len(stage.names) * wide, 1)
    busy = np.bincount(key, weights=seconds, minlength=cells).reshape(-1, wide) if len(key) else None
    end_s = run_end(tables)
    for place in scenario.sites:
        if not place.stages:
            continue
        paid = paid_server_seconds(scenario, place, np.sort(start[site.where(place.id)]), end_s, span)
        for step in place.stages:
            quantity = np.zeros(wide)
            if busy is not None and site.code(place.id) >= 0 and stage.code(step.name) >= 0:
                quantity = busy[site.code(place.id) * len(stage.names) + stage.code(step.name)].copy()
            used_s, paid_s = float(quantity.sum()), paid[step.name]
            if used_s > paid_s:  # work that ran on past the shift's end is paid as the shift
                quantity *= paid_s / used_s
            quantity[-1] += max(paid_s - used_s, 0.0)
            book.add("stage_wage", place.id, "", "h", step.wage_minor_per_hour, quantity / 3600.0)


def _trips(book: _Book, scenario: Scenario, use: Use) -> None:
    vehicles = {vehicle.id: vehicle for vehicle in scenario.vehicles}
    tolls = {lane.id: lane.toll_minor for lane in scenario.lanes}
    trips = use.trips
    for rows, site, lane, kind in trips.groups():
        vehicle = vehicles[kind]
        share = trips.share[rows]
        book.add("distance", site, lane, "km", vehicle.km_minor, trips.distance_m[rows] / 1000.0 @ share)
        kwh = trips.energy_j[rows] / J_PER_KWH @ share
        book.add("energy", site, lane, "kWh", vehicle.energy_minor_per_kwh, kwh)
        if lane:
            on_lane = share[trips.scheduled[rows]].sum(axis=0)
            book.add("toll", site, lane, "trip", tolls.get(lane, 0.0), on_lane)


def _duties(book: _Book, scenario: Scenario, tables: Mapping[str, pa.Table], use: Use) -> None:
    duties = tables["duties"]
    kind, site = names(duties, "vehicle_kind"), names(duties, "site")
    shift_s = times(duties, "shift_end_s") - times(duties, "shift_start_s")
    paid_s = shift_s + np.nan_to_num(times(duties, "overtime_s"))
    worked_s = np.minimum(np.nan_to_num(times(duties, "busy_s")), paid_s)
    mix = use.duty_mix(duties)
    worked = mix * worked_s[:, None]
    worked[:, -1] += paid_s - worked_s
    lane = use.duty_lane(duties)
    for vehicle in scenario.vehicles:
        for place in site.names:
            for lane_id in sorted(set(lane[kind.where(vehicle.id) & site.where(place)].tolist())):
                rows = kind.where(vehicle.id) & site.where(place) & (lane == lane_id)
                hours = worked[rows].sum(axis=0) / 3600.0
                book.add("driver_wage", place, lane_id, "h", vehicle.wage_minor_per_hour, hours)
                book.add("vehicle_day", place, lane_id, "day", vehicle.day_minor, mix[rows].sum(axis=0))


def _sites(book: _Book, scenario: Scenario, tables: Mapping[str, pa.Table], use: Use) -> None:
    sites = tables["sites"]
    building = np.asarray(sites["stage"].is_null()) & (counts(sites, "space_peak") > 0)
    place = names(sites, "site")
    day, _ = local_day_and_second(times(sites, "from_s"), scenario.scenario)
    for each in scenario.sites:
        handled = use.handled(each.id)
        book.add("handling", each.id, "", "parcel", each.handling_minor_per_parcel, handled)
        if each.space_minor_per_day > 0:
            days = np.unique(day[building & place.where(each.id)])
            mix = handled / handled.sum() if handled.any() else use.nobody()
            book.add("space", each.id, "", "day", each.space_minor_per_day, len(days) * mix)


def _sorters(book: _Book, scenario: Scenario, tables: Mapping[str, pa.Table], use: Use) -> None:
    wrong = tables["sorting_errors"]
    place, service = names(wrong, "site"), use.service[counts(wrong, "parcel")]
    for each in scenario.sites:
        if each.sorting is None:
            continue
        here, errors = place.where(each.id), each.sorting.errors
        for kind, column, unit, rate in (
            ("missort", "missorts", "missort", errors.missort_minor),
            ("damage", "damaged", "parcel", errors.damage_minor),
        ):
            often = counts(wrong, column)[here].astype(np.float64)
            quantity = np.zeros(use.services + 1)
            np.add.at(quantity, service[here], often)
            book.add(kind, each.id, "", unit, rate, quantity)


def _parcels(book: _Book, scenario: Scenario, tables: Mapping[str, pa.Table], use: Use) -> None:
    parcels = tables["parcels"]
    station, state = names(parcels, "station"), names(parcels, "state")
    delivered = state.where("delivered")
    final = times(parcels, "final_s")
    until = np.where(np.isnan(final) | state.where("open"), run_end(tables), final)
    lateness = late(parcels)
    late_h = np.where(lateness, np.maximum(until - times(parcels, "promise_s"), 0.0), 0.0) / 3600.0
    failed = np.maximum(counts(parcels, "attempts") - delivered, 0)
    cells: tuple[tuple[str, str, FloatArray], ...] = (
        ("failed_attempt", "attempt", failed.astype(np.float64)),
        ("late_parcel", "parcel", lateness.astype(np.float64)),
        ("late_hour", "h", late_h),
    )
    service = use.parcel_service
    for kind, unit, value in cells:
        for code, place in [*enumerate(station.names), (-1, "")]:
            here = station.codes == code
            quantity = np.bincount(service[here], weights=value[here], minlength=use.services + 1)
            for row, each in enumerate(scenario.services):
                rate = {
                    "failed_attempt": scenario.delivery.failed_minor,
                    "late_parcel": each.late_minor_per_parcel,
                    "late_hour": each.late_minor_per_hour,
                }[kind]
                only = np.zeros(len(quantity))
                only[row] = quantity[row]
                book.add(kind, place, "", unit, rate, only)
    for vehicle in scenario.vehicles:
        if vehicle.piece_minor_per_parcel > 0:
            for place, pieces in use.pieces(vehicle.id).items():
                book.add("piece", place, "", "parcel", vehicle.piece_minor_per_parcel, pieces)
