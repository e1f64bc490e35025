"""Mutable builder of problems; `build()` checks everything at once and returns the immutable `Problem`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from solvers.battery import Battery
from solvers.builder_faults import faults_of, too_many_skills
from solvers.duty import DutyRule
from solvers.errors import InvalidInputError
from solvers.problem import UNLIMITED, Depots, Objective, Problem, VehicleTypes, Visits, _frozen
from solvers.size_faults import Found
from solvers.travel import Metric, Travel

Amounts = int | Sequence[int]
Window = tuple[int, int]
ALWAYS: Window = (0, int(UNLIMITED))


def _whole(value: Any) -> Any:
    """A number that is whole as an int; any other as it is, for `build` to tell."""
    if type(value) is int or not _is_number(value) or not math.isfinite(value):
        return value
    return int(value) if value == int(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number)


def _numbers(values: Amounts | Sequence[int]) -> tuple[int, ...]:
    return (_whole(values),) if _is_number(values) else tuple(map(_whole, values))  # type: ignore[arg-type]


def _ends(window: Any) -> Window | None:
    """The two ends of a window; None where it is none."""
    ends = () if isinstance(window, str) or not np.iterable(window) else _numbers(window)  # type: ignore[arg-type]
    return (ends[0], ends[1]) if len(ends) == 2 and all(map(_is_number, ends)) else None


@dataclass
class ProblemBuilder:
    """Collects depots, visits and vehicle types, then builds.

    >>> b = ProblemBuilder()
    >>> depot = b.depot(0, 0)
    >>> _ = [b.visit(x, y, delivery=1) for x, y in [(3, 4), (6, 8)]]
    >>> _ = b.vehicle_type(count=1, capacity=2)
    >>> b.build().num_visits
    2
    """

    name: str = ""
    cost_scale: int = 1
    objective: Objective = Objective.COST
    backhauls_alone: bool = True
    _depots: list[dict[str, Any]] = field(default_factory=list)
    _visits: list[dict[str, Any]] = field(default_factory=list)
    _types: list[dict[str, Any]] = field(default_factory=list)
    _travel: list[Travel] = field(default_factory=list)
    _skills: dict[str, int] = field(default_factory=dict)
    _no_windows: list[Found] = field(default_factory=list)

    def depot(self, x: float = np.nan, y: float = np.nan, *, tw: Window = ALWAYS, name: str = "") -> int:
        """Add a depot; returns its number."""
        number = len(self._depots)
        hours = self._window(f"depots[{number}].tw", tw) or ALWAYS
        self._depots.append({"xy": (x, y), "tw": hours, "name": name or f"depot {number}"})
        return len(self._depots) - 1

    def visit(
        self,
        x: float = np.nan,
        y: float = np.nan,
        *,
        delivery: Amounts = 0,
        pickup: Amounts = 0,
        service: int = 0,
        tw: Window | Sequence[Window] = ALWAYS,
        release: int = 0,
        required: bool = True,
        prize: int = 0,
        skills: Iterable[str] = (),
        priority: int = 0,
        backhaul: bool = False,
        service_by_type: Mapping[str, int] | None = None,
        group: str | None = None,
        pickup_at: int | None = None,
        due: int = int(UNLIMITED),
        late_cost: int = 0,
        previous: str | None = None,
        change_cost: int = 0,
        split: bool = False,
        name: str = "",
    ) -> int:
        """Add a visit; returns its number.

        `tw` is a window or several, ascending and with time between them. `service_by_type` replaces `service`
        for the vehicle types named. Of the visits of one `group` one is served. `pickup_at` is the visit where
        the goods delivered here are collected; its pickup must be this visit's delivery. `previous` names the
        vehicle type that served it in the plan before. With `split` several routes or trips may share its
        demand.
        """
        self._visits.append(
            {
                "xy": (x, y),
                "delivery": _numbers(delivery),
                "pickup": _numbers(pickup),
                "service": _whole(service),
                "windows": self._windows(f"visits[{len(self._visits)}].tw", tw),
                "release": _whole(release),
                "required": required,
                "prize": _whole(prize),
                "skills": self._bits(skills),
                "priority": _whole(priority),
                "backhaul": backhaul,
                "service_by_type": {kind: _whole(time) for kind, time in (service_by_type or {}).items()},
                "group": group,
                "pair": -1 if pickup_at is None else _whole(pickup_at),
                "due": _whole(due),
                "late_cost": _whole(late_cost),
                "previous": previous,
                "change_cost": _whole(change_cost),
                "split": split,
                "name": name or str(len(self._visits) + 1),
            }
        )
        return len(self._visits) - 1

    def vehicle_type(
        self,
        count: int = 1,
        capacity: Amounts = 0,
        *,
        fixed_cost: int = 0,
        distance_cost: int = 1,
        time_cost: int = 0,
        start_depot: int = 0,
        end_depot: int | None = None,
        shift: Window = ALWAYS,
        max_distance: int = int(UNLIMITED),
        max_duration: int = int(UNLIMITED),
        skills: Iterable[str] = (),
        profile: int = 0,
        open_end: bool = False,
        overtime_after: int = int(UNLIMITED),
        overtime_cost: int = 0,
        lifo: bool = False,
        reload_depots: Sequence[int] = (),
        max_reloads: int = int(UNLIMITED),
        reload_time: int = 0,
        locked: Sequence[int] = (),
        on_board: Amounts = 0,
        duty: DutyRule | None = None,
        battery: Battery | None = None,
        stations: Sequence[int] = (),
        name: str = "",
    ) -> int:
        """Add a vehicle type; returns its number. The end depot defaults to the start depot.

        `stations` are the depots where it may charge its `battery` on the way.
        """
        self._types.append(
            {
                "count": _whole(count),
                "capacity": _numbers(capacity),
                "fixed_cost": _whole(fixed_cost),
                "distance_cost": _whole(distance_cost),
                "time_cost": _whole(time_cost),
                "start_depot": _whole(start_depot),
                "end_depot": _whole(start_depot if end_depot is None else end_depot),
                "shift": self._window(f"vehicle_types[{len(self._types)}].shift", shift) or ALWAYS,
                "max_distance": _whole(max_distance),
                "max_duration": _whole(max_duration),
                "skills": self._bits(skills),
                "profile": _whole(profile),
                "open_end": open_end,
                "overtime_after": _whole(overtime_after),
                "overtime_cost": _whole(overtime_cost),
                "lifo": lifo,
                "reload_depots": _numbers(reload_depots),
                "max_reloads": _whole(max_reloads),
                "reload_time": _whole(reload_time),
                "locked": _numbers(locked),
                "on_board": _numbers(on_board),
                "duty": duty,
                "battery": battery,
                "stations": _numbers(stations),
                "name": name or f"type {len(self._types)}",
            }
        )
        return len(self._types) - 1

    def travel(self, profile: Travel) -> int:
        """Add a travel profile; returns its number. Without any, distances are rounded Euclidean."""
        self._travel.append(profile)
        return len(self._travel) - 1

    def require_skill(self, visit: int, skill: str) -> None:
        """Let only vehicles with `skill` serve a visit added before."""
        self._visits[visit]["skills"] |= self._bits([skill])

    def _windows(self, place: str, tw: Any) -> tuple[Window, ...]:
        """A visit's windows, whether one is given or several; any time where there is none."""
        if type(tw) is tuple and len(tw) == 2 and type(tw[0]) is type(tw[1]) is int:
            return (tw,)  # as nearly all are
        several = np.iterable(tw) and not isinstance(tw, str) and not any(map(_is_number, tw))
        found = [self._window(place, window) for window in (tw if several else [tw])]
        return tuple(window for window in found if window is not None) or (ALWAYS,)

    def _window(self, place: str, window: Any) -> Window | None:
        """A window; None for what is none, which `build` tells."""
        ends = _ends(window)
        if ends is None:
            message, repair = "a window has two ends", "give the earliest and the latest time"
            self._no_windows.append((place, window, "bad-window", message, repair))
        return ends

    def _bits(self, skills: Iterable[str]) -> int:
        return sum(1 << self._skills.setdefault(s, len(self._skills)) for s in sorted(set(skills)))

    def build(self) -> Problem:
        """The immutable problem; raises `InvalidInputError` with every fault found."""
        travel = self._travel or [Travel(metric=Metric.EUCLIDEAN_ROUND)]
        faults = list(faults_of(self.name, self._depots, self._visits, self._types, travel, self._no_windows))
        if len(self._skills) > 64:
            faults.append(too_many_skills(self.name, len(self._skills)))
        if faults:
            raise InvalidInputError(faults)
        loads = [row["on_board"] for row in self._types]
        goods = [row[key] for row in self._visits for key in ("delivery", "pickup")]
        d = max(map(len, goods + [row[key] for row in self._types for key in ("capacity", "on_board")]))
        v, t = self._visits, self._types

        def padded(rows: list[tuple[int, ...]]) -> Any:
            out = np.zeros((len(rows), d), dtype=np.int64)
            for i, row in enumerate(rows):
                out[i, : len(row)] = row
            return _frozen(out, np.int64)

        def column(rows: list[dict[str, Any]], key: str, dtype: Any = np.int64) -> Any:
            return _frozen([row[key] for row in rows], dtype)

        def pairs(values: Iterable[Window]) -> Any:
            return _frozen(np.array(list(values), dtype=np.int64).reshape(-1, 2), np.int64)

        def rare(rows: list[dict[str, Any]], key: str, usual: Any, dtype: Any = np.int64) -> Any:
            """The column, or None where every row has the usual value."""
            return column(rows, key, dtype) if any(row[key] != usual for row in rows) else None

        xy = np.array([row["xy"] for row in self._depots + v], dtype=np.float64)
        return Problem(
            depots=Depots(
                pairs(row["tw"] for row in self._depots), tuple(row["name"] for row in self._depots)
            ),
            visits=Visits(
                delivery=padded([row["delivery"] for row in v]),
                pickup=padded([row["pickup"] for row in v]),
                service=column(v, "service"),
                tw=pairs((row["windows"][0][0], row["windows"][-1][1]) for row in v),
                release=column(v, "release"),
                required=column(v, "required", np.bool_),
                prize=column(v, "prize"),
                skills=column(v, "skills", np.uint64),
                priority=column(v, "priority"),
                names=tuple(row["name"] for row in v),
                backhaul=rare(v, "backhaul", False, np.bool_),
                service_by_type=self._service_by_type(),
                group=self._groups(),
                pair=rare(v, "pair", -1),
                gaps=self._gaps(),
                due=rare(v, "due", int(UNLIMITED)),
                late_cost=rare(v, "late_cost", 0),
                previous=self._previous(),
                change_cost=rare(v, "change_cost", 0),
                split=rare(v, "split", False, np.bool_),
            ),
            vehicle_types=VehicleTypes(
                count=column(t, "count"),
                capacity=padded([row["capacity"] for row in t]),
                fixed_cost=column(t, "fixed_cost"),
                distance_cost=column(t, "distance_cost"),
                time_cost=column(t, "time_cost"),
                start_depot=column(t, "start_depot"),
                end_depot=column(t, "end_depot"),
                shift=pairs(row["shift"] for row in t),
                max_distance=column(t, "max_distance"),
                max_duration=column(t, "max_duration"),
                skills=column(t, "skills", np.uint64),
                profile=column(t, "profile"),
                names=tuple(row["name"] for row in t),
                open_end=rare(t, "open_end", False, np.bool_),
                overtime_after=rare(t, "overtime_after", int(UNLIMITED)),
                overtime_cost=rare(t, "overtime_cost", 0),
                lifo=rare(t, "lifo", False, np.bool_),
                reload_depots=tuple(row["reload_depots"] for row in t)
                if any(row["reload_depots"] for row in t)
                else None,
                max_reloads=rare(t, "max_reloads", int(UNLIMITED)),
                reload_time=rare(t, "reload_time", 0),
                locked=tuple(row["locked"] for row in t) if any(row["locked"] for row in t) else None,
                duty=self._rules("duty", 4),
                battery=self._rules("battery", 6),
                stations=tuple(row["stations"] for row in t) if any(row["stations"] for row in t) else None,
                on_board=padded([row["on_board"] for row in t]) if any(map(any, loads)) else None,
            ),
            travel=tuple(travel),
            coords=None if np.isnan(xy).any() else _frozen(xy, np.float64),
            name=self.name,
            cost_scale=self.cost_scale,
            skill_names=tuple(self._skills),
            backhauls_alone=self.backhauls_alone,
            objective=Objective(self.objective),
        )

    def _service_by_type(self) -> Any:
        """(visits, types) service times, None where no visit names a type."""
        if not any(row["service_by_type"] for row in self._visits):
            return None
        number = {row["name"]: k for k, row in enumerate(self._types)}
        table = np.repeat([[row["service"]] for row in self._visits], len(number), axis=1)
        for i, row in enumerate(self._visits):
            for name, service in row["service_by_type"].items():
                table[i, number[name]] = service
        return _frozen(table, np.int64)

    def _previous(self) -> Any:
        """(visits,) numbers of the types of the plan before, -1 for none; None where no visit has one."""
        number = {row["name"]: k for k, row in enumerate(self._types)}
        if all(row["previous"] is None for row in self._visits):
            return None
        return _frozen([number.get(row["previous"], -1) for row in self._visits], np.int64)

    def _rules(self, key: str, width: int) -> Any:
        """(types, width) rows of duty rules or batteries, zeros for none; None where no type has one."""
        if all(row[key] is None for row in self._types):
            return None
        rows = [astuple(row[key]) if row[key] else (0,) * width for row in self._types]
        return _frozen(rows, np.int64)

    def _groups(self) -> Any:
        """(visits,) group numbers by first use, -1 for none; None where there is no group."""
        names = [row["group"] for row in self._visits]
        number = {name: k for k, name in enumerate(dict.fromkeys(n for n in names if n is not None))}
        return _frozen([number.get(name, -1) for name in names], np.int64) if number else None

    def _gaps(self) -> Any:
        """Rows of visit, close, open for the times between a visit's windows; None where there are none."""
        rows = [
            (i, before[1], after[0])
            for i, row in enumerate(self._visits)
            for before, after in pairwise(row["windows"])
        ]
        return _frozen(rows, np.int64) if rows else None
