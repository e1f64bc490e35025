"""Solomon's text format: a VEHICLE block (number, capacity) and a CUSTOMER table, the depot in its first row."""

from __future__ import annotations

from itertools import dropwhile
from pathlib import Path

from solvers.builder import ProblemBuilder
from solvers.problem import Problem
from solvers.readers.lines import Faults, Line, is_number
from solvers.readers.rounding import Rounding

COLUMNS = ("number", "x", "y", "demand", "ready time", "due date", "service time")


def read_solomon(path: Path, lines: list[Line], rounding: Rounding) -> Problem:
    """The problem; raises `InvalidInputError` with every fault found."""
    faults = Faults(path)
    heads = {line.words[0]: i for i, line in enumerate(lines) if line.words[0] in ("VEHICLE", "CUSTOMER")}
    for head in ("VEHICLE", "CUSTOMER"):
        if head not in heads:
            faults.add(None, "", "missing-section", f"the {head} block is missing", "is the file cut off?")
    faults.check()
    fleet = _table(lines[heads["VEHICLE"] + 1 : heads["CUSTOMER"]])
    number, capacity = 0, 0
    if len(fleet) != 1:
        at = lines[heads["VEHICLE"]].number
        faults.add(at, len(fleet), "wrong-count", "one row of number and capacity expected", "mend the block")
    elif (row := faults.row(fleet[0], 2, "VEHICLE")) is not None:
        number = faults.integer(fleet[0].number, row[0], "number of vehicles", least=1)
        capacity = faults.integer(fleet[0].number, row[1], "capacity", least=0)
    b = ProblemBuilder(name=lines[0].text, cost_scale=rounding.scale)
    table = _table(lines[heads["CUSTOMER"] + 1 :])
    if len(table) < 2:
        at = lines[heads["CUSTOMER"]].number
        faults.add(at, len(table), "wrong-count", "a depot and customers expected", "is the file cut off?")
    for expected, line in enumerate(table):
        _add(b, faults, line, expected, rounding)
    faults.check()
    b.vehicle_type(count=number, capacity=capacity)
    b.travel(rounding.travel())
    return b.build()


def _table(lines: list[Line]) -> list[Line]:
    """The lines below a block's captions, which hold no number; a row spoilt by a letter is still a row."""
    return list(dropwhile(lambda line: not any(map(is_number, line.words)), lines))


def _add(b: ProblemBuilder, faults: Faults, line: Line, expected: int, rounding: Rounding) -> None:
    row = faults.row(line, len(COLUMNS), "CUSTOMER")
    if row is None:
        return
    number = faults.index(line.number, row[0], COLUMNS[0])
    if number not in (expected, None):
        faults.add(
            line.number, number, "bad-index", f"customer {expected} expected", "number them without gaps"
        )
    x, y = (faults.number(line.number, word, what) for word, what in zip(row[1:3], COLUMNS[1:3], strict=True))
    demand = faults.integer(line.number, row[3], COLUMNS[3], least=0)
    times = [faults.number(line.number, w, c, least=0) for w, c in zip(row[4:], COLUMNS[4:], strict=True)]
    opens, closes, service = (rounding.whole(time) for time in times)
    if expected == 0 and demand:
        faults.depot_demand(line.number, demand)
    if opens > closes:
        faults.add(
            line.number, line.text, "window-reversed", "the window closes before it opens", "swap its ends"
        )
    elif expected == 0:
        b.depot(x, y, tw=(opens, closes))
    else:
        b.visit(x, y, delivery=demand, tw=(opens, closes), service=service)
