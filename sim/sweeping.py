"""Parameter sweeps: every combination of a grid, each on the same random numbers, kept as they are done.

A sweep's folder holds `runs.jsonl`, one line per replication as soon as it ends, and `cells.csv`, one row per
combination. A replication that is already there with the same inputs, seed and versions is not run again, so an
interrupted sweep goes on where it stopped and a grid can grow.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logistics.checks.findings import meant
from logistics.scenario import Scenario
from logistics.validate import load_scenario
from sim.comparing import figures_of
from sim.experiment import Comparison, Replications, compare, finite, spread
from sim.run import scenario_hash, versions
from sim.stats import Interval
from solvers.errors import Fault, InvalidInputError

RUNS, CELLS = "runs.jsonl", "cells.csv"
MAIN_FIGURES = ("on_time_pct", "delivered_pct", "cost_total", "cost_per_parcel", "km", "unassigned")
LARGEST = 10_000  # combinations; more is surely a mistake

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination: the values of the grid's keys as written, and the scenario that has them."""

    values: Mapping[str, str]
    scenario: Scenario

    @property
    def name(self) -> str:
        return _named(self.values)


@dataclass(frozen=True, slots=True)
class CellResult:
    """A combination's key figures over the replications, and their differences from the first combination."""

    values: Mapping[str, str]
    figures: Mapping[str, Interval]
    differences: Mapping[str, Comparison]

    @property
    def name(self) -> str:
        return _named(self.values)

    def shown(self, figure: str) -> str:
        """A key figure as "mean ± half-width", with a star where it surely differs from the first combination."""
        interval = self.figures.get(figure)
        if interval is None:
            return ""
        differs = figure in self.differences and self.differences[figure].significant
        width = finite(interval.half_width)
        spread_text = "" if width is None else f" ± {width:,.2f}"
        return f"{interval.mean:,.2f}{spread_text}{' *' if differs else ''}"

    def as_dict(self) -> dict[str, Any]:
        """JSON values; what is not finite (an interval over one replication) is null."""
        kpis = {}
        for name, interval in self.figures.items():
            kpis[name] = {"mean": interval.mean, "half_width": finite(interval.half_width)}
            if name in self.differences:
                row = self.differences[name]
                kpis[name] |= {
                    "difference": row.difference.mean,
                    "difference_half_width": finite(row.difference.half_width),
                    "significant": row.significant,
                }
        return {"set": dict(self.values), "kpis": kpis}


@dataclass(frozen=True, slots=True)
class Requirement:
    """A bound that a key figure's mean must keep."""

    figure: str
    at_least: bool
    bound: float

    def holds(self, cell: CellResult) -> bool:
        """Whether the combination keeps it; one without the figure does not."""
        if self.figure not in cell.figures:
            return False
        mean = cell.figures[self.figure].mean
        return mean >= self.bound if self.at_least else mean <= self.bound


@dataclass(frozen=True, slots=True)
class _Task:
    cell: int
    replication: int
    seed: int
    scenario: Scenario


def check_figures(results: Sequence[CellResult], names: Sequence[str]) -> None:
    """Raise `InvalidInputError` for every name that is no key figure of any combination."""
    known = sorted({name for cell in results for name in cell.figures})
    faults = [
        Fault(
            "--require, --kpi", "", name, "unknown-figure", "no key figure has this name", meant(name, known)
        )
        for name in dict.fromkeys(names)
        if name not in known
    ]
    if faults:
        raise InvalidInputError(faults)


def parse_grid(pairs: Sequence[str]) -> dict[str, list[str]]:
    """Values by key from "KEY=v1,v2" texts. Commas inside brackets, braces and quotes belong to a value.

    Raises `InvalidInputError` for a text without values or a key given twice.
    """
    grid: dict[str, list[str]] = {}
    faults = []
    for pair in pairs:
        key, _, text = pair.partition("=")
        values = _split(text)
        if not key.strip() or not all(values):
            faults.append(
                _fault("--grid", pair, "bad-grid", "not KEY=v1,v2", "write e.g. fleet_scale=0.8,1,1.2")
            )
        elif key.strip() in grid:
            faults.append(
                _fault("--grid", pair, "bad-grid", "the key is given twice", "put all values in one")
            )
        elif len(set(values)) < len(values):
            faults.append(
                _fault("--grid", pair, "bad-grid", "a value is given twice", "give each value once")
            )
        else:
            grid[key.strip()] = values
    size = 1
    for values in grid.values():
        size *= len(values)
    if size > LARGEST:
        message = f"{size:,} combinations; at most {LARGEST:,} are run"
        faults.append(_fault("--grid", "", "grid-too-large", message, "give fewer values"))
    if faults:
        raise InvalidInputError(faults)
    return grid


def parse_requirements(texts: Sequence[str]) -> list[Requirement]:
    """Bounds from texts such as "on_time_pct>=98"; raises `InvalidInputError` for anything else."""
    found, faults = [], []
    for text in texts:
        sign = next((sign for sign in (">=", "<=") if sign in text), "")
        figure, _, bound = text.partition(sign) if sign else (text, "", "")
        try:
            found.append(Requirement(figure.strip(), sign == ">=", float(bound)))
        except ValueError:
            faults.append(
                _fault("--require", text, "bad-requirement", "not a bound", "write e.g. on_time_pct>=98")
            )
    if faults:
        raise InvalidInputError(faults)
    return found


