"""What can be wrong with the parts given to a `ProblemBuilder`; every fault is found in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

import numpy as np

from solvers.errors import Fault
from solvers.size_faults import Found, Row, number_faults, size_faults
from solvers.travel import Travel


def too_many_skills(name: str, found: int) -> Fault:
    return Fault(
        name or "problem", "skills", str(found), "too-many-skills", "more than 64 skills", "merge some"
    )


def faults_of(
    name: str,
    depots: Sequence[Row],
    visits: Sequence[Row],
    types: Sequence[Row],
    travel: Sequence[Travel],
    told: Sequence[Found] = (),
) -> Iterator[Fault]:
    """Every fault of the rows that the builder has collected, after those that it has `told` itself."""
    found = [
        *told,
        *number_faults(depots, visits, types, travel),
        *_lacking(depots, types),
        *_visit_faults(visits),
        *_relation_faults(visits, types),
        *_split_faults(visits, types),
        *_type_faults(types, len(depots), len(travel)),
        *_locked_faults(visits, types),
        *_duty_faults(types),
        *_battery_faults(types, len(depots)),
        *_travel_faults(depots, visits, travel),
    ]
    for place, value, code, message, repair in found or size_faults(depots, visits, types, travel):
        yield Fault(name or "problem", place, str(value), code, message, repair)


MOST_LOADS = 1000  # of the largest vehicle that a visit may be split into


def _negative(place: str, row: Row, keys: Sequence[str]) -> Iterator[Found]:
    for key in keys:
        value = row[key]
        least = min(value, default=0) if isinstance(value, tuple) else value
        if least < 0:
            yield f"{place}.{key}", value, "negative", f"{key} is negative", "use 0 or more"


def _lacking(depots: Sequence[Row], types: Sequence[Row]) -> Iterator[Found]:
    if not depots:
        yield "depots", 0, "no-depot", "there is no depot", "add at least one"
    if not types:
        yield "vehicle_types", 0, "no-vehicle", "there is no vehicle type", "add at least one"
    for i, row in enumerate(depots):
        if row["tw"][0] > row["tw"][1]:
            message = "depot closes before it opens"
            yield f"depots[{i}].tw", row["tw"], "window-reversed", message, "swap the ends"


def _visit_faults(visits: Sequence[Row]) -> Iterator[Found]:
    for i, row in enumerate(visits):
        place = f"visits[{i}]"
        yield from _negative(
            place,
            row,
            ("service", "release", "prize", "delivery", "pickup", "due", "late_cost", "change_cost"),
        )
        for opens, closes in row["windows"]:
            if opens > closes:
                message = "window closes before it opens"
                yield f"{place}.tw", (opens, closes), "window-reversed", message, "swap the ends"
        for (_, closes), (opens, _) in pairwise(row["windows"]):
            if opens <= closes:
                message = "a window opens before the one ahead of it has closed"
                yield f"{place}.tw", opens, "window-order", message, "sort and join the windows"
        if row["backhaul"] and any(row["delivery"]):
            message = "a backhaul takes a delivery"
            yield f"{place}.backhaul", row["delivery"], "backhaul-delivery", message, "make it two visits"


def _relation_faults(visits: Sequence[Row], types: Sequence[Row]) -> Iterator[Found]:
    """Faults of visits in relation to other visits and to vehicle types."""
    names = {row["name"] for row in types}
    if any(row["service_by_type"] or row["previous"] is not None for row in visits):
        known: dict[str, int] = {}
        for k, row in enumerate(types):
            if (first := known.setdefault(row["name"], k)) != k:
                message = f"vehicle type {first} has the same name, and visits speak of types by name"
                yield f"vehicle_types[{k}].name", row["name"], "name-twice", message, "give it another name"
    of: dict[str, int] = {}
    collected: dict[int, int] = {}
    for i, row in enumerate(visits):
        place = f"visits[{i}]"
        for kind, service in row["service_by_type"].items():
            if kind not in names:
                message, repair = "no such vehicle type", f"use one of {', '.join(sorted(names))}"
                yield f"{place}.service_by_type", kind, "no-such-type", message, repair
            if service < 0:
                yield f"{place}.service_by_type", service, "negative", "service is negative", "use 0 or more"
        if row["previous"] is not None and row["previous"] not in names:
            message, repair = "no such vehicle type", f"use one of {', '.join(sorted(names))}"
            yield f"{place}.previous", row["previous"], "no-such-type", message, repair
        if row["group"] is not None:
            first = of.setdefault(row["group"], i)
            if visits[first]["required"] != row["required"]:
                message = f"visit {first} of the same group is not alike"
                yield f"{place}.required", row["required"], "group-mixed", message, "make them alike"
        if row["pair"] == -1:
            continue
        where, start = f"{place}.pickup_at", row["pair"]
        if not isinstance(start, int):
            continue  # told as not whole
        if not 0 <= start < len(visits):
            yield where, start, "no-such-visit", "no such visit to collect from", "name another visit"
            continue
        if start == i:
            message = "a visit cannot collect its goods at itself"
            yield where, start, "pair-self", message, "name another visit"
            continue
        other = visits[start]
        if start in collected:
            message = f"visit {collected[start]} takes the goods of visit {start} already"
            yield where, start, "pair-twice", message, "make one visit for each pair"
        collected[start] = i
        if other["pair"] != -1:
            message = f"visit {start} is the end of another pair"
            yield where, start, "pair-chain", message, "collect at a visit of its own"
        if _unequal(other["pickup"], row["delivery"]):
            message = f"visit {start} collects {other['pickup']}"
            yield f"{place}.delivery", row["delivery"], "pair-amounts", message, "make the amounts equal"
        if any(other["delivery"]) or any(row["pickup"]):
            message = "a visit of a pair also exchanges goods with the depot"
            yield where, start, "pair-depot", message, "make a visit of its own for those goods"
        if other["required"] != row["required"]:
            message = f"visit {start} of the same pair is not alike"
            yield f"{place}.required", row["required"], "pair-mixed", message, "make them alike"
        for end in (row, other):
            if end["group"] is not None or end["backhaul"]:
                message = "a visit of a pair is a backhaul or in a group"
                yield where, start, "pair-rule", message, "use one of the two"


def _split_faults(visits: Sequence[Row], types: Sequence[Row]) -> Iterator[Found]:
    ends = {i for i, row in enumerate(visits) if row["pair"] != -1} | {row["pair"] for row in visits}
    locked = {visit for row in types for visit in row["locked"]}
    largest = [max(each) for each in zip_longest(*(row["capacity"] for row in types), fillvalue=0)]
    for i, row in enumerate(visits):
        place = f"visits[{i}].split"
        if row["split"] and any(row["delivery"]) and any(row["pickup"]):
            message = "a visit to be split has both a delivery and a pickup"
            yield place, True, "split-both", message, "make it two visits"
        amounts = (row["delivery"], row["pickup"]) if row["split"] else ()
        if any(
            most and x > MOST_LOADS * most for each in amounts for x, most in zip(each, largest, strict=False)
        ):
            message = f"the visit takes more than {MOST_LOADS} loads of the largest vehicle"
            yield place, (*row["delivery"], *row["pickup"]), "split-loads", message, "make it several visits"
        if row["split"] and (i in ends or i in locked or row["group"] is not None):
            message = "a visit to be split is in a pair, in a group or locked"
            yield place, True, "split-rule", message, "use one of the two"


def _unequal(a: Sequence[int], b: Sequence[int]) -> bool:
    width = max(len(a), len(b))
    return [*a, *[0] * (width - len(a))] != [*b, *[0] * (width - len(b))]


def _type_faults(types: Sequence[Row], depots: int, profiles: int) -> Iterator[Found]:
    for i, row in enumerate(types):
        place = f"vehicle_types[{i}]"
        if row["shift"][0] > row["shift"][1]:
            message = "shift ends before it starts"
            yield f"{place}.shift", row["shift"], "window-reversed", message, "swap the ends"
        yield from _negative(
            place,
            row,
            (
                "count",
                "fixed_cost",
                "distance_cost",
                "time_cost",
                "max_distance",
                "max_duration",
                "capacity",
                "overtime_after",
                "overtime_cost",
                "max_reloads",
                "reload_time",
                "on_board",
            ),
        )
        for key in ("start_depot", "end_depot"):
            if not 0 <= row[key] < depots:
                message, repair = "no such depot", f"use 0 to {depots - 1}"
                yield f"{place}.{key}", row[key], "no-such-depot", message, repair
        for depot in row["reload_depots"]:
            if not 0 <= depot < depots:
                message, repair = "no such depot", f"use 0 to {depots - 1}"
                yield f"{place}.reload_depots", depot, "no-such-depot", message, repair
        if not 0 <= row["profile"] < profiles:
            yield (
                f"{place}.profile",
                row["profile"],
                "no-such-profile",
                "no such travel profile",
                "add it first",
            )


def _duty_faults(types: Sequence[Row]) -> Iterator[Found]:
    for i, row in enumerate(types):
        if row["duty"] is None:
            continue
        place = f"vehicle_types[{i}].duty"
        for message in row["duty"].faults():
            yield place, row["duty"], "duty-rule", message, "mend the rule"


def _battery_faults(types: Sequence[Row], depots: int) -> Iterator[Found]:
    for i, row in enumerate(types):
        place, battery = f"vehicle_types[{i}]", row["battery"]
        for message in () if battery is None else battery.faults():
            yield f"{place}.battery", battery, "battery", message, "mend the battery"
        for depot in row["stations"]:
            if not 0 <= depot < depots:
                message, repair = "no such depot", f"use 0 to {depots - 1}"
                yield f"{place}.stations", depot, "no-such-depot", message, repair
        if row["stations"] and battery is None:
            message = "stations for a type without a battery"
            yield f"{place}.stations", row["stations"], "no-battery", message, "give it a battery"


def _locked_faults(visits: Sequence[Row], types: Sequence[Row]) -> Iterator[Found]:
    taken: dict[int, int] = {}
    for i, row in enumerate(types):
        place = f"vehicle_types[{i}].locked"
        if row["locked"] and row["count"] != 1:
            yield place, row["count"], "locked-count", "a type under way has one vehicle", "set count to 1"
        for visit in row["locked"]:
            if not isinstance(visit, int):
                continue  # told as not whole
            if not 0 <= visit < len(visits):
                yield place, visit, "no-such-visit", "no such visit", f"use 0 to {len(visits) - 1}"
                continue
            if visit in taken:
                message = f"the visit is locked already, to type {taken[visit]}"
                yield place, visit, "locked-twice", message, "lock it once"
            taken[visit] = i
            start = visits[visit]["pair"]
            ends = [start] if start >= 0 else [k for k, v in enumerate(visits) if v["pair"] == visit]
            if any(end not in row["locked"] for end in ends):
                message = "the other end of its pair is not locked with it"
                yield place, visit, "locked-pair", message, "lock both, or put the load on board"
            if visits[visit]["group"] is not None:
                yield place, visit, "locked-group", "the visit is in a group", "take it out of the group"


def _travel_faults(
    depots: Sequence[Row], visits: Sequence[Row], profiles: Sequence[Travel]
) -> Iterator[Found]:
    nodes = len(depots) + len(visits)
    missing_xy = any(np.isnan(row["xy"]).any() for row in (*depots, *visits))
    for k, travel in enumerate(profiles):
        place = f"travel[{k}]"
        table = None if travel.speeds is None else travel.speeds.category
        if table is not None and table.shape != (nodes, nodes):
            message = f"categories are not {nodes} x {nodes}"
            yield f"{place}.speeds", table.shape, "matrix-shape", message, "one row per node"
        if not travel.is_matrix:
            if missing_xy:
                yield place, "", "no-coordinates", "nodes without coordinates", "give x and y or a matrix"
            continue
        for key in ("distance", "duration"):
            matrix = getattr(travel, key)
            if matrix is None or matrix.shape != (nodes, nodes):
                found = None if matrix is None else matrix.shape
                message = f"{key} is not {nodes} x {nodes}"
                yield f"{place}.{key}", found, "matrix-shape", message, "one row per node"
            elif (matrix < 0).any():
                i, j = np.argwhere(matrix < 0)[0]
                where = f"{place}.{key}[{i}, {j}]"
                yield where, matrix[i, j], "negative", f"{key} is negative", "use 0 or more"
