"""The report's cards and tables."""

from __future__ import annotations

from typing import Any

from sim.late_orders import latest_orders
from sim.report.markup import ABSENT, card, duration, number, percent, table
from sim.report.source import Source

SHOWN = 200  # rows of long tables


def cards(source: Source) -> str:
    """The key figures of the whole run."""
    kpi, money = source.kpi, source.currency
    found = [
        card("On time", percent(kpi("on_time_pct")), "delivered by the first promise, of all parcels due"),
        card(
            "Delivered",
            percent(kpi("delivered_pct")),
            f"{number(kpi('delivered'))} of {number(kpi('parcels'))}",
        ),
        card(
            "Cost per parcel",
            number(kpi("cost_per_parcel"), 2, money),
            f"{number(kpi('cost_total'), 0, money)} in all",
        ),
        card(
            "Click to door",
            duration(kpi("click_to_door_p50_s")),
            f"median; 95 % within {duration(kpi('click_to_door_p95_s'))}",
        ),
        card("First attempt", percent(kpi("first_attempt_pct")), "delivered, of parcels tried at the door"),
        card("Driven", number(kpi("km"), 0, "km"), f"{number(kpi('empty_km'))} km of it empty"),
        card(
            "Load factor",
            percent(kpi("load_factor_volume_pct")),
            f"by volume; {percent(kpi('load_factor_weight_pct'))} by weight",
        ),
        card("CO₂", number(kpi("co2_kg"), 0, "kg"), f"{number(kpi('energy_kwh'))} kWh"),
        card(
            "Parcels per van hour",
            number(kpi("parcels_per_van_hour"), 1),
            f"{number(kpi('stops_per_route'), 1)} stops a route",
        ),
        card("Waiting at the end", number(kpi("unassigned")), "parcels on no vehicle"),
        card("Left out of a wave", number(kpi("left_out")), "parcels, at least once"),
    ]
    return f'<dl class="cards">{"".join(found)}</dl>'


def services(source: Source) -> str:
    kpi, rows = source.kpi, []
    for name, scope in [*((each, f"service:{each}") for each in source.services), ("all", "")]:
        rows.append(
            (
                name,
                number(kpi("parcels", scope)),
                number(kpi("due", scope)),
                number(kpi("delivered", scope)),
                percent(kpi("on_time_pct", scope)),
                number(kpi("late", scope)),
                percent(kpi("first_attempt_pct", scope)),
                *(duration(kpi(f"click_to_door_p{q}_s", scope)) for q in (50, 95, 99)),
                *(number(kpi(state, scope)) for state in ("cancelled", "out_of_stock", "returned", "open")),
                number(kpi("cost_per_parcel", scope), 2),
            )
        )
    head: tuple[str, ...] = (
        "service",
        "parcels",
        "due",
        "delivered",
        "on time",
        "late",
        "first attempt",
        "door p50",
        "door p95",
        "door p99",
    )
    head += ("cancelled", "out of stock", "returned", "open", f"{source.currency} per parcel")
    return table("What customers saw, by service class (parcels placed in the measuring window)", head, rows)


def sites(source: Source) -> str:
    """Sites with work or with space used."""
    kpi, rows = source.kpi, []
    kinds = {site["id"]: site for site in source.run.scenario["sites"]}
    stages = source.scopes("queue_peak", "stage:")
    used = [name for name in source.scopes("space_peak", "site:") if kpi("space_peak", f"site:{name}")]
    for name in used[:SHOWN]:
        own = [scope for scope in stages if scope.rpartition("/")[0] == name] or [""]
        for row, stage in enumerate(own):
            scope, limit = f"stage:{stage}", kinds[name].get("space_parcels")
            rows.append(
                (
                    name,
                    kinds[name]["kind"],
                    stage.rpartition("/")[2] or ABSENT,
                    percent(kpi("utilisation_pct", scope)),
                    percent(kpi("utilisation_peak_pct", scope)),
                    duration(kpi("wait_mean_s", scope)),
                    number(kpi("queue_peak", scope)),
                    number(kpi("space_peak", f"site:{name}")) if row == 0 else "",
                    (number(limit) if limit is not None else "none") if row == 0 else "",
                    number(kpi("cost_total", f"site:{name}")) if row == 0 else "",
                )
            )
    head: tuple[str, ...] = (
        "site",
        "kind",
        "stage",
        "worked of paid time",
        "busiest half hour",
        "mean wait",
        "longest queue",
    )
    head += ("most parcels inside", "space for", f"cost, {source.currency}")
    caption = "Sites" if len(used) <= SHOWN else f"Sites (the first {SHOWN} of {len(used)})"
    return table(caption, head, rows, texts=3)


