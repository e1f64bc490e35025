"""The tables of a finished run, from the twin's records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from logistics.tables import LOCKER
from sim.custody import CANCELLED, CUSTOMER, NOT_ORDERED, OUT_OF_STOCK, RETURNED
from sim.kpis import build_kpis
from sim.lateness import with_late_stage
from sim.ledger import Span, build_ledger
from sim.record import conform, make_column, named, times
from sim.sites import build_sites
from sim.sorting.site import SiteSorting, sorter_figures
from sim.tables import SCHEMAS
from sim.twin import Twin
from sim.waiting import PLANS, waiting_parcels
from sim.warehouse.site import storage_figures
from sim.world import STAGES, STAMPS

STATES = ("delivered", "cancelled", "out_of_stock", "returned", "open")
MODES = ["van", "drone"]


def machine_figures(twin: Twin) -> dict[str, dict[str, dict[str, Any]]]:
    """What storages and sorters tell of themselves, by kind and site, plain values for the manifest."""
    return {"storage": storage_figures(twin.world), "sorter": sorter_figures(twin.world)}


def build_tables(
    twin: Twin, machines: dict[str, dict[str, dict[str, Any]]] | None = None
) -> tuple[dict[str, pa.Table], dict[str, float]]:
    """All tables of `sim.tables` and the flat key figures; `machines` are the `machine_figures`, if known."""
    machines = machine_figures(twin) if machines is None else machines
    scenario, record = twin.scenario, twin.record
    sites = [site.id for site in scenario.sites]
    tables = {
        "parcels": with_late_stage(_parcels(twin), twin.cut_s),
        "lines": _lines(twin),
        "stages": record.stages_table(sites, list(STAGES)),
        "moves": _moves(twin),
        "legs": record.legs_table(),
        "containers": record.containers_table([c.id for c in scenario.containers], sites),
        "duties": _duties(twin),
        "solves": record.small_table("solves"),
        "unassigned": _unassigned(twin, sites),
        "sorting_errors": _sorting_errors(twin, sites),
        "incidents": _incidents(twin, sites),
    }
    tables["sites"] = build_sites(scenario, tables)
    tables["ledger"] = build_ledger(scenario, tables, _span(twin))
    inside = {f"{kind}:{site}": told["kpis"] for kind, of in machines.items() for site, told in of.items()}
    tables["kpis"], flat = build_kpis(scenario, tables, tables["ledger"], _span(twin), inside)
    return tables, flat


def _span(twin: Twin) -> Span:
    """The time that the run answers for: to the cut, or without end where all came to an end before it."""
    return twin.begins_s, math.inf if twin.world.ended.triggered else twin.cut_s


def _parcels(twin: Twin) -> pa.Table:
    scenario, world, demand = twin.scenario, twin.world, twin.demand
    orders, parcels, places = demand.orders, demand.parcels, demand.places
    sites = [site.id for site in scenario.sites]
    count = len(parcels)
    ordered = twin.custody.place != NOT_ORDERED
    state = np.full(count, STATES.index("open"), dtype=np.int32)
    for place, name in (
        (CUSTOMER, "delivered"),
        (CANCELLED, "cancelled"),
        (OUT_OF_STOCK, "out_of_stock"),
        (RETURNED, "returned"),
    ):
        state[twin.custody.place == place] = STATES.index(name)
    general = scenario.scenario
    measured = ordered.copy()
    if general.measure_from is not None:
        measured &= world.placed_s >= scenario.seconds(general.measure_from)
    if general.measure_to is not None:
        measured &= world.placed_s < scenario.seconds(general.measure_to)
    first = world.parcels.delivered_first
    stocked = np.array([site.kind == "warehouse" for site in scenario.sites])[world.origin]
    withdrawn = np.where(twin.custody.place == CANCELLED, parcels.units, parcels.units - twin.custody.units)
    columns: dict[str, object] = {
        "parcel": np.arange(count, dtype=np.int32),
        "order": _references(orders.reference, parcels.order),
        "service": named(world.service, [service.id for service in scenario.services]),
        "kind": named(np.where(stocked, 0, 1), ["fulfilment", "origin-destination"]),
        "origin": named(world.origin, sites),
        "area": named(world.area, [area.id for area in scenario.areas]),
        "station": named(world.station, sites),
        "place": world.place,
        "place_kind": named((places.kind[world.place] == LOCKER).astype(np.int32), ["home", "locker"]),
        "lon": places.lon[world.place],
        "lat": places.lat[world.place],
        "weight_g": parcels.weight_g,
        "volume_ml": parcels.volume_ml,
        "units": parcels.units,
        "units_cancelled": withdrawn,
        "measured": measured,
        "placed_s": world.placed_s.astype(np.float64),
        "promise_s": world.promise_s.astype(np.float64),
        **{name: times(world.parcels.stamps[name]) for name in STAMPS},
        "state": named(state, list(STATES)),
        "attempts": world.parcels.attempts.astype(np.int32),
        "first_attempt": pa.array(first == 1, mask=first < 0),
        "mode": named(world.parcels.mode, MODES),
        "late_stage": pa.nulls(count, pa.string()),
    }
    return conform("parcels", columns).filter(pa.array(ordered))


def _sorting_errors(twin: Twin, sites: list[str]) -> pa.Table:
    """What went wrong on sorters, by site in the order of the scenario."""
    found = [
        (row, *floor.sorting.errors())
        for row, floor in sorted(twin.world.floors.items())
        if isinstance(floor.sorting, SiteSorting)
    ]
    none = np.zeros(0, dtype=np.int64)
    at = np.concatenate([none, *(np.full(len(parcels), row) for row, parcels, _, _ in found)])
    columns: dict[str, object] = {
        "parcel": np.concatenate([none, *(parcels for _, parcels, _, _ in found)]).astype(np.int32),
        "site": named(at.astype(np.int32), sites),
        "missorts": np.concatenate([none, *(missorts for _, _, missorts, _ in found)]),
        "damaged": np.concatenate([none, *(damaged for _, _, _, damaged in found)]),
    }
    return conform("sorting_errors", columns)


def _incidents(twin: Twin, sites: list[str]) -> pa.Table:
    """What happened inside storages and sorters, by time."""
    found = [
        (each.time_s, row, each)
        for row, floor in sorted(twin.world.floors.items())
        for machine in (floor.picking, floor.sorting)
        if machine is not None
        for each in machine.incidents()
    ]
    found.sort(key=lambda entry: entry[:2])
    columns: dict[str, object] = {
        name: [getattr(each, name) for _, _, each in found]
        for name in ("time_s", "what", "number", "parcel", "item", "detail")
    }
    return conform("incidents", {**columns, "site": [sites[row] for _, row, _ in found]})


def _unassigned(twin: Twin, sites: list[str]) -> pa.Table:
    """All that plans left out, then what waits at the end without such a reason; `final` marks each waiting
    parcel's last row."""
    record, stamps = twin.record, twin.world.parcels.stamps
    since_s = np.nan_to_num(np.fmax(stamps["ready_s"], stamps["loaded_s"]), nan=-np.inf)
    told = record.unassigned_columns()
    last = np.full(len(since_s), -1, dtype=np.int64)
    np.maximum.at(last, told["parcel"], np.arange(len(told["parcel"])))
    final = np.zeros(len(told["parcel"]), dtype=bool)
    for each in waiting_parcels(twin):
        row = last[each.parcels]
        stands = row >= 0
        stands[stands] = told["time_s"][row[stands]] >= since_s[each.parcels[stands]]
        stands &= each.reason in PLANS
        final[row[stands]] = True
        record.unassigned(twin.cut_s, each.site, each.parcels[~stands], (each.reason,), (each.detail,))
    columns = record.unassigned_columns()
    final = np.concatenate([final, np.ones(len(columns["parcel"]) - len(final), dtype=bool)])
    columns["site"] = named(columns["site"], sites)
    return conform("unassigned", {**columns, "final": final})


