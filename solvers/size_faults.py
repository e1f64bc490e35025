"""Numbers that a problem cannot hold, alone or in sums: whole numbers are to stay exact in the solvers' floats."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, is_dataclass
from itertools import chain
from typing import Any

import numpy as np

from solvers.problem import UNLIMITED
from solvers.travel import FloatArray, IntArray, Travel, longest_leg

Row = dict[str, Any]
Found = tuple[str, Any, str, str, str]  # place, value, code, message, repair

MOST = 2.0**53  # that distances, times and costs may come to in all
_GIVEN_AS = {"windows": "tw", "pair": "pickup_at"}  # what a row calls otherwise than the builder's callers
_TOO_LARGE = "too-large", "sums of it are too large to be exact", "choose larger units"


def number_faults(
    depots: Sequence[Row], visits: Sequence[Row], types: Sequence[Row], profiles: Sequence[Travel]
) -> Iterator[Found]:
    """Numbers that are not whole, not finite or beyond `UNLIMITED`, and units of travel that are none."""
    for name, rows in (("depots", depots), ("visits", visits), ("vehicle_types", types)):
        for key in rows[0] if rows else ():
            if key == "xy":
                for i in np.flatnonzero(np.isinf([row["xy"] for row in rows]).any(axis=1)).tolist():
                    message, repair = "coordinates are infinite", "mend them"
                    yield f"{name}[{i}]", rows[i]["xy"], "not-finite", message, repair
            elif key != "skills" and not all(
                type(x) is int and -UNLIMITED <= x <= UNLIMITED for x in _flat(rows, key)
            ):
                for i, row in enumerate(rows):
                    for value in _flat([row], key):
                        yield from _number_faults(f"{name}[{i}].{_GIVEN_AS.get(key, key)}", value)
    for k, travel in enumerate(profiles):
        if not 0.0 < travel.scale < math.inf:
            message = "the scale of distances is not positive and finite"
            yield (
                f"travel[{k}].scale",
                travel.scale,
                "bad-value",
                message,
                "give how many units one of the map is",
            )
        if not 0.0 <= travel.duration_per_distance < math.inf:
            place, message = f"travel[{k}].duration_per_distance", "durations are negative or not finite"
            yield place, travel.duration_per_distance, "bad-value", message, "give 0 or more"


def _flat(rows: Sequence[Row], key: str) -> Sequence[Any]:
    """All numbers that the rows have under the key."""
    found: Sequence[Any] = [row[key] for row in rows if row[key] is not None]
    while found and not isinstance(found[0], int | float | str | np.number | np.bool_):
        if isinstance(found[0], dict):
            found = [each.values() for each in found]
        elif is_dataclass(found[0]):
            found = [astuple(each) for each in found]
        found = list(chain.from_iterable(found))
    return [] if found and isinstance(found[0], bool | str | np.bool_) else found


def _number_faults(place: str, value: Any) -> Iterator[Found]:
    if not (math.isfinite(value) and value == int(value)):
        yield place, value, "not-whole", "not a whole number", "round it, or choose smaller units"
    elif abs(int(value)) > UNLIMITED:
        message = f"more than {UNLIMITED}, which stands for no limit"
        yield place, value, "too-large", message, "choose larger units"


def size_faults(
    depots: Sequence[Row], visits: Sequence[Row], types: Sequence[Row], profiles: Sequence[Travel]
) -> Iterator[Found]:
    """What in all might come to more than `MOST`, each visit on a route of its own.

    For problems without any other fault.
    """
    xy = np.array([row["xy"] for row in (*depots, *visits)], dtype=np.float64).reshape(-1, 2)
    legs = 2.0 * len(visits) + 2.0
    lengths, times = [], []
    for k, travel in enumerate(profiles):
        length, duration = _all_legs(travel, xy, len(depots), legs)
        lengths.append(length)
        times.append(duration)
        if not max(length, duration) <= MOST:
            yield f"travel[{k}]", f"{max(length, duration):g} in all", *_TOO_LARGE
    if not max(*lengths, *times) <= MOST:
        return

    def total(key: str) -> float:
        return float(sum(max(x) if isinstance(x := row[key], tuple) else x for row in visits if row[key]))

    for key in ("delivery", "pickup", "prize", "change_cost", "service"):
        if total(key) > MOST:
            yield f"visits.{key}", f"{total(key):g} in all", *_TOO_LARGE
    opens = [(f"depots[{i}].tw", row["tw"][0]) for i, row in enumerate(depots)]
    opens += [(f"vehicle_types[{i}].shift", row["shift"][0]) for i, row in enumerate(types)]
    opens += [(f"visits[{i}].tw", row["windows"][-1][0]) for i, row in enumerate(visits)]
    opens += [(f"visits[{i}].release", row["release"]) for i, row in enumerate(visits)]
    for place, value in opens:
        if value > MOST:
            yield place, value, *_TOO_LARGE
    by_type = sum(max(row["service_by_type"].values(), default=0) for row in visits)
    if by_type > MOST:
        yield "visits.service_by_type", f"{by_type:g} in all", *_TOO_LARGE
    waits = max((value for _, value in opens), default=0) + total("service") + by_type
    longest = 0.0
    for i, row in enumerate(types):
        length, driving = lengths[row["profile"]], times[row["profile"]]
        pauses, energy = _pauses(row, length, driving, legs)
        lasts = driving + waits + legs * row["reload_time"] + pauses
        longest = max(longest, lasts)
        for key, amount in (
            ("distance_cost", length),
            ("time_cost", lasts),
            ("overtime_cost", lasts),
            ("fixed_cost", len(visits)),
            ("reload_time", legs),
        ):
            if row[key] * float(amount) > MOST:
                yield f"vehicle_types[{i}].{key}", row[key], *_TOO_LARGE
        for key, value in (("duty" if row["duty"] else "battery", pauses), ("battery", energy)):
            if value > MOST:
                yield f"vehicle_types[{i}].{key}", f"{value:g} in all", *_TOO_LARGE
    late = total("late_cost") * longest
    if late > MOST:
        yield "visits.late_cost", f"{late:g} in all", *_TOO_LARGE


def _pauses(row: Row, length: float, driving: float, legs: float) -> tuple[float, float]:
    """Bounds on the time that all breaks and charging take, and on the energy used or its cost."""
    pauses, energy = 0.0, 0.0
    if row["duty"] is not None:
        pauses += driving / row["duty"].max_driving_between * row["duty"].break_time
    if row["battery"] is not None:
        energy = length * row["battery"].consumption
        pauses += energy / row["battery"].rate + legs
        energy *= max(1, row["battery"].cost)
    return pauses, energy


def _all_legs(travel: Travel, xy: FloatArray, depots: int, legs: float) -> tuple[float, float]:
    """Bounds on the distances and on the durations of all legs of a plan together."""
    if travel.distance is not None and travel.duration is not None:
        length, duration = (_rows(table, depots, legs) for table in (travel.distance, travel.duration))
    else:
        length = legs * longest_leg(travel, xy)
        duration = length * travel.duration_per_distance
    if travel.speeds is not None:
        duration = length / float(travel.speeds.values.min())
    return length, duration


def _rows(table: IntArray, depots: int, legs: float) -> float:
    """Visits are left once, for another place, and reached from a depot once at most; depots may follow depots."""
    out = 0.0
    for visit in range(depots, len(table)):
        row = table[visit]
        out += float(max(row[:visit].max(initial=0), row[visit + 1 :].max(initial=0)))
    back = table[:depots, depots:].max(axis=0, initial=0).sum(dtype=np.float64)
    return float(out + back + legs * table[:depots, :depots].max(initial=0))