def lanes(source: Source) -> str:
    trips: dict[str, int] = dict(
        source.rows("SELECT lane, count(DISTINCT trip) FROM legs WHERE lane IS NOT NULL GROUP BY 1")
    )
    scopes = [(name, f"lane:{name}") for name in source.scopes("km", "lane:")]
    return table(
        "Linehaul lanes",
        ("lane", "trips", *_DRIVEN, f"cost, {source.currency}"),
        [
            (name, number(trips.get(name)), *_driven(source, scope), number(source.kpi("cost_total", scope)))
            for name, scope in scopes
        ],
    )


def vehicles(source: Source) -> str:
    trips: dict[str, int] = dict(
        source.rows("SELECT vehicle_kind, count(DISTINCT trip) FROM legs GROUP BY 1")
    )
    duties: dict[str, int] = dict(source.rows("SELECT vehicle_kind, count(*) FROM duties GROUP BY 1"))
    return table(
        "Vehicles by kind",
        ("kind", "vehicle days", "trips", *_DRIVEN, "on the road, of time on duty", "kWh", "kg CO₂"),
        [
            (
                name,
                number(duties.get(name)),
                number(trips.get(name)),
                *_driven(source, scope),
                percent(source.kpi("utilisation_pct", scope)),
                number(source.kpi("energy_kwh", scope)),
                number(source.kpi("co2_kg", scope)),
            )
            for name, scope in [(each, f"vehicle:{each}") for each in source.scopes("km", "vehicle:")]
        ],
    )


_DRIVEN = ("km", "empty km", "load by weight", "load by volume")


def _driven(source: Source, scope: str) -> tuple[str, ...]:
    return (
        number(source.kpi("km", scope)),
        number(source.kpi("empty_km", scope)),
        percent(source.kpi("load_factor_weight_pct", scope)),
        percent(source.kpi("load_factor_volume_pct", scope)),
    )


def unassigned(source: Source) -> str:
    """How many by reason, and the first in time, those that wait at the end of the run before all others."""
    reasons = source.rows(
        "SELECT reason, count(*), count(DISTINCT parcel), count(*) FILTER (final), min(time_s), max(time_s) "
        "FROM unassigned GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    found = table(
        "Parcels left out of a wave, or waiting at the end of the run, by reason",
        ("reason", "times", "parcels", "of these waiting at the end", "first", "last"),
        [
            (r, number(n), number(p), number(e), source.clock(a), source.clock(b))
            for r, n, p, e, a, b in reasons
        ],
    )
    first = source.rows(
        "SELECT parcel, site, reason, detail, time_s FROM unassigned "
        f"ORDER BY final DESC, time_s, parcel LIMIT {SHOWN}"
    )
    total = sum(row[1] for row in reasons)
    if first:
        caption = (
            "Each case"
            if total <= SHOWN
            else f"The first {SHOWN} of {total:,} cases; unassigned.parquet has all"
        )
        rows = [(p, site, reason, detail or "", source.clock(at)) for p, site, reason, detail, at in first]
        found += table(caption, ("parcel", "site", "reason", "detail", "time"), rows, texts=5)
    return found


def latest(source: Source) -> str:
    """The latest orders, with the command that tells their lives."""
    rows = [
        (each.order, each.service, each.station, each.state, each.late_stage, number(each.late_h, 1))
        for each in latest_orders(source)
    ]
    return table(
        "The latest orders; `logistics explain RUN --order ORDER` tells each one's life",
        ("order", "service", "station", "state", "made late by", "hours late"),
        rows,
        texts=5,
    )


