"""A comparison as Markdown that can be committed: tables, machine, versions, the commands that made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from solvers.bench.comparison import SIZES, Comparison, Row, stop_text

COLUMNS = (
    "solver",
    "instances",
    "runs",
    "mean gap %",
    "ratio",
    "difference (points)",
    "integral %",
    "infeasible",
)


def percent(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"  # no "-0.000"


def cells(row: Row, baseline: str) -> list[str]:
    """A row's figures as texts, in the order of `COLUMNS`."""
    paired = "baseline" if row.solver == baseline else "–"
    if row.difference is not None:
        d = row.difference
        bounds = "" if d.low is None or d.high is None else f" [{d.low:+.3f}, {d.high:+.3f}]"
        paired = f"{d.mean:+.3f}{bounds}{' *' if d.significant else ''}"
    return [
        row.solver,
        str(row.instances),
        str(row.runs),
        percent(row.mean_gap_pct),
        percent(row.ratio_to_baseline),
        paired,
        percent(row.integral),
        "; ".join(
            [
                str(row.infeasible),
                *([f"{row.errors} failed"] if row.errors else []),
                *([f"{row.extra_routes:+} routes"] if row.extra_routes is not None else []),
            ]
        ),
    ]


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def markdown(found: Comparison, sessions: Sequence[Mapping[str, Any]], title: str, command: str) -> str:
    """The whole document; `command` is the one that made it."""
    stops = sorted({stop_text(record) for record in found.runs.values()})
    seeds = sorted({case[2] for _, case in found.runs})
    parts = [
        f"# {title}",
        f"Stop per run: {'; '.join(stops)}. Seeds {', '.join(map(str, seeds))}. Baseline: {found.baseline}.",
        "Gap: 100 × (cost / best-known − 1), mean over seeds, then over instances. Ratio: mean gap over the "
        "baseline's, on the runs that both have. Difference: of the gaps to the baseline's, paired by instance "
        f"and seed, {found.level:.0%} bootstrap interval over instances and seeds, * where it excludes 0. "
        "Integral: mean primal gap over the run. Every solution passed the independent checker, except those "
        "counted as infeasible. Where vehicles come first, runs with more routes than best-known have no gap, "
        "and their surplus is beside the infeasible ones.",
    ]
    if any(record.longest is not None for record in found.runs.values()):
        parts.append("Where the longest route comes first, gaps are of its duration, not of the cost.")
    for name in found.sets():
        cases = found.cases(name)
        parts += [f"## {name}", table(COLUMNS, [cells(r, found.baseline) for r in found.rows(cases)])]
        classes = by_size(found, name)
        if len(classes) > 1:
            for label, rows in classes:
                parts += [
                    f"### {name}, {label} visits",
                    table(COLUMNS, [cells(r, found.baseline) for r in rows]),
                ]
    parts += ["## Gap per instance (%)", per_instance(found)]
    if found.guessed:
        parts.append("† no best-known value: the best of these runs stands in.")
    if (note := starvation(found)) is not None:
        parts.append(f"**{note}**")
    parts += ["## Made with", f"```sh\n{commands(sessions, command)}\n```", machines(sessions)]
    return "\n\n".join(parts) + "\n"


def starvation(found: Comparison) -> str | None:
    """A warning where runs did not have their core to themselves."""
    starved = sum(record.starved for record in found.runs.values())
    if not starved:
        return None
    return f"{starved} of {len(found.runs)} runs had less than nine tenths of a core: repeat them on a quiet one."


def by_size(found: Comparison, set_name: str) -> list[tuple[str, list[Row]]]:
    """The rows of each size class that has instances."""
    classes, least = [], 0
    for most, label in SIZES:
        cases = found.cases(set_name, least, most)
        least = most
        if cases:
            classes.append((label, found.rows(cases)))
    return classes


def per_instance(found: Comparison) -> str:
    """Mean gap over seeds and mean number of routes of every solver on every instance.

    Where vehicles come first, solutions with more of them than best-known show their mean cost.
    """
    rows = []
    names = sorted({case[:2] for _, case in found.runs})
    for name in names:
        row = [name[0], name[1] + (" †" if name in found.guessed else "")]
        reference = found.reference.get(name)
        row.append("–" if reference is None else f"{reference:,.0f}" + _best_known_routes(found, name))
        seeds = [case for case in found.cases(name[0]) if case[:2] == name]
        for solver in found.solvers:
            gaps = [g for case in seeds if (g := found.gap(solver, case)) is not None]
            records = [r for case in seeds if (r := found.runs.get((solver, case))) is not None]
            routes = [r.routes for r in records if r.routes is not None]
            costs = [r.cost for r in records if r.feasible and r.vehicles_first and r.cost is not None]
            text = "infeasible" if records else "–"
            if gaps:
                text = percent(fmean(gaps))
            elif costs:
                text = f"cost {fmean(costs):,.0f}"
            row.append(text + (f" ({round(fmean(routes), 1):g})" if routes and (gaps or costs) else ""))
        rows.append(row)
    return table(("set", "instance", "reference", *(f"{s} (routes)" for s in found.solvers)), rows)


def _best_known_routes(found: Comparison, name: tuple[str, str]) -> str:
    """How many routes the best-known solution of an instance has, in brackets, where vehicles come first."""
    for (_, case), record in found.runs.items():
        if case[:2] == name and record.vehicles_first and record.best_known_routes is not None:
            return f" ({record.best_known_routes})"
    return ""


def commands(sessions: Sequence[Mapping[str, Any]], last: str) -> str:
    """The commands that made the records, and the one that compares them; those that went on are told once."""
    return "\n".join(dict.fromkeys([*(s["command"] for s in sessions if s.get("command")), last]))


def machines(sessions: Sequence[Mapping[str, Any]]) -> str:
    """Machine and versions, once for each combination that ran."""
    seen: dict[str, None] = {}
    for s in sessions:
        versions = ", ".join(f"{name} {number}" for name, number in s.get("versions", {}).items())
        seen[
            f"- {s.get('processor')}, {s.get('cpus')} cores used, {s.get('memory_gb')} GB, {s.get('system')}, "
            f"Python {s.get('python')}; {versions}; commit {s.get('commit') or 'unknown'}"
        ] = None
    return "\n".join(seen) or "- machine unknown"
