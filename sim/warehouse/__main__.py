"""`python -m sim.warehouse`: compare systems or slotting on real orders, run a made-up day, check theory."""

from __future__ import annotations

import datetime
import os
import platform
import sys
import time
from pathlib import Path

import numpy as np

from logistics.sections import Shift
from logistics.sorting import SortingSection
from logistics.storage import (
    GoodsToPersonSection,
    PackingSection,
    PickerToPartsSection,
    ReplenishmentSection,
)
from sim.arguments import Parser, leave, whole
from sim.random_streams import Streams
from sim.sorting.parcels import SortParcels, drawn_destinations
from sim.sorting.surrogate import CurveSorter, fitted
from sim.validate import write_checks
from sim.warehouse import theory
from sim.warehouse.comparing import Pair, Setting, compare_variants, slottings, systems
from sim.warehouse.goods_to_person import RobotWarehouse
from sim.warehouse.inbound import Inbound
from sim.warehouse.orders import DAY_S, FloatArray, OrderLines, orders_from_file, synthetic_orders
from sim.warehouse.picker_to_parts import PickerFloor, block_of
from sim.warehouse.slotting import fill_pods, slot
from sim.warehouse.stock import Stock
from solvers.errors import LogisticsError

# What the tables show; all others are in the result.
SHOWN = (
    "lines",
    "lines_per_h",
    "units_per_h",
    "lines_per_busy_h",
    "distance_per_line_m",
    "cycle_p50_s",
    "cycle_p95_s",
    "cycle_p99_s",
    "late_pct",
    "pile_on",
    "station_utilisation_pct",
    "metres_per_tour",
)


ITEMS = 5_000  # of a made-up day