_STORAGE_SHOWN = (
    ("lines", "lines", 0),
    ("open_orders", "parcels not picked at the end", 0),
    ("lines_per_paid_h", "lines an hour paid", 1),
    ("lines_per_busy_h", "lines an hour worked", 1),
    ("distance_per_line_m", "metres a line", 1),
    ("cycle_p50_s", "picked after p50, s", 0),
    ("cycle_p95_s", "picked after p95, s", 0),
    ("pile_on", "lines a pod visit", 2),
    ("metres_per_tour", "metres a tour", 0),
    ("space_used_mean_pct", "places used, mean %", 1),
    ("space_used_peak_pct", "places used, at most %", 1),
    ("stock_accuracy_pct", "stock accuracy, %", 2),
    ("slotting_lines", "past lines slotting learned from", 0),
)


def storages(source: Source) -> str:
    """Warehouses with storage; figures that a system has not are left open."""
    return _machines("Storage", "storage", _STORAGE_SHOWN, source)


_SORTER_SHOWN = (
    ("sorted", "sorted", 0),
    ("open", "not sorted at the end", 0),
    ("sort_p50_s", "sort time p50, s", 1),
    ("sort_p95_s", "sort time p95, s", 1),
    ("wait_for_induction_mean_s", "mean wait for induction, s", 1),
    ("recirculations", "refused by a chute", 0),
    ("missorts", "missorts", 0),
    ("missort_cost_minor", "their cost, minor units", 0),
    ("damaged", "damaged", 0),
    ("damage_cost_minor", "their cost, minor units", 0),
    ("robot_busy_pct", "robots busy, %", 1),
    ("utilisation_inductions_pct", "inductions busy, %", 1),
    ("chutes_closed_pct", "chutes closed, %", 1),
)


def sorters(source: Source) -> str:
    """Sites with a sorter; figures that a sorter has not are left open."""
    return _machines("Sorters", "sorting", _SORTER_SHOWN, source)


def _machines(caption: str, key: str, shown: tuple[tuple[str, str, int], ...], source: Source) -> str:
    found = source.run.manifest.get(key, {})
    rows = [
        (site, *(number(entry["kpis"].get(name), digits) for name, _, digits in shown))
        for site, entry in sorted(found.items())
    ]
    return table(caption, ("site", *(title for _, title, _ in shown)), rows)


def incidents(source: Source) -> str:
    """What happened inside storages and sorters, counted by site and kind."""
    rows = source.rows(
        "SELECT site, what, count(*), min(time_s), max(time_s) FROM incidents GROUP BY 1, 2 ORDER BY 1, 2"
    )
    if not rows:
        return ""
    return table(
        "What happened inside; incidents.parquet has each with its time, number, parcel and item",
        ("site", "what", "times", "first", "last"),
        [(site, what, number(n), source.clock(a), source.clock(b)) for site, what, n, a, b in rows],
        texts=2,
    )


def assumptions(source: Source) -> str:
    rows = [(key, *_basis(text)) for key, text in sorted(source.run.scenario["basis"].items())]
    return table("Where the inputs come from", ("input", "basis", "note"), rows, texts=3)


def _basis(text: str) -> tuple[str, str]:
    kind, _, note = text.partition(":")
    return kind.strip(), note.strip()


def cleaning(source: Source) -> str:
    """What the import of an order file dropped, where there was one."""
    report = source.run.manifest.get("cleaning")
    if not report:
        return ""
    rows = [("lines read", number(report["lines_read"])), ("lines kept", number(report["lines_kept"]))]
    rows += [(f"dropped: {reason}", number(count)) for reason, count in sorted(report["dropped"].items())]
    return table("Cleaning of the order file", ("lines", "number"), rows)


def manifest(source: Source) -> str:
    return table(
        "How this run was made", ("item", "value"), _flat(source.run.manifest, "", skip="kpis"), texts=2
    )


def _flat(value: Any, path: str, skip: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            row
            for key, each in sorted(value.items())
            if key not in (skip, "cleaning", "sorting", "storage")
            for row in _flat(each, f"{path}.{key}" if path else str(key))
        ]
    return [(path, ABSENT if value is None else str(value))]
