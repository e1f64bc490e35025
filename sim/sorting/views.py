"""A floor to look at: heat maps of traffic and waiting, throughput over time, and a replay; one page, offline."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotly.offline import get_plotlyjs

from sim.sorting.parcels import HOUR_S
from sim.sorting.result import SortingResult, blanked
from sim.sorting.robot_floor import RobotSorter

Figure = dict[str, Any]
BIN_S = 300.0
REPLAYED_STEPS = 1200


def heat_map(values: NDArray[np.int64], free: NDArray[np.bool_], name: str) -> Figure:
    """A floor by cells, blank where nothing can drive."""
    trace = {
        "type": "heatmap",
        "z": blanked(values, free),
        "colorscale": "YlOrRd",
        "reversescale": True,  # much is dark
        "hoverongaps": False,
        "colorbar": {"title": {"text": name}},
        "hovertemplate": f"row %{{y}}, column %{{x}}: %{{z}} {name}<extra></extra>",
    }
    axis = {"showgrid": False, "zeroline": False}
    layout = {
        "xaxis": {**axis, "constrain": "domain"},
        "yaxis": {**axis, "autorange": "reversed", "scaleanchor": "x"},
        "margin": {"l": 40, "r": 10, "t": 10, "b": 30},
    }
    return {"data": [trace], "layout": layout}


def over_time(result: SortingResult) -> Figure:
    """Parcels an hour that came and that were sorted, by five minutes."""
    edges = np.arange(0.0, result.end_s + BIN_S, BIN_S)
    data = []
    for name, moments in (("came", result.times.arrive_s), ("sorted", result.times.sorted_s)):
        known = moments[~np.isnan(moments)]
        counts = np.histogram(known[known <= result.end_s], edges)[0] * HOUR_S / BIN_S
        minutes = (edges[:-1] / 60.0).tolist()
        data.append({"type": "scatter", "mode": "lines", "name": name, "x": minutes, "y": counts.tolist()})
    layout = {
        "xaxis": {"title": {"text": "minutes"}},
        "yaxis": {"title": {"text": "parcels an hour"}, "rangemode": "tozero"},
        "margin": {"l": 60, "r": 10, "t": 10, "b": 40},
    }
    return {"data": data, "layout": layout}


def utilisation(result: SortingResult) -> Figure:
    """What robots did with their time."""
    shares = {k: v for k, v in result.figures.items() if k.startswith("robots_") and k.endswith("_pct")}
    names = [key.removeprefix("robots_").removesuffix("_pct").replace("_", " ") for key in shares]
    bar = {"type": "bar", "orientation": "h", "y": names, "x": list(shares.values())}
    layout = {
        "xaxis": {"title": {"text": "% of robot time"}},
        "yaxis": {"autorange": "reversed"},
        "margin": {"l": 150, "r": 10, "t": 10, "b": 40},
    }
    return {"data": [bar], "layout": layout}


def positions(floor: RobotSorter, steps: int = REPLAYED_STEPS) -> NDArray[np.int32]:
    """int32 (steps + 1, robots), where robots stood during the last steps, from the trace of their actions.

    Raises `ValueError` for a floor that kept no actions.
    """
    if floor.actions is None:
        raise ValueError("the floor kept no actions; build it with keep_actions=True")
    move = np.array([1, floor.layout.grid.width, -1, -floor.layout.grid.width], np.int32)
    at, heading = floor.starts.astype(np.int32).copy(), np.zeros(len(floor.starts), np.int64)
    kept = [at.copy()]
    for done in floor.actions:
        at = at + np.where(done == 0, move[heading], 0).astype(np.int32)
        heading = (heading + (done == 1) - (done == 2)) % 4
        kept.append(at)
    return np.array(kept[-steps - 1 :])


def write_page(floor: RobotSorter, path: Path) -> None:
    """Write the page of a floor that has worked; it needs no network."""
    result, grid = floor.result(), floor.layout.grid
    free = grid.free.reshape(grid.height, grid.width)
    assert result.traffic is not None
    assert result.waited is not None
    figures = {
        "traffic": heat_map(result.traffic, free, "robots"),
        "waiting": heat_map(result.waited, free, "steps waited"),
        "throughput": over_time(result),
        "utilisation": utilisation(result),
    }
    track = positions(floor)
    replay = {
        "width": grid.width,
        "height": grid.height,
        "free": grid.free.astype(int).tolist(),
        "chutes": floor.layout.chutes.tolist(),
        "step_s": floor.dt,
        "from_s": floor.now_s - (len(track) - 1) * floor.dt,
        "steps": track.tolist(),
    }
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{value:,.2f}</td></tr>" for name, value in result.kpis().items()
    )
    notes = "".join(
        f"<tr><td>{note.at_s:,.1f}</td><td>{escape(note.what)}</td><td>{note.who}</td><td>{escape(note.detail)}</td></tr>"
        for note in result.trace[:200]
    )
    template = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    page = template.substitute(
        figures=json.dumps(figures, separators=(",", ":")).replace("<", "\\u003c"),
        replay=json.dumps(replay, separators=(",", ":")),
        rows=rows,
        notes=notes,
        plotly=get_plotlyjs().replace("</script", "<\\/script"),
    )
    path.write_text(page, encoding="utf-8")
