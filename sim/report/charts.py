"""The report's charts as Plotly figures in plain values.

Colours are tokens that the page resolves for its light and dark theme: "c0" to "c7" for categories, "muted"
for what belongs to none, "heat" for the scale of heat maps.
"""

from __future__ import annotations

from typing import Any

from sim.report.source import Source
from sim.sites import BIN_S

Figure = dict[str, Any]
CATEGORIES = 8
QUEUES_SHOWN = 8
HEAT_ROWS = 60
HISTOGRAM_BINS = 60

KINDS = {
    "stage_wage": "Site wages",
    "driver_wage": "Driver wages",
    "piece": "Piece rates",
    "vehicle_day": "Vehicle days",
    "distance": "Kilometres",
    "energy": "Energy",
    "toll": "Tolls",
    "handling": "Handling",
    "space": "Space",
    "missort": "Missorts",
    "damage": "Damage",
    "failed_attempt": "Failed attempts",
    "late_parcel": "Late parcels",
    "late_hour": "Late hours",
}


def colour(row: int) -> str:
    return f"c{row % CATEGORIES}"


def flow(source: Source) -> Figure:
    """Parcels ordered and delivered by half hour."""
    ordered = _per_bin(source, "placed_s", "true")
    delivered = _per_bin(source, "final_s", "state = 'delivered'")
    bins = range(_last_bin(source) + 1)
    data = [
        _line(source, label, [(row * BIN_S, found.get(row, 0)) for row in bins], colour(shade))
        for shade, (label, found) in enumerate((("ordered", ordered), ("delivered", delivered)))
    ]
    return {"data": data, "layout": _over_time("parcels per half hour")}


def in_network(source: Source) -> Figure:
    """Parcels ordered and not yet final, at the end of each half hour."""
    came, went = _per_bin(source, "placed_s", "true"), _per_bin(source, "final_s", "final_s IS NOT NULL")
    level, points = 0, []
    for row in range(_last_bin(source) + 1):
        level += came.get(row, 0) - went.get(row, 0)
        points.append(((row + 1) * BIN_S, level))
    line = _line(source, "open parcels", points, colour(2))
    line |= {"fill": "tozeroy", "line": {**line["line"], "shape": "hv"}}
    return {"data": [line], "layout": {**_over_time("parcels"), "showlegend": False}}


def _per_bin(source: Source, column: str, where: str) -> dict[int, int]:
    found = source.rows(
        f"SELECT floor({column} / {BIN_S})::INT, count(*) FROM parcels WHERE {where} GROUP BY 1"
    )
    return {row: count for row, count in found if row is not None}


