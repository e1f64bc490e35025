"""Li and Lim's pickup-and-delivery files, and the table of best-known values that goes with them.

First line: vehicles, capacity, speed. Then a row per place: number, x, y, demand, ready time, due date, service
time, and the numbers of its pickup and delivery partner (0 for none); the depot in the first row. The fewest
vehicles come first, then the distance, in double precision (Li and Lim 2003; SINTEF keeps the best-known).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from solvers.builder import ProblemBuilder
from solvers.problem import Objective, Problem
from solvers.readers.lines import Faults, Line
from solvers.readers.rounding import Rounding

COLUMNS = ("number", "x", "y", "demand", "ready time", "due date", "service time", "pickup", "delivery")


@dataclass(frozen=True, slots=True)
class _Place:
    line: Line
    x: float
    y: float
    demand: int
    times: tuple[int, int, int]
    pickup: int
    delivery: int


def is_li_lim(lines: list[Line]) -> bool:
    """Whether the file starts with the row of three numbers that only this format has."""
    return len(lines[0].words) == 3 and all(w.replace(".", "", 1).isdigit() for w in lines[0].words)


def read_li_lim(path: Path, lines: list[Line], rounding: Rounding) -> Problem:
    """The problem; raises `InvalidInputError` with every fault found."""
    faults = Faults(path)
    head = lines[0]
    vehicles = faults.integer(head.number, head.words[0], "number of vehicles", least=1)
    capacity = faults.integer(head.number, head.words[1], "capacity", least=0)
    speed = faults.number(head.number, head.words[2], "speed") or 1.0  # five files say 0 and mean 1
    places = [_place(faults, line, i, rounding) for i, line in enumerate(lines[1:])]
    if len(places) < 3:
        faults.add(
            lines[-1].number, len(places), "wrong-count", "a depot and pairs expected", "is it cut off?"
        )
    faults.check()
    known = [place for place in places if place is not None]
    _check_pairs(faults, known)
    faults.check()
    b = ProblemBuilder(name=path.stem, cost_scale=rounding.scale, objective=Objective.VEHICLES)
    b.depot(known[0].x, known[0].y, tw=known[0].times[:2])
    for number, place in enumerate(known[1:], start=1):
        opens, closes, service = place.times
        b.visit(
            place.x,
            place.y,
            pickup=max(0, place.demand),
            delivery=max(0, -place.demand),
            tw=(opens, closes),
            service=service,
            pickup_at=place.pickup - 1 if place.pickup else None,
            name=str(number),
        )
    b.vehicle_type(count=vehicles, capacity=capacity)
    b.travel(replace(rounding.travel(), duration_per_distance=1.0 / speed))
    return b.build()


def _place(faults: Faults, line: Line, expected: int, rounding: Rounding) -> _Place | None:
    row = faults.row(line, len(COLUMNS), "place")
    if row is None:
        return None
    at = line.number
    if (number := faults.index(at, row[0], COLUMNS[0])) not in (expected, None):
        faults.add(at, number, "bad-index", f"place {expected} expected", "number them without gaps")
    x, y = (faults.number(at, word, what) for word, what in zip(row[1:3], COLUMNS[1:3], strict=True))
    demand = faults.integer(at, row[3], COLUMNS[3])
    if expected == 0 and demand:
        faults.depot_demand(at, demand)
    opens, closes, service = (
        rounding.whole(faults.number(at, w, c, least=0)) for w, c in zip(row[4:7], COLUMNS[4:7], strict=True)
    )
    pickup, delivery = (faults.integer(at, w, c, least=0) for w, c in zip(row[7:], COLUMNS[7:], strict=True))
    if opens > closes:
        faults.add(at, line.text, "window-reversed", "the window closes before it opens", "swap its ends")
        return None
    return _Place(line, x, y, demand, (opens, closes, service), pickup, delivery)


def _check_pairs(faults: Faults, places: list[_Place]) -> None:
    """Every place is one end of a pair, and its partner says so too."""
    for number, place in enumerate(places[1:], start=1):
        partner, at = place.pickup or place.delivery, place.line.number
        if (place.pickup > 0) == (place.delivery > 0):
            faults.add(at, place.line.text, "pair-end", "neither pickup nor delivery", "name one partner")
        elif partner >= len(places):
            faults.add(at, partner, "bad-index", "no such partner", f"use 1 to {len(places) - 1}")
        elif number not in (places[partner].pickup, places[partner].delivery):
            faults.add(at, partner, "pair-end", f"place {partner} names another partner", "make them agree")
        elif place.demand != -places[partner].demand or (place.demand < 0) != (place.pickup > 0):
            faults.add(at, place.demand, "pair-amounts", "demands of a pair differ", "make them opposite")


@dataclass(frozen=True, slots=True)
class BestKnown:
    """Fewest routes known, and the shortest distance with that many, in units of the file."""

    routes: int
    distance: float


def read_best_known(path: Path) -> dict[str, BestKnown]:
    """The table `best-known.csv` (columns instance, routes, distance) by instance."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["instance"]: BestKnown(int(row["routes"]), float(row["distance"]))
            for row in csv.DictReader(file)
        }
