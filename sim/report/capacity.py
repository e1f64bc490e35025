"""Is it enough? Vehicles against what was out at once, workers against what came in: the tables for decisions."""

from __future__ import annotations

from sim.report.markup import ABSENT, duration, number, percent, table
from sim.report.source import Source

SHORT_PCT, IDLE_PCT = 1.0, 70.0  # late for want of vehicles; most out at once, of those there
HALF_HOUR_S = 1800


def vehicles(source: Source) -> str:
    """By station and kind: how many there are, how many were ever out at once, and what stayed behind."""
    rows = source.rows(
        """
        WITH spans AS (
            SELECT 'out' AS what, site, vehicle_kind, min(depart_s) AS begins, max(leave_s) AS ends
            FROM legs WHERE role IN ('delivery', 'collection', 'drone') GROUP BY site, vehicle_kind, vehicle, trip
            UNION ALL SELECT 'duty', site, vehicle_kind, shift_start_s, shift_end_s
            FROM duties WHERE role IN ('delivery', 'drone')
        ), steps AS (
            SELECT what, site, vehicle_kind, begins AS moment, 1 AS step FROM spans
            UNION ALL SELECT what, site, vehicle_kind, ends, -1 FROM spans
        ), levels AS (
            SELECT what, site, vehicle_kind, sum(step) OVER (
                PARTITION BY what, site, vehicle_kind ORDER BY moment, step ROWS UNBOUNDED PRECEDING) AS n
            FROM steps
        ), most AS (
            SELECT site, vehicle_kind, max(n) FILTER (what = 'duty') AS there, max(n) FILTER (what = 'out') AS out
            FROM levels GROUP BY ALL
        ), duty AS (
            SELECT site, vehicle_kind, sum(busy_s) / nullif(count(*) FILTER (busy_s > 0), 0) AS busy_s
            FROM duties WHERE role IN ('delivery', 'drone') GROUP BY ALL
        ), behind AS (
            SELECT site, count(DISTINCT parcel) AS parcels FROM unassigned GROUP BY 1
        ), late AS (
            SELECT station AS site,
                   100.0 * count(*) FILTER (late_stage IN ('dispatch', 'collection')) / count(*) AS pct
            FROM parcels WHERE measured GROUP BY 1
        )
        SELECT site, vehicle_kind, there, coalesce(out, 0), busy_s, coalesce(behind.parcels, 0), coalesce(pct, 0)
        FROM most JOIN duty USING (site, vehicle_kind)
        LEFT JOIN behind USING (site) LEFT JOIN late USING (site)
        ORDER BY site, vehicle_kind
        """
    )
    shown = [
        (
            site,
            kind,
            _verdict(late_pct, most, count),
            number(count),
            number(most),
            duration(busy_s),
            number(behind),
            percent(late_pct),
        )
        for site, kind, count, most, busy_s, behind, late_pct in rows
    ]
    head = (
        "station",
        "kind",
        "enough?",
        "there",
        "most out at once",
        "on the road a day",
        "parcels left out",
    )
    return table(
        "Vans and drones: short where more than 1 % of the parcels are late waiting for one, idle where never more "
        "than 70 % are out",
        (*head, "late waiting for one"),
        shown,
        texts=3,
    )


def _verdict(late_pct: float, most: int, count: int) -> str:
    if late_pct > SHORT_PCT:
        return "short"
    return "idle" if 100.0 * most <= IDLE_PCT * count else "fits"


def workers(source: Source) -> str:
    """By stage: workers on shift, and what the busiest half hours would take to leave no queue."""
    rows = source.rows(
        """
        WITH work AS (
            SELECT site, stage, avg(finish_s - start_s) AS mean_s, quantile_cont(start_s - arrive_s, 0.95) AS wait_s
            FROM stages GROUP BY ALL
        ), bins AS (
            SELECT site, stage, arrivals, server_s / ? AS on_shift FROM sites
            WHERE stage IS NOT NULL AND server_s IS NOT NULL
        )
        SELECT site, stage, max(on_shift),
               coalesce(max(arrivals * mean_s) / ?, 0), coalesce(quantile_cont(arrivals * mean_s, 0.95)
                   FILTER (arrivals > 0) / ?, 0), any_value(wait_s)
        FROM bins LEFT JOIN work USING (site, stage) GROUP BY ALL ORDER BY site, stage
        """,
        *[HALF_HOUR_S] * 3,
    )
    shown = [
        (
            site,
            stage,
            number(there),
            number(most, 1),
            number(usual, 1),
            ABSENT if wait is None else duration(wait),
        )
        for site, stage, there, most, usual, wait in rows
    ]
    head = (
        "site",
        "stage",
        "most on shift",
        "for no queue in the busiest half hour",
        "in 95 % of busy half hours",
    )
    return table("Workers", (*head, "wait, 95 % within"), shown, texts=2)


def lockers(source: Source) -> str:
    """Compartments, and parcels that found none; nothing where there are no lockers."""
    sizes = {s["id"]: s["space_parcels"] for s in source.run.scenario["sites"] if s["kind"] == "locker"}
    if not sizes:
        return ""
    refused: dict[str, int] = dict(
        source.rows(
            """
            SELECT station, count(*) FROM parcels
            WHERE place_kind = 'locker' AND attempts > 1 GROUP BY 1
            """
        )
    )
    stations = {s["id"]: s["station"] for s in source.run.scenario["sites"] if s["kind"] == "locker"}
    rows = [
        (name, stations[name], number(size), number(refused.get(stations[name], 0)))
        for name, size in sorted(sizes.items())
    ]
    head = ("locker", "station", "compartments", "parcels of the station's lockers that came twice")
    return table("Lockers", head, rows, texts=2)