def _last_bin(source: Source) -> int:
    ((last,),) = source.rows("SELECT max(greatest(placed_s, coalesce(final_s, placed_s))) FROM parcels")
    return int((last or 0) // BIN_S)


def door_times(source: Source) -> Figure:
    """Histogram of click-to-door hours by service."""
    longest = source.rows(
        "SELECT max(final_s - placed_s) FROM parcels WHERE measured AND state = 'delivered'"
    )
    hours = max(1, int((longest[0][0] or 3600) // 3600) + 1)
    width = next(
        (w for w in (0.5, 1, 2, 3, 6, 12, 24) if hours / w <= HISTOGRAM_BINS), hours / HISTOGRAM_BINS
    )
    found = source.rows(
        f"""
        SELECT service, floor((final_s - placed_s) / {3600 * width}) AS bin, count(*) FROM parcels
        WHERE measured AND state = 'delivered' GROUP BY 1, 2 ORDER BY 1, 2
        """
    )
    data = [
        {
            "type": "bar",
            "name": service,
            "x": [(bin_ + 0.5) * width for each, bin_, _ in found if each == service],
            "y": [count for each, _, count in found if each == service],
            "width": width,
            "marker": {"color": colour(row)},
            "hovertemplate": "%{y} parcels around %{x} h",
        }
        for row, service in enumerate(source.services)
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.05,
        "xaxis": {"title": {"text": "hours from order to door"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "parcels"}, "rangemode": "tozero"},
    }
    return {"data": data, "layout": layout}


def lateness(source: Source) -> Figure:
    """Late parcels by the stage that made them late, and service."""
    found = source.rows(
        """
        SELECT late_stage, service, count(*) FROM parcels
        WHERE measured AND late_stage IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
        """
    )
    total: dict[str, int] = {}
    for stage, _, count in found:
        total[stage] = total.get(stage, 0) + count
    return _stacked(
        source.services,
        sorted(total, key=lambda stage: total[stage]),
        {(s, c): n for s, c, n in found},
        "parcels",
    )


def cost(source: Source, major: int) -> Figure:
    """Cost by kind of entry and service class."""
    found = source.rows(
        f"SELECT kind, service, sum(amount_minor) / {major} FROM ledger GROUP BY 1, 2 ORDER BY 1, 2"
    )
    total: dict[str, float] = {}
    for kind, _, amount in found:
        total[kind] = total.get(kind, 0.0) + amount
    order = sorted(total, key=lambda kind: total[kind])
    made = _stacked(
        [*source.services, ""], order, {(kind, service): n for kind, service, n in found}, source.currency
    )
    for trace in made["data"]:
        trace["y"] = [KINDS.get(kind, kind) for kind in trace["y"]]
        if trace["name"] == "":
            trace |= {"name": "unused capacity", "marker": {"color": "muted"}}
    return made


def queues(source: Source) -> Figure:
    """Mean queue by half hour of the stages with the longest."""
    longest = source.rows(
        f"""
        SELECT site, stage FROM sites WHERE stage IS NOT NULL
        GROUP BY 1, 2 HAVING max(queue_peak) > 0 ORDER BY max(queue_mean) DESC, 1, 2 LIMIT {QUEUES_SHOWN}
        """
    )
    data = []
    for row, (site, stage) in enumerate(longest):
        found = source.rows(
            f"SELECT from_s, round(queue_mean, 2) FROM sites "
            f"WHERE site = '{site}' AND stage = '{stage}' ORDER BY from_s"
        )
        data.append(_line(source, f"{site} {stage}", found, colour(row)))
    return {"data": data, "layout": _over_time("parcels waiting (mean)")}


def utilisation(source: Source) -> Figure:
    """Share of paid time worked, by stage at a site and by vehicles of a kind at a site."""
    data = []
    for row, (label, prefix) in enumerate((("Stages", "stage:"), ("Vehicles", "fleet:"))):
        scopes = source.scopes("utilisation_pct", prefix)
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": label,
                "y": [scope.replace("/", " ") for scope in scopes],
                "x": [round(source.kpi("utilisation_pct", prefix + scope) or 0.0, 1) for scope in scopes],
                "marker": {"color": colour(row)},
                "hovertemplate": "%{y}: %{x}%",
            }
        )
    layout = {
        "xaxis": {"title": {"text": "% of paid time"}, "rangemode": "tozero"},
        "yaxis": {"autorange": "reversed", "automargin": True, "type": "category"},
        "height": 90 + 20 * sum(len(trace["y"]) for trace in data),
    }
    return {"data": data, "layout": layout}


def headroom(source: Source) -> Figure:
    """Heat map of idle server time by stage and half hour; headroom in parcels and queue when pointed at."""
    stages = source.rows(
        f"""
        SELECT site, stage FROM sites WHERE stage IS NOT NULL GROUP BY 1, 2
        ORDER BY max(queue_mean) DESC, 1, 2 LIMIT {HEAT_ROWS}
        """
    )
    stages.sort()
    moments = [at for (at,) in source.rows("SELECT DISTINCT from_s FROM sites ORDER BY 1")]
    cells = {
        (site, stage, at): (idle, room, queue)
        for site, stage, at, idle, room, queue in source.rows(
            """
            SELECT site, stage, from_s,
                CASE WHEN server_s > 0 THEN round(100 * greatest(1 - busy_server_s / server_s, 0), 1) END,
                headroom, queue_peak
            FROM sites WHERE stage IS NOT NULL
            """
        )
    }
    grid = [[cells.get((*stage, at), (None, None, None)) for at in moments] for stage in stages]
    trace = {
        "type": "heatmap",
        "x": [source.clock(at) for at in moments],
        "y": [f"{site} {stage}" for site, stage in stages],
        "z": [[cell[0] for cell in row] for row in grid],
        "customdata": [[[cell[1], cell[2]] for cell in row] for row in grid],
        "hovertemplate": "%{y}, %{x}<br>%{z}% of server time idle<br>room for %{customdata[0]} more parcels"
        "<br>longest queue %{customdata[1]}<extra></extra>",
        "colorscale": "heat",
        "zmin": 0,
        "zmax": 100,
        "hoverongaps": False,
        "colorbar": {"title": {"text": "% idle", "side": "right"}, "thickness": 12},
    }
    layout = {
        "yaxis": {"autorange": "reversed", "automargin": True, "type": "category"},
        "xaxis": {"type": "date"},
        "height": 130 + 22 * len(stages),
    }
    return {"data": [trace], "layout": layout}


def _line(source: Source, name: str, points: list[tuple[Any, ...]], shade: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [source.clock(at) for at, _ in points],
        "y": [float(value) for _, value in points],
        "line": {"color": shade, "width": 2},
    }


def _over_time(unit: str) -> dict[str, Any]:
    return {
        "xaxis": {"type": "date"},
        "yaxis": {"title": {"text": unit}, "rangemode": "tozero"},
        "hovermode": "x unified",
        "showlegend": True,
    }


def _stacked(series: list[str], order: list[str], value: dict[tuple[str, str], float], unit: str) -> Figure:
    """Horizontal bars, one for each of `order` from the bottom up, stacked by series."""
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": each,
            "y": order,
            "x": [value.get((name, each), 0) for name in order],
            "marker": {"color": colour(row)},
            "hovertemplate": f"%{{y}}: %{{x:,.0f}} {unit}",
        }
        for row, each in enumerate(series)
    ]
    layout = {
        "barmode": "stack",
        "xaxis": {"title": {"text": unit}, "rangemode": "tozero"},
        "yaxis": {"automargin": True, "type": "category"},
    }
    return {"data": data, "layout": layout}