def build_cells(
    path: Path | str, grid: Mapping[str, Sequence[str]], changes: Mapping[str, str]
) -> list[Cell]:
    """The scenario with every combination of the grid's values, the last key changing fastest.

    All are loaded and checked before anything runs: raises `InvalidInputError` with the faults of all of them.
    """
    cells: list[Cell] = []
    faults: dict[Fault, None] = {}
    for combination in itertools.product(*grid.values()):
        values = dict(zip(grid, combination, strict=True))
        try:
            cells.append(Cell(values, load_scenario(path, {**changes, **values})))
        except InvalidInputError as error:
            faults |= dict.fromkeys(error.faults)
    if faults:
        raise InvalidInputError(list(faults))
    return cells


def run_sweep(
    cells: Sequence[Cell],
    seed: int,
    replications: int,
    jobs: int,
    folder: Path,
    level: float = 0.95,
    on_known: Callable[[], None] | None = None,
    on_done: Callable[[str, int], None] | None = None,
) -> list[CellResult]:
    """Run what the folder lacks, over at most `jobs` processes; returns a result for each combination.

    `on_known` is called for each replication that the folder has, `on_done` for each that ends. Ctrl-C
    leaves the finished ones in the folder. Raises `InvalidInputError` where the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = _read_runs(folder / RUNS)
        log = (folder / RUNS).open("a", encoding="utf-8")
    except OSError as error:
        message = f"cannot write there: {error.strerror}"
        repair = "name a folder that can be written"
        raise InvalidInputError(
            [Fault(str(folder), "--out", "", "unwritable-folder", message, repair)]
        ) from None
    used = json.dumps(versions(), sort_keys=True)
    hashes = [scenario_hash(cell.scenario) for cell in cells]
    figures: dict[tuple[int, int], Figures] = {}
    tasks = []
    for (number, cell), replication in itertools.product(enumerate(cells), range(replications)):
        done = known.get((hashes[number], seed, replication, used))
        if done is None:
            tasks.append(_Task(number, replication, seed, cell.scenario))
        else:
            figures[number, replication] = done
            if on_known is not None:
                on_known()
    with log:
        for task, found in spread(_run, tasks, jobs):
            figures[task.cell, task.replication] = found
            line = {
                "set": dict(cells[task.cell].values),
                "scenario_hash": hashes[task.cell],
                "seed": seed,
                "replication": task.replication,
                "versions": used,
                "kpis": found,
            }
            log.write(json.dumps(line, ensure_ascii=False) + "\n")
            log.flush()
            if on_done is not None:
                on_done(cells[task.cell].name, task.replication)
    runs = [Replications.of([figures[n, r] for r in range(replications)]) for n in range(len(cells))]
    results = [
        CellResult(
            cell.values,
            run.intervals(level),
            {} if n == 0 else {row.figure: row for row in compare(runs[0], run, level)},
        )
        for n, (cell, run) in enumerate(zip(cells, runs, strict=True))
    ]
    _write_cells(folder / CELLS, results)
    return results


def cheapest(results: Sequence[CellResult], requirements: Sequence[Requirement]) -> CellResult | None:
    """The combination of least mean total cost among those that keep every requirement."""
    fit = [cell for cell in results if all(each.holds(cell) for each in requirements)]
    return min(fit, key=lambda cell: cell.figures["cost_total"].mean, default=None)


def _named(values: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in values.items())


def _run(task: _Task) -> Figures:
    return figures_of(task.scenario, task.seed, task.replication)


def _read_runs(path: Path) -> dict[tuple[str, int, int, str], Figures]:
    """Finished replications by inputs, seed, number and versions; a line cut short by a crash is passed over."""
    runs: dict[tuple[str, int, int, str], Figures] = {}
    if not path.exists():
        return runs
    text = path.read_text(encoding="utf-8")
    for line in text.splitlines():
        try:
            row = json.loads(line)
            runs[row["scenario_hash"], row["seed"], row["replication"], row["versions"]] = row["kpis"]
        except (ValueError, KeyError, TypeError):
            continue
    if text and not text.endswith("\n"):
        path.write_text(text + "\n", encoding="utf-8")  # so that the next line starts a line
    return runs


def _write_cells(path: Path, results: Sequence[CellResult]) -> None:
    keys = list(results[0].values)
    names = list(dict.fromkeys(name for cell in results for name in cell.figures))
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*keys, *(column for name in names for column in (name, f"{name} ±"))])
        for cell in results:
            row: list[Any] = [cell.values[key] for key in keys]
            for name in names:
                interval = cell.figures.get(name)
                row += ["", ""] if interval is None else [interval.mean, finite(interval.half_width)]
            writer.writerow(row)
    partial.replace(path)


def _split(text: str) -> list[str]:
    """`text` cut at the commas that are in no bracket, brace or quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += letter
    return [part.strip() for part in parts]


def _fault(place: str, value: str, code: str, message: str, repair: str) -> Fault:
    return Fault("command line", place, value, code, message, repair)
