"""Key figures of a run, from its tables alone.

What customers see (punctuality, click-to-door, first attempts) counts the measured parcels only; what the
network did and cost (kilometres, energy, utilisation, cost) covers the whole run. A figure without a basis,
such as the median of no deliveries, is left out rather than given a value.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from logistics.scenario import Scenario
from sim.columns import BoolArray, Names, counts, distinct, distinct_names, flags, names, times
from sim.lateness import due, late
from sim.ledger import EVER, J_PER_KWH, Span, paid_server_seconds
from sim.sites import run_end
from sim.tables import SCHEMAS

# currencies whose minor unit is not a hundredth (ISO 4217)
_WHOLE = {
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"),
    *("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
}
_THOUSANDTHS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}

STATES = ("delivered", "cancelled", "out_of_stock", "returned", "open")


def minor_per_major(currency: str) -> int:
    """How many minor units make one unit of the currency (ISO 4217)."""
    return 1 if currency in _WHOLE else 1000 if currency in _THOUSANDTHS else 100


class _Figures:
    """Rows of the `kpis` table in the order they are added."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, float, str]] = []

    def add(self, kpi: str, scope: str, value: float, unit: str) -> None:
        if np.isfinite(value):
            self.rows.append((kpi, scope, float(value), unit))

    def ratio(self, kpi: str, scope: str, part: float, whole: float, unit: str = "%") -> None:
        if whole > 0:
            self.add(kpi, scope, (100.0 if unit == "%" else 1.0) * part / whole, unit)

    def table(self) -> pa.Table:
        schema = SCHEMAS["kpis"]
        columns = [list(column) for column in zip(*self.rows, strict=True)] or [[], [], [], []]
        arrays = [
            pa.array(values, pa.string()).dictionary_encode()
            if pa.types.is_dictionary(field.type)
            else values
            for field, values in zip(schema, columns, strict=True)
        ]
        return pa.table(dict(zip(schema.names, arrays, strict=True)), schema=schema)

    def flat(self, services: list[str]) -> dict[str, float]:
        """The figures of the whole run by name, and punctuality by service as `on_time_pct:SERVICE`."""
        result: dict[str, float] = {}
        for kpi, scope, value, unit in self.rows:
            whole = unit in ("parcels", "orders", "routes", "times")
            if scope == "":
                result[kpi] = int(value) if whole else value
            elif kpi == "on_time_pct" and scope.removeprefix("service:") in services:
                result[f"{kpi}:{scope.removeprefix('service:')}"] = value
        return result


Inside = Mapping[str, Mapping[str, float]]
"""Scope ("storage:SITE", "sorter:SITE") -> figures of what works in place of a stage, by name."""


def build_kpis(
    scenario: Scenario,
    tables: Mapping[str, pa.Table],
    ledger: pa.Table,
    span: Span = EVER,
    inside: Inside | None = None,
) -> tuple[pa.Table, dict[str, float]]:
    """The `kpis` table of a run and its flat form for the manifest. `late_stage` must have been filled in.

    All is computed from the tables, but for what storages and sorters tell of themselves (`inside`).
    """
    figures = _Figures()
    _punctuality(figures, tables["parcels"])
    _driving(figures, tables["legs"], tables["parcels"])
    _utilisation(figures, scenario, tables, span)
    _cost(figures, scenario, tables["parcels"], ledger)
    _left_out(figures, tables["unassigned"])
    _sorting_errors(figures, scenario, tables, ledger)
    for scope, told in (inside or {}).items():
        for name, value in told.items():
            figures.add(name, scope, value, _unit(name))
    return figures.table(), figures.flat([service.id for service in scenario.services])


def _punctuality(figures: _Figures, parcels: pa.Table) -> None:
    service, state = names(parcels, "service"), names(parcels, "state")
    measured = flags(parcels, "measured")
    lateness, wanted = late(parcels), due(parcels)
    delivered = state.where("delivered")
    tried, first = np.asarray(parcels["first_attempt"].is_valid()), flags(parcels, "first_attempt")
    door_s = times(parcels, "final_s") - times(parcels, "placed_s")
    scopes: list[tuple[str, BoolArray]] = [("", measured)]
    scopes += [(f"service:{each}", measured & service.where(each)) for each in service.names]
    for scope, rows in scopes:
        figures.add("parcels", scope, int(rows.sum()), "parcels")
        figures.add("orders", scope, distinct_names(parcels, "order", rows), "orders")
        for each in STATES:
            figures.add(each, scope, int((rows & state.where(each)).sum()), "parcels")
        figures.add("due", scope, int((rows & wanted).sum()), "parcels")
        figures.add("late", scope, int((rows & lateness).sum()), "parcels")
        figures.ratio("on_time_pct", scope, (rows & wanted & ~lateness).sum(), (rows & wanted).sum())
        figures.ratio("delivered_pct", scope, (rows & delivered).sum(), rows.sum())
        figures.ratio("first_attempt_pct", scope, (rows & first).sum(), (rows & tried).sum())
        seconds = door_s[rows & delivered]
        if len(seconds):
            for percent in (50, 95, 99):
                figures.add(
                    f"click_to_door_p{percent}_s", scope, float(np.quantile(seconds, percent / 100)), "s"
                )
    stage = names(parcels, "late_stage")
    for each in stage.names:
        figures.add("late", f"late_stage:{each}", int((measured & stage.where(each)).sum()), "parcels")


