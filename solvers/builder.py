"""Mutable builder of problems; `build()` checks everything at once and returns the immutable `Problem`."""

from __future__ import annotations

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
from solvers.travel import Metric, Travel

Amounts = int | Sequence[int]
Window = tuple[int, int]
ALWAYS: Window = (0, int(UNLIMITED))


def _amounts(value: Amounts) -> tuple[int, ...]:
    return (int(value),) if isinstance(value, (int, np.integer)) else tuple(int(v) for v in value)


def _windows(tw: Window | Sequence[Window]) -> tuple[Window, ...]:
    """The windows as a tuple, whether one is given or several; touching ones are one."""
    first = tw[0] if len(tw) else None
    if first is None or isinstance(first, (int, np.integer)):
        return (tw,) if len(tw) == 2 else (ALWAYS,)  # type: ignore[return-value]
    return tuple((int(a), int(b)) for a, b in tw)  # type: ignore[misc]


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

    def depot(self, x: float = np.nan, y: float = np.nan, *, tw: Window = ALWAYS, name: str = "") -> int:
        """Add a depot; returns its number."""
        self._depots.append({"xy": (x, y), "tw": tw, "name": name or f"depot {len(self._depots)}"})
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

        `tw` is a window or several in ascending order. `service_by_type` replaces `service` for the vehicle
        types named. Of the visits of one `group` one is served. `pickup_at` is the visit where the goods
        delivered here are collected; its pickup must be this visit's delivery. `previous` names the vehicle
        type that served it in the plan before. With `split` several routes or trips may share its demand.
        """
        self._visits.append(
            {
                "xy": (x, y),
                "delivery": _amounts(delivery),
                "pickup": _amounts(pickup),
                "service": service,
                "windows": _windows(tw),
                "release": release,
                "required": required,
                "prize": prize,
                "skills": self._bits(skills),
                "priority": priority,
                "backhaul": backhaul,
                "service_by_type": dict(service_by_type or {}),
                "group": group,
                "pair": -1 if pickup_at is None else pickup_at,
                "due": due,
                "late_cost": late_cost,
                "previous": previous,
                "change_cost": change_cost,
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
                "count": count,
                "capacity": _amounts(capacity),
                "fixed_cost": fixed_cost,
                "distance_cost": distance_cost,
                "time_cost": time_cost,
                "start_depot": start_depot,
                "end_depot": start_depot if end_depot is None else end_depot,
                "shift": shift,
                "max_distance": max_distance,
                "max_duration": max_duration,
                "skills": self._bits(skills),
                "profile": profile,
                "open_end": open_end,
                "overtime_after": overtime_after,
                "overtime_cost": overtime_cost,
                "lifo": lifo,
                "reload_depots": tuple(int(d) for d in reload_depots),
                "max_reloads": max_reloads,
                "reload_time": reload_time,
                "locked": tuple(int(x) for x in locked),
                "on_board": _amounts(on_board),
                "duty": duty,
                "battery": battery,
                "stations": tuple(int(d) for d in stations),
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

    def _bits(self, skills: Iterable[str]) -> int:
        return sum(1 << self._skills.setdefault(s, len(self._skills)) for s in sorted(set(skills)))

    def build(self) -> Problem:
        """The immutable problem; raises `InvalidInputError` with every fault found."""
        travel = self._travel or [Travel(metric=Metric.EUCLIDEAN_ROUND)]
        faults = list(faults_of(self.name, self._depots, self._visits, self._types, travel))
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
