"""`python -m sim.sorting`: fit the day-long curve, measure its error, run days, check theory, draw the floor."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from logistics.sorting import SortingSection
from sim.arguments import Parser, above_zero, leave, whole
from sim.random_streams import Streams
from sim.sorting import theory, views
from sim.sorting.belt import CrossBelt
from sim.sorting.parcels import (
    HOUR_S,
    Day,
    SortParcels,
    allot_chutes,
    drawn_destinations,
    steady_arrivals,
)
from sim.sorting.robot_floor import RobotSorter
from sim.sorting.surrogate import (
    CHECK_SHARES,
    P95,
    CurveSorter,
    ErrorRow,
    LoadCurve,
    fit,
    measure_day,
    measure_error,
)
from sim.validate import write_checks
from solvers.errors import LogisticsError

DESTINATIONS, SKEW = 90, 0.5
BAR_PCT = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Tables in Markdown on stdout. Exit code 1: bad input, a check missed, or an error beyond 5 %."""
    parser = Parser(prog="python -m sim.sorting", description=__doc__)
    parser.add_argument(
        "--scenario", type=Path, help="take the sorter of a site of this scenario, not the default"
    )
    parser.add_argument("--site", help="that site; the first that sorts by robots or belt where absent")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="e.g. robots.robots=150"
    )
    parser.add_argument("--seed", type=whole(0), default=1)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("fit", "sample windows, print the curve"),
        ("validate", "its error at loads not fitted"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument(
            "--window", type=above_zero, default=1800.0, help="seconds of each window that is fitted"
        )
        command.add_argument("--replications", type=whole(1), default=1, help="windows of each load")
        if name == "validate":
            command.add_argument(
                "--check-window", type=above_zero, default=7200.0, help="seconds of full simulation"
            )
            command.add_argument(
                "--shares",
                type=above_zero,
                nargs="+",
                default=CHECK_SHARES,
                help="loads, of the highest rate",
            )
            command.add_argument(
                "--days",
                type=whole(2),
                nargs="+",
                metavar="PARCELS",
                help="check whole days of so many instead",
            )
            command.add_argument(
                "--floors", type=whole(1), default=1, help="full simulations of each day, their luck apart"
            )
    day = commands.add_parser("day", help="a made-up day of many parcels")
    day.add_argument("--parcels", type=whole(1), default=200_000)
    day.add_argument("--full-robots", action="store_true", help="simulate every robot's every step")
    day.add_argument("--kind", choices=("robots", "cross_belt"), default="robots")
    hours = commands.add_parser("draw", help="an hour of full simulation as a page with charts and replay")
    hours.add_argument("page", type=Path)
    hours.add_argument("--load", type=above_zero, default=9000.0, help="parcels an hour")
    hours.add_argument("--hours", type=above_zero, default=1.0)
    commands.add_parser("theory", help="compare with closed forms")
    options = parser.parse_args(arguments)
    sys.stdout.write(
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, numpy {np.__version__}; seed {options.seed}\n\n"
    )
    try:
        section = _section(options)
        if options.command == "theory":
            return 0 if write_checks(theory.checks(options.seed)) else 1
        if options.command == "day":
            return _day(section, options.parcels, options.full_robots, options.seed)
        if options.command == "draw":
            return _draw(section, options.page, options.load, options.hours, options.seed)
        return _curve(section, options)
    except (LogisticsError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _section(options: argparse.Namespace) -> SortingSection:
    if options.scenario is not None:
        from logistics.validate import load_scenario

        sites = [s for s in load_scenario(options.scenario).sites if s.sorting is not None]
        sites = [s for s in sites if options.site in (None, s.id)]
        if not sites or sites[0].sorting is None:
            raise ValueError(f"{options.scenario}: no such site with [sites.sorting]")
        section = sites[0].sorting
    else:
        section = SortingSection(kind=getattr(options, "kind", "robots"))
    document = section.model_dump()
    for text in options.set:
        key, _, value = text.partition("=")
        table, _, field = key.rpartition(".")
        if field not in document.get(table, document if not table else {}):
            raise ValueError(f"--set {text}: [sites.sorting] has no {key}")
        (document[table] if table else document)[field] = value
    try:
        return SortingSection.model_validate(document)
    except ValidationError as error:
        listed = [f"--set {'.'.join(map(str, e['loc']))}={e['input']}: {e['msg']}" for e in error.errors()]
        raise ValueError("\n".join(listed)) from None


def _weights() -> list[float]:
    return [rank**-SKEW for rank in range(1, DESTINATIONS + 1)]


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _curve(section: SortingSection, options: argparse.Namespace) -> int:
    begun = time.perf_counter()
    curve = fit(
        section,
        _weights(),
        options.window,
        replications=options.replications,
        progress=_tell,
    )
    write = sys.stdout.write
    write(f"fitted in {time.perf_counter() - begun:.1f} s; at most {curve.capacity_per_h:.0f} parcels/h\n\n")
    write("| load, parcels/h | sorted, parcels/h | p50, s | p95, s |\n|---|---|---|---|\n")
    for load in curve.loads.tolist():
        row = curve.quantiles_at(np.array([load]))[0]
        write(f"| {load:.0f} | {curve.throughput_at(load):.0f} | {row[5]:.1f} | {row[P95]:.1f} |\n")
    if options.command == "fit":
        return 0
    write(
        "\n| load, parcels/h | full, parcels/h | curve, parcels/h | error | full p95, s | curve p95, s | error |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    worst = 0.0
    for row in _checked(section, curve, options):
        worst = max(worst, abs(row.throughput_error_pct), abs(row.p95_error_pct))
        spread = f" ± {row.half_width_s:.1f}" if row.half_width_s else ""
        write(
            f"| {row.load_per_h:.0f} | {row.full_per_h:.0f} | {row.curve_per_h:.0f} | "
            f"{row.throughput_error_pct:+.2f} % | {row.full_p95_s:.1f}{spread} | {row.curve_p95_s:.1f} | "
            f"{row.p95_error_pct:+.2f} % |\n"
        )
    write(f"\nworst error {worst:.2f} %, bar {BAR_PCT:.0f} %\n")
    return 1 if worst > BAR_PCT else 0


def _checked(section: SortingSection, curve: LoadCurve, options: argparse.Namespace) -> Iterator[ErrorRow]:
    """Windows at loads that are not fitted, or whole days."""
    if options.days is None:
        for share in options.shares:
            streams = Streams(options.seed + 1000)
            yield measure_error(section, _weights(), curve, share, options.check_window, streams)
        return
    for parcels in options.days:
        day = Day.of(parcels, DESTINATIONS, SKEW, Streams(options.seed))
        yield measure_day(section, curve, day, partial(Streams, options.seed), options.floors)


def _day(section: SortingSection, parcels: int, full: bool, seed: int) -> int:
    streams = Streams(seed)
    made = Day.of(parcels, DESTINATIONS, SKEW, streams)
    arrive_s, destination = made.arrive_s, made.destination
    robots = section.robots
    number = (
        robots.chute_rows * robots.chute_columns if section.kind == "robots" else section.cross_belt.chutes
    )
    chutes = allot_chutes(np.bincount(destination, minlength=DESTINATIONS), number)
    many = SortParcels.of(destination)
    begun, worked = time.perf_counter(), time.process_time()
    curve: LoadCurve | None = None
    if section.kind == "robots" and not (full or section.full):
        curve = fit(section, _weights())
        sorter: CurveSorter | RobotSorter | CrossBelt = CurveSorter(section, many, curve, streams)
    elif section.kind == "robots":
        sorter = RobotSorter(section, many, chutes, streams)
    else:
        sorter = CrossBelt(section, many, chutes, streams)
    fitted_s = time.perf_counter() - begun
    sorter.submit(np.arange(parcels), arrive_s)
    result = sorter.run()
    took, worked = time.perf_counter() - begun, time.process_time() - worked
    sys.stdout.write("| figure | value |\n|---|---|\n")
    figures = {"wall_s": took, "of_which_fitting_s": fitted_s if curve else 0.0, "processor_s": worked}
    for name, value in (figures | result.kpis()).items():
        sys.stdout.write(f"| {name} | {value:.2f} |\n")
    return 0


def _draw(section: SortingSection, page: Path, load: float, hours: float, seed: int) -> int:
    streams = Streams(seed)
    arrive_s = steady_arrivals(load, hours, streams)
    destination = drawn_destinations(len(arrive_s), DESTINATIONS, SKEW, streams)
    number = section.robots.chute_rows * section.robots.chute_columns
    chutes = allot_chutes(np.bincount(destination, minlength=DESTINATIONS), number)
    floor = RobotSorter(section, SortParcels.of(destination), chutes, streams, keep_actions=True)
    floor.submit(np.arange(len(arrive_s)), arrive_s)
    floor.advance(hours * HOUR_S)
    views.write_page(floor, page)
    sys.stdout.write(f"wrote {page}\n")
    return 0


if __name__ == "__main__":
    leave(main)