def main(arguments: list[str] | None = None) -> int:
    """Tables in Markdown on stdout. Exit code 1: bad input, or a check against theory missed."""
    parser = Parser(prog="python -m sim.warehouse", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("systems", "goods-to-person against picker-to-parts"),
        ("slotting", "affinity and turnover against random slotting"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("orders", type=Path, help="an order file")
        command.add_argument("--map", default="uci-online-retail", help="column map of the file")
        command.add_argument(
            "--learn-days", type=whole(1), default=273, help="days of history from the file's first"
        )
        command.add_argument(
            "--days", type=whole(1), default=3, help="trading days that make one simulated day"
        )
        command.add_argument("--people", type=whole(3), default=14)
        command.add_argument("--replications", type=whole(2), default=20)
        command.add_argument("--jobs", type=whole(1), default=1)
        command.add_argument("--seed", type=whole(0), default=1)
        if name == "slotting":
            command.add_argument(
                "--system", choices=("picker_to_parts", "goods_to_person"), default="picker_to_parts"
            )
    day = commands.add_parser("day", help="a synthetic day of many order lines")
    day.add_argument("--system", choices=("picker_to_parts", "goods_to_person"), default="goods_to_person")
    day.add_argument("--lines", type=whole(1), default=200_000)
    day.add_argument(
        "--replenish",
        choices=("s_S", "forecast"),
        help="start with half a day's stock, trucks bring the rest",
    )
    day.add_argument("--sort", action="store_true", help="then sort its parcels, with the day-long curve")
    day.add_argument("--seed", type=whole(0), default=1)
    check = commands.add_parser("validate", help="compare with theory")
    check.add_argument("--seed", type=whole(0), default=1)
    options = parser.parse_args(arguments)
    write = sys.stdout.write
    write(
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, numpy {np.__version__}; seed {options.seed}\n\n"
    )
    try:
        if options.command == "validate":
            return 0 if write_checks(theory.checks(options.seed)) else 1
        if options.command == "day":
            return _day(options.system, options.lines, options.seed, options.sort, options.replenish)
        setting = Setting(
            orders_from_file(options.orders, options.map),
            options.learn_days * DAY_S,
            days=options.days,
            people=options.people,
            seed=options.seed,
        )
        pairs = systems() if options.command == "systems" else slottings(options.system)
        for pair in compare_variants(setting, pairs, options.replications, options.jobs):
            _print(pair, options.replications)
    except (LogisticsError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _print(pair: Pair, replications: int) -> None:
    write = sys.stdout.write
    write(f"A = {pair.base}; B = {pair.variant}; {replications} days, paired 95 % intervals\n\n")
    write("| figure | A | B | B − A | change |\n|---|---|---|---|---|\n")
    for row in sorted((r for r in pair.rows if r.figure in SHOWN), key=lambda r: SHOWN.index(r.figure)):
        change = f"{100 * row.difference.mean / row.mean_a:+.1f} %" if row.mean_a else ""
        write(
            f"| {row.figure} | {row.mean_a:.2f} | {row.mean_b:.2f} | {row.difference.mean:+.2f} "
            f"± {row.difference.half_width:.2f} | {change} |\n"
        )
    write("\n")


def _made_up(streams: Streams, lines: int, mean_lines: float) -> tuple[OrderLines, OrderLines]:
    """A day of just as many lines as asked for, or the few more of its last order; and other orders of the kind, a
    fifth as many, from which slotting learns."""
    draw = streams.generator("demand", "orders")
    # Lines of one order and item are one line: an order has fewer than were drawn.
    drawn = synthetic_orders(draw, 20 + round(1.25 * lines / mean_lines), ITEMS, mean_lines, families=250)
    turn = draw.permutation(len(drawn))
    enough = int(np.searchsorted(np.cumsum(drawn.lines_of_order[turn]), lines)) + 1
    return drawn.chosen(np.sort(turn[:enough])), drawn.chosen(np.sort(turn[enough:]))


def _day(system: str, lines: int, seed: int, sort: bool, replenish: str | None) -> int:
    """One day sized for its load: 280 lines an hour and station, 48 an hour and picker, over 16 hours.

    With `replenish`, shelves begin the day with half of it, and trucks bring the rest by that policy. With `sort`,
    its parcels then pass the default floor of sorting robots, by its curve.
    """
    streams = Streams(seed)
    orders, history = _made_up(streams, lines, 2.5)
    daily: FloatArray = history.units_of_items().astype(np.float64) * (orders.lines / history.lines)
    hours = 16

    def people(per_hour: float, least: int = 1) -> list[Shift]:
        return [Shift.model_validate(["06:00", "22:00", max(least, round(lines / hours / per_hour))])]

    packing = PackingSection(shifts=people(120))
    draw = streams.generator("warehouse", "slotting")
    begun, worked = time.perf_counter(), time.process_time()
    if system == "goods_to_person":
        stations = people(280)[0].workers
        section = GoodsToPersonSection(
            stations=stations,
            robots=13 * stations,
            pods=1_200,
            chargers=2 * stations,
            replenishment_stations=1 + stations // 10,
            shifts=people(280),
            bin_units=60 if replenish is None else max(1, round(daily.sum() / 2 / (1_200 * 24))),
        )
        bins = fill_pods(section.pods, section.bins_per_pod, "turnover", history, draw)
        reserve = 2 * orders.units_of_items()
        inbound = None
        if replenish is not None:
            reserve = np.ceil(daily / 2).astype(np.int64)
            inbound = _inbound(
                replenish, Stock(bins.units(ITEMS, section.bin_units), reserve), daily, streams
            )
        result = RobotWarehouse(section, packing, orders, bins, reserve, streams, inbound).run(3 * DAY_S)
    else:
        walk = PickerToPartsSection(
            aisles=24, zones=4, cubbies=4_000, pickers=people(48, 4), putters=people(300), refillers=20
        )
        stock = Stock.covering(orders.units_of_items(), 1.5, walk.face_units)
        inbound = None
        if replenish is not None:
            stock = Stock.covering(np.ceil(daily).astype(np.int64), 0.5, 10)
            inbound = _inbound(replenish, stock, daily, streams)
        location = slot(block_of(walk), "turnover", history, draw)
        result = PickerFloor(walk, packing, orders, location, stock, streams, inbound).run(3 * DAY_S)
    told = result.kpis()
    if inbound is not None:
        told |= _brought(inbound)
    if sort:
        told |= {f"sorter_{name}": value for name, value in _sorted(result.done_s, seed).items()}
    took, worked = time.perf_counter() - begun, time.process_time() - worked
    sys.stdout.write("| figure | value |\n|---|---|\n")
    for name, value in ({"simulated_in_s": took, "processor_s": worked} | told).items():
        if name in SHOWN or name in (
            "simulated_in_s",
            "processor_s",
            "orders",
            "open_orders",
            "tours",
            "pod_trips",
            "refills",
            "stock_accuracy_pct",
            "space_used_mean_pct",
            *(name for name in told if name.startswith("inbound_")),
            *(f"sorter_{each}" for each in ("sorted", "open", "parcels_per_h", "sort_p50_s", "sort_p95_s")),
        ):
            sys.stdout.write(f"| {name} | {value:.2f} |\n")
    return 0


def _inbound(policy: str, stock: Stock, daily: FloatArray, streams: Streams) -> Inbound:
    """Reviews every hour and a lead time of four, with people for so many cartons."""
    section = ReplenishmentSection.model_validate(
        {
            "policy": policy,
            "review_s": 3_600.0,
            "lead_s": 14_400.0,
            "reorder_days": 0.5,
            "order_up_to_days": 1.0,
            "docks": 6,
            "receivers": 20,
            "put_away_workers": 60,
        }
    )
    return Inbound(section, stock, daily, streams)


def _brought(inbound: Inbound) -> dict[str, float]:
    """What came in, and how long cartons waited for each step and were at it."""
    stock = inbound.stock
    figures = {
        "inbound_trucks": float(inbound.trucks),
        "inbound_units": float(stock.received.sum()),
        "inbound_cartons": float(len(inbound.stays["put_away"])),
        "inbound_units_left": float((stock.face + stock.reserve + stock.dock).sum()),
    }
    for step in ("receive", "put_away"):
        spans = np.array(inbound.stays[step]).reshape(-1, 3)
        if spans.size:
            figures[f"inbound_{step}_p95_s"] = float(np.quantile(spans[:, 2] - spans[:, 0], 0.95))
    return figures


def _sorted(packed_s: FloatArray, seed: int) -> dict[str, float]:
    """Key figures of the sorter that the packed orders, a parcel each, come to."""
    section, streams = SortingSection(kind="robots"), Streams(seed, 1)
    weights = [rank**-0.5 for rank in range(1, 91)]
    destination = drawn_destinations(packed_s.size, len(weights), 0.5, streams)
    sorter = CurveSorter(section, SortParcels.of(destination), fitted(section, weights), streams)
    sorter.submit(np.argsort(packed_s, kind="stable"), np.sort(packed_s))
    return sorter.run().kpis()


if __name__ == "__main__":
    leave(main)