FLOOR_MAPS = {
    "traffic": "robots that drove into each cell",
    "waited": "steps that robots on their way waited",
}


def sorting_floors(source: Source) -> dict[str, Figure]:
    """Sorted parcels over time, and heat maps of the floors whose robots were simulated in full."""
    sorters = source.run.manifest.get("sorting", {})
    if not sorters:
        return {}
    found = {
        f"{name}-{site}": _floor_map(entry[name], title)
        for site, entry in sorters.items()
        for name, title in FLOOR_MAPS.items()
        if name in entry
    }
    return found | {"sorted": _finished(source, "sort", sorted(sorters))}


def storage_floors(source: Source) -> dict[str, Figure]:
    """Picked parcels over time, and of each storage what was handled where and how busy its stations were."""
    storages = source.run.manifest.get("storage", {})
    if not storages:
        return {}
    found = {"picked": _finished(source, "pick", sorted(storages))}
    for site, entry in storages.items():
        found[f"handled-{site}"] = _floor_map(entry["handled"], entry["handled_what"])
        busy = {
            key.removeprefix("utilisation_").removesuffix("_pct").replace("_", " "): value
            for key, value in entry["kpis"].items()
            if key.startswith("utilisation_")
        }
        value = {(name, "busy"): share for name, share in busy.items()}
        found[f"busy-{site}"] = _stacked(["busy"], list(reversed(busy)), value, "%")
    return found


def _finished(source: Source, stage: str, sites: list[str]) -> Figure:
    """Parcels that left a stage per half hour, a line for each site."""
    data = []
    for row, site in enumerate(sites):
        counts = source.rows(
            f"SELECT floor(finish_s / {BIN_S})::INT, count(*) FROM stages "
            "WHERE site = ? AND stage = ? AND finish_s IS NOT NULL GROUP BY 1 ORDER BY 1",
            site,
            stage,
        )
        by_bin = {int(bin_): count for bin_, count in counts}
        points = [(bin_ * BIN_S, by_bin.get(bin_, 0)) for bin_ in range(max(by_bin, default=-1) + 1)]
        data.append(_line(source, site, points, colour(row)))
    return {"data": data, "layout": _over_time("parcels per half hour")}


def _floor_map(cells: list[list[int | None]], title: str) -> Figure:
    trace = {
        "type": "heatmap",
        "z": cells,
        "colorscale": "heat",
        "reversescale": True,
        "hoverongaps": False,
        "hovertemplate": f"row %{{y}}, column %{{x}}: %{{z}} {title}<extra></extra>",
    }
    layout = {
        "xaxis": {"constrain": "domain"},
        "yaxis": {"autorange": "reversed", "scaleanchor": "x"},
    }
    return {"data": [trace], "layout": layout}