def _driving(figures: _Figures, legs: pa.Table, parcels: pa.Table) -> None:
    kind, site, lane, role = (names(legs, column) for column in ("vehicle_kind", "site", "lane", "role"))
    metres = times(legs, "distance_m")
    scopes: list[tuple[str, BoolArray]] = [("", np.ones(legs.num_rows, dtype=np.bool_))]
    scopes += [(f"vehicle:{each}", kind.where(each)) for each in kind.names]
    scopes += [(f"site:{each}", site.where(each)) for each in site.names]
    scopes += [(f"lane:{each}", lane.where(each)) for each in lane.names]
    empty = (counts(legs, "parcels") == 0) & (counts(legs, "load_g") == 0)
    load_g, load_ml = metres * times(legs, "load_g"), metres * times(legs, "load_ml")
    room_g, room_ml = metres * times(legs, "capacity_g"), metres * times(legs, "capacity_ml")
    energy, co2 = times(legs, "energy_j"), times(legs, "co2_g")
    for scope, rows in scopes:
        figures.add("km", scope, metres[rows].sum() / 1000.0, "km")
        figures.add("empty_km", scope, metres[rows & empty].sum() / 1000.0, "km")
        figures.ratio("load_factor_weight_pct", scope, load_g[rows].sum(), room_g[rows].sum())
        figures.ratio("load_factor_volume_pct", scope, load_ml[rows].sum(), room_ml[rows].sum())
        figures.add("energy_kwh", scope, np.nansum(energy[rows]) / J_PER_KWH, "kWh")
        figures.add("co2_kg", scope, np.nansum(co2[rows]) / 1000.0, "kg")
    _rounds(figures, legs, role, site, parcels)


def _rounds(figures: _Figures, legs: pa.Table, role: Names, site: Names, parcels: pa.Table) -> None:
    """Routes of delivery vans: how many, stops on each, parcels delivered by each hour on the road."""
    rounds = role.where("delivery")
    stop = rounds & np.asarray(legs["place"].is_valid())
    trip = counts(legs, "trip")
    lasted = times(legs, "leave_s") - times(legs, "depart_s")
    station, state, mode = (names(parcels, column) for column in ("station", "state", "mode"))
    by_van = state.where("delivered") & mode.where("van")
    for scope, rows, handed in [
        ("", rounds, by_van),
        *((f"site:{each}", rounds & site.where(each), by_van & station.where(each)) for each in site.names),
    ]:
        if rows.any():
            routes = len(distinct(trip[rows]))
            figures.add("routes", scope, routes, "routes")
            figures.ratio("stops_per_route", scope, (rows & stop).sum(), routes, "stops")
            hours = lasted[rows].sum() / 3600.0
            figures.ratio("parcels_per_van_hour", scope, handed.sum(), hours, "parcels/h")


def _utilisation(figures: _Figures, scenario: Scenario, tables: Mapping[str, pa.Table], span: Span) -> None:
    stages, sites, duties = tables["stages"], tables["sites"], tables["duties"]
    site, stage = names(stages, "site"), names(stages, "stage")
    arrive, start = times(stages, "arrive_s"), times(stages, "start_s")
    worked, waited = times(stages, "finish_s") - start, start - arrive
    bin_site, bin_stage = names(sites, "site"), names(sites, "stage")
    busy, there, peak = times(sites, "busy_server_s"), times(sites, "server_s"), counts(sites, "queue_peak")
    inside, limit = counts(sites, "space_peak"), counts(sites, "space_limit", -1)
    end_s = run_end(tables)
    for place in sorted(scenario.sites, key=lambda each: each.id):
        building = bin_site.where(place.id) & (bin_stage.codes < 0)
        figures.add("space_peak", f"site:{place.id}", int(inside[building].max(initial=0)), "parcels")
        if (limit[building] > 0).any():
            figures.ratio("space_peak_pct", f"site:{place.id}", inside[building].max(), limit[building].max())
        here = site.where(place.id)
        paid = paid_server_seconds(scenario, place, np.sort(start[here]), end_s, span)
        for step in place.stages:
            scope = f"stage:{place.id}/{step.name}"
            rows, bins = here & stage.where(step.name), bin_site.where(place.id) & bin_stage.where(step.name)
            if place.manned(step.name):
                figures.ratio("utilisation_pct", scope, worked[rows].sum(), paid[step.name])
            open_bins = bins & (there > 0)
            if open_bins.any():
                busiest = float((busy[open_bins] / there[open_bins]).max())
                figures.add("utilisation_peak_pct", scope, 100.0 * busiest, "%")
            figures.ratio("wait_mean_s", scope, waited[rows].sum(), rows.sum(), "s")
            figures.add("queue_peak", scope, int(peak[bins].max(initial=0)), "parcels")
    kind, base = names(duties, "vehicle_kind"), names(duties, "site")
    on_duty = times(duties, "shift_end_s") - times(duties, "shift_start_s")
    on_duty += np.nan_to_num(times(duties, "overtime_s"))
    driven = np.nan_to_num(times(duties, "busy_s"))
    day = counts(duties, "day") + 1  # of the local calendar; a run may go on with the day before its start
    for place_id in base.names:
        for vehicle in kind.names:
            rows = base.where(place_id) & kind.where(vehicle)
            scope = f"fleet:{place_id}/{vehicle}"
            figures.ratio("utilisation_pct", scope, driven[rows].sum(), on_duty[rows].sum())
            if rows.any():
                figures.add("vehicles", scope, int(np.bincount(day[rows]).max()), "vehicles")
                out = np.bincount(day[rows & (driven > 0)], minlength=1)
                figures.add("vehicles_used", scope, int(out.max()), "vehicles")
    for vehicle in kind.names:
        rows = kind.where(vehicle)
        figures.ratio("utilisation_pct", f"vehicle:{vehicle}", driven[rows].sum(), on_duty[rows].sum())