def _references(reference: np.ndarray, order: np.ndarray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(
        pa.array(order.astype(np.int32)), pa.array(reference, type=pa.string())
    )


def _lines(twin: Twin) -> pa.Table:
    """The lines of all parcels that were ordered."""
    lines, items = twin.demand.lines, twin.demand.items
    ordered = np.flatnonzero(twin.custody.place[lines.parcel] != NOT_ORDERED)
    item = lines.item[ordered]
    return conform(
        "lines",
        {
            "parcel": lines.parcel[ordered],
            **{
                name: pa.DictionaryArray.from_arrays(pa.array(item), pa.array(values, type=pa.string()))
                for name, values in (
                    ("item", items.code),
                    ("category", items.category),
                    ("handling", items.handling),
                )
            },
            "quantity": lines.quantity[ordered],
            "quantity_withdrawn": (lines.quantity - twin.supply.quantity)[ordered],
        },
    )


def _moves(twin: Twin) -> pa.Table:
    columns = twin.custody.columns()
    names = twin.custody.names
    return conform(
        "moves",
        {
            "time_s": columns["time_s"],
            "parcel": columns["parcel"],
            "units": columns["units"],
            "origin": named(columns["origin"], names),
            "destination": named(columns["destination"], names),
        },
    )


def _duties(twin: Twin) -> pa.Table:
    """Vans and drones are on duty on every day on which their station sends any of its kind out, for the part of
    their shift that the run answers for; trucks from their first to their last movement of a day."""
    clock, scenario, fleet = twin.world.clock, twin.scenario, twin.fleet
    begins, stops = _span(twin)
    rows: list[Mapping[str, object]] = []
    number = {name: k for k, name in enumerate(fleet.id)}
    by_day: dict[tuple[str, int], list[tuple[float, float]]] = {}
    working: set[tuple[int, int, int]] = set()
    for vehicle, spans in twin.busy.spans.items():
        for from_s, to_s in spans:
            day = clock.day_of(from_s)
            by_day.setdefault((vehicle, day), []).append((from_s, to_s))
            if vehicle in number:
                n = number[vehicle]
                working.add((int(fleet.site[n]), int(fleet.kind[n]), day))
    for site, kind, day in sorted(working):
        section = scenario.vehicles[kind]
        for n in fleet.at(site):
            if fleet.kind[n] != kind:
                continue
            spans = by_day.get((fleet.id[n], day), [])
            opens, closes = (
                min(max(clock.second(day, int(fleet.opens_s[n])), begins), stops),
                max(min(clock.second(day, int(fleet.closes_s[n])), stops), begins),
            )
            rows.append(
                _duty(
                    fleet.id[n], section.id, section.role, scenario.sites[site].id, day, opens, closes, spans
                )
            )
    trucks = {truck.name: truck for truck in twin.linehaul.trucks}
    for (vehicle, day), spans in sorted(by_day.items()):
        truck = trucks.get(vehicle)
        if truck is not None:
            first, last = min(s[0] for s in spans), max(s[1] for s in spans)
            base = scenario.sites[truck.home].id
            rows.append(_duty(vehicle, truck.kind.id, "linehaul", base, day, first, last, spans))
    schema = SCHEMAS["duties"]
    return pa.table([make_column([row[f.name] for row in rows], f.type) for f in schema], schema=schema)


def _duty(
    vehicle: str,
    kind: str,
    role: str,
    site: str,
    day: int,
    opens: float,
    closes: float,
    spans: list[tuple[float, float]],
) -> Mapping[str, object]:
    busy = sum(to_s - from_s for from_s, to_s in spans)
    overtime = sum(max(0.0, to_s - max(closes, from_s)) for from_s, to_s in spans)
    return {
        "vehicle": vehicle,
        "vehicle_kind": kind,
        "role": role,
        "site": site,
        "day": day,
        "shift_start_s": float(opens),
        "shift_end_s": float(closes),
        "busy_s": busy,
        "overtime_s": overtime,
    }
