"""Mutable builder of problems; `build()` checks everything at once and returns the immutable `Problem`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from solvers.errors import Fault, InvalidInputError
from solvers.problem import UNLIMITED, Depots, Problem, VehicleTypes, Visits, _frozen
from solvers.travel import Metric, Travel

Amounts = int | Sequence[int]
Window = tuple[int, int]
ALWAYS: Window = (0, int(UNLIMITED))


def _amounts(value: Amounts) -> tuple[int, ...]:
    return (int(value),) if isinstance(value, (int, np.integer)) else tuple(int(v) for v in value)


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
        tw: Window = ALWAYS,
        release: int = 0,
        required: bool = True,
        prize: int = 0,
        skills: Iterable[str] = (),
        priority: int = 0,
        name: str = "",
    ) -> int:
        """Add a visit; returns its number."""
        self._visits.append(
            {
                "xy": (x, y),
                "delivery": _amounts(delivery),
                "pickup": _amounts(pickup),
                "service": service,
                "tw": tw,
                "release": release,
                "required": required,
                "prize": prize,
                "skills": self._bits(skills),
                "priority": priority,
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
        name: str = "",
    ) -> int:
        """Add a vehicle type; returns its number. The end depot defaults to the start depot."""
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
        faults = list(self._faults())
        if faults:
            raise InvalidInputError(faults)
        d = max([len(v["delivery"]) for v in self._visits] + [len(t["capacity"]) for t in self._types])
        v, t = self._visits, self._types

        def padded(rows: list[tuple[int, ...]]) -> Any:
            out = np.zeros((len(rows), d), dtype=np.int64)
            for i, row in enumerate(rows):
                out[i, : len(row)] = row
            return _frozen(out, np.int64)

        def column(rows: list[dict[str, Any]], key: str, dtype: Any = np.int64) -> Any:
            return _frozen([row[key] for row in rows], dtype)

        def pairs(rows: list[dict[str, Any]], key: str) -> Any:
            return _frozen(np.array([row[key] for row in rows], dtype=np.int64).reshape(-1, 2), np.int64)

        xy = np.array([row["xy"] for row in self._depots + v], dtype=np.float64)
        return Problem(
            depots=Depots(pairs(self._depots, "tw"), tuple(row["name"] for row in self._depots)),
            visits=Visits(
                delivery=padded([row["delivery"] for row in v]),
                pickup=padded([row["pickup"] for row in v]),
                service=column(v, "service"),
                tw=pairs(v, "tw"),
                release=column(v, "release"),
                required=column(v, "required", np.bool_),
                prize=column(v, "prize"),
                skills=column(v, "skills", np.uint64),
                priority=column(v, "priority"),
                names=tuple(row["name"] for row in v),
            ),
            vehicle_types=VehicleTypes(
                count=column(t, "count"),
                capacity=padded([row["capacity"] for row in t]),
                fixed_cost=column(t, "fixed_cost"),
                distance_cost=column(t, "distance_cost"),
                time_cost=column(t, "time_cost"),
                start_depot=column(t, "start_depot"),
                end_depot=column(t, "end_depot"),
                shift=pairs(t, "shift"),
                max_distance=column(t, "max_distance"),
                max_duration=column(t, "max_duration"),
                skills=column(t, "skills", np.uint64),
                profile=column(t, "profile"),
                names=tuple(row["name"] for row in t),
            ),
            travel=tuple(self._travel) or (Travel(metric=Metric.EUCLIDEAN_ROUND),),
            coords=None if np.isnan(xy).any() else _frozen(xy, np.float64),
            name=self.name,
            cost_scale=self.cost_scale,
            skill_names=tuple(self._skills),
        )

    def _faults(self) -> Iterable[Fault]:
        def fault(place: str, value: Any, code: str, message: str, repair: str) -> Fault:
            return Fault(self.name or "problem", place, str(value), code, message, repair)

        nodes = len(self._depots) + len(self._visits)
        if not self._depots:
            yield fault("depots", 0, "no-depot", "there is no depot", "add at least one")
        if not self._types:
            yield fault("vehicle_types", 0, "no-vehicle", "there is no vehicle type", "add at least one")
        if len(self._skills) > 64:
            yield fault("skills", len(self._skills), "too-many-skills", "more than 64 skills", "merge some")
        for i, row in enumerate(self._visits):
            place = f"visits[{i}]"
            for key in ("service", "release", "prize"):
                if row[key] < 0:
                    yield fault(f"{place}.{key}", row[key], "negative", f"{key} is negative", "use 0 or more")
            for key in ("delivery", "pickup"):
                if min(row[key], default=0) < 0:
                    yield fault(f"{place}.{key}", row[key], "negative", f"{key} is negative", "use 0 or more")
            if row["tw"][0] > row["tw"][1]:
                yield fault(
                    f"{place}.tw",
                    row["tw"],
                    "window-reversed",
                    "window closes before it opens",
                    "swap the ends",
                )
        for i, row in enumerate(self._types):
            place = f"vehicle_types[{i}]"
            if row["shift"][0] > row["shift"][1]:
                yield fault(
                    f"{place}.shift",
                    row["shift"],
                    "window-reversed",
                    "shift ends before it starts",
                    "swap the ends",
                )
            for key in ("count", "fixed_cost", "distance_cost", "time_cost", "max_distance", "max_duration"):
                if row[key] < 0:
                    yield fault(f"{place}.{key}", row[key], "negative", f"{key} is negative", "use 0 or more")
            if min(row["capacity"], default=0) < 0:
                yield fault(
                    f"{place}.capacity", row["capacity"], "negative", "capacity is negative", "use 0 or more"
                )
            for key in ("start_depot", "end_depot"):
                if not 0 <= row[key] < len(self._depots):
                    yield fault(
                        f"{place}.{key}",
                        row[key],
                        "no-such-depot",
                        "no such depot",
                        f"use 0 to {len(self._depots) - 1}",
                    )
            if not 0 <= row["profile"] < max(1, len(self._travel)):
                yield fault(
                    f"{place}.profile",
                    row["profile"],
                    "no-such-profile",
                    "no such travel profile",
                    "add it first",
                )
        missing_xy = any(np.isnan(row["xy"]).any() for row in self._depots + self._visits)
        for k, travel in enumerate(self._travel or [Travel(metric=Metric.EUCLIDEAN_ROUND)]):
            place = f"travel[{k}]"
            if not travel.is_matrix:
                if missing_xy:
                    yield fault(
                        place, "", "no-coordinates", "nodes without coordinates", "give x and y or a matrix"
                    )
                continue
            for key in ("distance", "duration"):
                matrix = getattr(travel, key)
                if matrix is None or matrix.shape != (nodes, nodes):
                    found = None if matrix is None else matrix.shape
                    yield fault(
                        f"{place}.{key}",
                        found,
                        "matrix-shape",
                        f"{key} is not {nodes} x {nodes}",
                        "one row per node",
                    )
                elif (matrix < 0).any():
                    i, j = np.argwhere(matrix < 0)[0]
                    yield fault(
                        f"{place}.{key}[{i}, {j}]",
                        matrix[i, j],
                        "negative",
                        f"{key} is negative",
                        "use 0 or more",
                    )
