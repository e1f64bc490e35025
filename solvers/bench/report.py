"""A comparison as files: compare.md, report.html (offline) and, where matplotlib is there, PNG charts."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solvers.bench.comparison import ALL, Comparison
from solvers.bench.markdown import COLUMNS, cells, commands, machines, markdown
from solvers.bench.stats import gaps_over_time, performance_profile
from solvers.travel import FloatArray

# Okabe and Ito's palette, told apart by colour-blind readers too
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True)
class Chart:
    """Lines of one chart: solver -> y at each x."""

    name: str
    title: str
    x_title: str
    y_title: str
    x: FloatArray
    lines: dict[str, FloatArray]
    log_x: bool = False
    steps: bool = False


def charts(found: Comparison) -> list[Chart]:
    """For each set an anytime curve, and a performance profile over all runs."""
    made = []
    for name in found.sets():
        chart = _anytime(found, name)
        if chart is not None:
            made.append(chart)
    costs: dict[str, dict[tuple[str, ...], float]] = {s: {} for s in found.solvers}
    for (solver, (set_name, instance, seed)), record in found.runs.items():
        if record.comparable and record.measure is not None:
            costs[solver][set_name, instance, str(seed)] = float(record.measure)
    excess = np.concatenate([[0.0], np.geomspace(0.01, 20.0, 120)])
    if any(costs.values()):
        made.append(
            Chart(
                "profile",
                "Performance profile: share of runs within a distance of the best of these solvers",
                "excess over the best, %",
                "share of runs",
                excess,
                performance_profile(costs, excess),
                steps=True,
            )
        )
    return made


def _anytime(found: Comparison, set_name: str) -> Chart | None:
    """Mean gap over time, from when every run of the solver has a solution."""
    cases = found.cases(set_name)
    limits = [r.stop.get("time_limit_s") or r.wall_s or 0.0 for (_, c), r in found.runs.items() if c in cases]
    horizon = max(limits, default=0.0)
    if horizon <= 0:
        return None
    times = np.geomspace(min(0.05, horizon / 100), horizon, 120)
    lines = {}
    for solver in found.solvers:
        curves = [
            gaps_over_time(r.history, found.reference[c[:2]], times)
            for c in cases
            if (r := found.runs.get((solver, c))) is not None and r.comparable and r.history_measured
        ]
        if curves:
            lines[solver] = np.mean(curves, axis=0)  # NaN until the last of them has a solution
    title = f"{set_name}: mean gap over time"
    return (
        Chart(f"anytime-{set_name}", title, "seconds", "mean gap, %", times, lines, log_x=True)
        if lines
        else None
    )


def write_report(
    found: Comparison, sessions: Sequence[Mapping[str, Any]], out: Path, title: str, command: str
) -> list[Path]:
    """Write all files to `out` and name them; PNG charts need the `charts` extra."""
    out.mkdir(parents=True, exist_ok=True)
    drawn = charts(found)
    text = markdown(found, sessions, title, command)
    written = [out / "compare.md", out / "report.html"]
    images = _draw(drawn, out)
    if images:
        text += (
            "\n" + "\n\n".join(f"![{c.title}]({p.name})" for c, p in zip(drawn, images, strict=True)) + "\n"
        )
    written[0].write_text(text, encoding="utf-8")
    written[1].write_text(_page(found, sessions, drawn, title, command), encoding="utf-8")
    return written + images


def _draw(drawn: Sequence[Chart], out: Path) -> list[Path]:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        return []
    styles = ("-", "--", ":", "-.")
    paths = []
    for chart in drawn:
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.add_subplot()
        for i, (solver, values) in enumerate(chart.lines.items()):
            axes.plot(
                chart.x,
                values,
                label=solver,
                color=COLOURS[i % len(COLOURS)],
                linestyle=styles[i // len(COLOURS) % len(styles)],
                drawstyle="steps-post" if chart.steps else "default",
            )
        if chart.log_x:
            axes.set_xscale("log")
        if chart.steps:
            axes.set_xscale("symlog", linthresh=0.1)
            axes.set_ylim(0, 1.02)
        axes.set(title=chart.title, xlabel=chart.x_title, ylabel=chart.y_title)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        path = out / f"{chart.name}.png"
        figure.savefig(path, dpi=120, metadata={"Software": None})
        paths.append(path)
    return paths


def _page(
    found: Comparison, sessions: Sequence[Mapping[str, Any]], drawn: Sequence[Chart], title: str, command: str
) -> str:
    from plotly.graph_objects import Figure, Scatter

    sections = []
    for name in found.sets() if len(found.sets()) == 1 else [ALL, *found.sets()]:
        rows = [cells(row, found.baseline) for row in found.rows(found.cases(name))]
        head = "".join(f"<th>{html.escape(c)}</th>" for c in COLUMNS)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in rows)
        label = "all sets" if name == ALL else name
        sections.append(f"<h2>{html.escape(label)}</h2><table><tr>{head}</tr>{body}</table>")
    for number, chart in enumerate(drawn):
        figure = Figure()
        for i, (solver, values) in enumerate(chart.lines.items()):
            line = {
                "color": COLOURS[i % len(COLOURS)],
                "dash": DASHES[i // len(COLOURS) % len(DASHES)],
                "shape": "hv" if chart.steps else "linear",
            }
            shown = [None if np.isnan(v) else float(v) for v in values]
            figure.add_trace(Scatter(x=chart.x.tolist(), y=shown, name=solver, mode="lines", line=line))
        figure.update_layout(title=chart.title, template="plotly_white", height=460)
        figure.update_xaxes(title=chart.x_title, type="log" if chart.log_x else "linear")
        figure.update_yaxes(title=chart.y_title, rangemode="tozero")
        sections.append(
            figure.to_html(full_html=False, include_plotlyjs=number == 0, div_id=f"chart-{chart.name}")
        )
    made = html.escape(f"{commands(sessions, command)}\n\n{machines(sessions)}")
    style = (
        "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.3rem .6rem;"
        "text-align:right}td:first-child,th:first-child{text-align:left}pre{white-space:pre-wrap}"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{style}</style><h1>{html.escape(title)}</h1>{''.join(sections)}<h2>Made with</h2>"
        f"<pre>{made}</pre></html>\n"
    )