def _cost(figures: _Figures, scenario: Scenario, parcels: pa.Table, ledger: pa.Table) -> None:
    currency = scenario.scenario.currency
    major = minor_per_major(currency)
    amount = counts(ledger, "amount_minor")
    delivered = names(parcels, "state").where("delivered")
    service = names(parcels, "service")
    figures.add("cost_total", "", int(amount.sum()) / major, currency)
    figures.ratio("cost_per_parcel", "", int(amount.sum()) / major, delivered.sum(), currency)
    for column, scope in (("kind", "cost"), ("service", "service"), ("site", "site"), ("lane", "lane")):
        group = names(ledger, column)
        for each in group.names:
            label = each or "none"
            total = int(amount[group.where(each)].sum()) / major
            figures.add("cost_total", f"{scope}:{label}", total, currency)
            if scope == "service":
                handed = (delivered & service.where(each)).sum()
                figures.ratio("cost_per_parcel", f"service:{label}", total, handed, currency)


def _sorting_errors(
    figures: _Figures, scenario: Scenario, tables: Mapping[str, pa.Table], ledger: pa.Table
) -> None:
    """What went wrong on sorters, and what it cost: of each site that has one, and of all."""
    sites = [site.id for site in scenario.sites if site.sorting is not None]
    if not sites:
        return
    errors, stages = tables["sorting_errors"], tables["stages"]
    where, kind, paid = names(errors, "site"), names(ledger, "kind"), names(ledger, "site")
    amount, major = counts(ledger, "amount_minor"), minor_per_major(scenario.scenario.currency)
    sorted_at, is_sort = names(stages, "site"), names(stages, "stage").where("sort")
    scopes = [(f"site:{each}", [each]) for each in sites]
    for scope, chosen in [("", sites), *scopes]:
        here = np.any([where.where(each) for each in chosen], axis=0)
        bill = np.any([paid.where(each) for each in chosen], axis=0)
        passes = sum(int((is_sort & sorted_at.where(each)).sum()) for each in chosen)
        for kpi, column, entry in (("missort", "missorts", "missort"), ("damage", "damaged", "damage")):
            often = int(counts(errors, column)[here].sum())
            figures.add(column, scope, often, "times" if column == "missorts" else "parcels")
            figures.ratio(f"{column}_pct", scope, often, passes)
            cost = int(amount[kind.where(entry) & bill].sum()) / major
            figures.add(f"{kpi}_cost", scope, cost, scenario.scenario.currency)


_OF_NAME = {
    "lines": "lines",
    "lines_per_tour": "lines",
    "lines_per_h": "lines/h",
    "lines_per_paid_h": "lines/h",  # hours of people
    "lines_per_busy_h": "lines/h",
    "units_per_h": "units/h",
    "pile_on": "lines/visit",
    "distance_per_line_m": "m/line",
    "metres_per_tour": "m",
    "orders": "orders",
    "open_orders": "orders",
    "parcels": "parcels",
    "sorted": "parcels",
    "open": "parcels",
    "damaged": "parcels",
    "queue_peak": "parcels",
    "parcels_per_h": "parcels/h",
    "capacity_per_h": "parcels/h",
    "cells_per_parcel": "cells/parcel",
}


def _unit(name: str) -> str:
    """Unit of a storage's or sorter's figure: by its name, else by the suffix, else a count."""
    suffix = {"pct": "%", "s": "s", "m": "m", "minor": "minor unit"}
    return _OF_NAME.get(name) or suffix.get(name.rpartition("_")[2], "times")


def _left_out(figures: _Figures, unassigned: pa.Table) -> None:
    parcel, reason = counts(unassigned, "parcel"), names(unassigned, "reason")
    final = flags(unassigned, "final")
    for kpi, rows in (("unassigned", final), ("left_out", np.ones(len(final), dtype=bool))):
        figures.add(kpi, "", len(distinct(parcel[rows])), "parcels")
        for each in reason.names:
            chosen = rows & reason.where(each)
            if chosen.any():
                figures.add(kpi, f"reason:{each}", len(distinct(parcel[chosen])), "parcels")
