"""The routing problem as frozen arrays. Build one with `solvers.builder.ProblemBuilder` or a reader.

Nodes are numbered depots first, then visits: visit v is node `num_depots + v`. All quantities are integers
whose scale the maker of the problem chooses (a benchmark with one decimal is read times ten); in the
logistics domain they are seconds, metres, grams, millilitres and minor currency units times `cost_scale`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.travel import FloatArray, IntArray, Travel

UNLIMITED = np.int64(2**60)  # stands for "no limit" in every integer array; sums of a few stay in int64
FAR = UNLIMITED // 2  # what a route's times leave of "no limit" is still beyond this

BoolArray = NDArray[np.bool_]
BitArray = NDArray[np.uint64]


def _like(old: Any, key: str, value: Any) -> Any:
    """`value` as the field `key` holds it, of which `old` is the present value."""
    if value is None:
        return None
    if isinstance(old, np.ndarray):
        return _frozen(value, old.dtype)
    if old is None and key not in ("reload_depots", "locked", "stations"):
        return _frozen(value, np.bool_ if np.asarray(value).dtype == np.bool_ else np.int64)
    return tuple(value)


def _frozen(values: Any, dtype: Any) -> Any:
    array = np.array(values, dtype=dtype, order="C", copy=True)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Depots:
    """Where routes start and end. `tw` is (d, 2): the earliest departure and latest return."""

    tw: IntArray
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """What is to be served; every array has one row per visit, D is the number of load dimensions.

    delivery, pickup  (n, D)  amounts carried from the depot to the visit, and from it to the depot
    service           (n,)    time spent at the visit
    tw                (n, 2)  service may start no earlier and no later than this; early arrivals wait
    release           (n,)    the route that serves the visit starts no earlier than this
    required          (n,)    mandatory visits; the others may be left out at the loss of their prize
    prize             (n,)    cost of leaving an optional visit out
    skills            (n,)    bit set; a vehicle must have all of these bits
    priority          (n,)    where not all mandatory visits fit, those with the highest number go first

    None where no visit uses them:

    backhaul        (n,)    served only after all visits of its trip that are no backhauls
    service_by_type (n, t)  time spent at the visit by each vehicle type, instead of `service`
    group           (n,)    number of the group of alternatives (home or locker) of which one is served, or -1
    pair            (n,)    the visit that collects what this visit delivers, or -1 where the depot gives it
    gaps            (g, 3)  visit, closes, opens: between its windows, inside `tw`, service may not start
    due, late_cost  (n,)    each unit of time that service starts after `due` costs `late_cost`
    split           (n,)    its delivery, or pickup, may be shared by several routes or trips
    previous, change_cost  (n,)  the vehicle type that served the visit in the plan before, or -1, and what it
                            costs to have another type serve it

    A group is required if its members are; of an optional one the largest prize is lost, less that of the
    member served. Goods of a pair are the `pickup` of the one and the `delivery` of the other, on board from
    one to the other.
    """

    delivery: IntArray
    pickup: IntArray
    service: IntArray
    tw: IntArray
    release: IntArray
    required: BoolArray
    prize: IntArray
    skills: BitArray
    priority: IntArray
    names: tuple[str, ...]
    backhaul: BoolArray | None = None
    service_by_type: IntArray | None = None
    group: IntArray | None = None
    pair: IntArray | None = None
    gaps: IntArray | None = None
    due: IntArray | None = None
    late_cost: IntArray | None = None
    previous: IntArray | None = None
    change_cost: IntArray | None = None
    split: BoolArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class VehicleTypes:
    """The fleet, one row per vehicle type.

    count           (t,)    vehicles of this type; each does at most one route
    capacity        (t, D)
    fixed_cost      (t,)    per vehicle used
    distance_cost   (t,)    per unit of distance
    time_cost       (t,)    per unit of route duration (waiting included)
    start_depot, end_depot  (t,)  depot numbers
    shift           (t, 2)  earliest departure and latest return
    max_distance, max_duration  (t,)
    skills          (t,)    bit set of what the type can do
    profile         (t,)    index into `Problem.travel`

    None where no type uses them:

    open_end        (t,)    routes end at their last visit; `end_depot` only lends its opening hours
    overtime_after, overtime_cost  (t,)  cost per unit of route duration beyond `overtime_after`
    lifo            (t,)    goods of pairs are unloaded in the reverse order of loading
    reload_depots           per type the depots where a route may end a trip and start the next
    max_reloads     (t,)    trips after the first
    reload_time     (t,)    time spent at the depot between two trips
    locked                  per type the visits that its route begins with. A vehicle under way is a type of
                            its own with one vehicle: its place is the start depot, its time the shift's start
    duty            (t, 4)  rows of a `solvers.duty.DutyRule`, zeros for types without one
    on_board        (t, D)  load at the start besides the deliveries of the first trip, kept to that trip's end
    battery         (t, 6)  rows of a `solvers.battery.Battery`, zeros for types without one
    stations                per type the depots where it may charge on the way; stations are depots, too
    """

    count: IntArray
    capacity: IntArray
    fixed_cost: IntArray
    distance_cost: IntArray
    time_cost: IntArray
    start_depot: IntArray
    end_depot: IntArray
    shift: IntArray
    max_distance: IntArray
    max_duration: IntArray
    skills: BitArray
    profile: IntArray
    names: tuple[str, ...]
    open_end: BoolArray | None = None
    overtime_after: IntArray | None = None
    overtime_cost: IntArray | None = None
    lifo: BoolArray | None = None
    reload_depots: tuple[tuple[int, ...], ...] | None = None
    max_reloads: IntArray | None = None
    reload_time: IntArray | None = None
    locked: tuple[tuple[int, ...], ...] | None = None
    on_board: IntArray | None = None
    duty: IntArray | None = None
    battery: IntArray | None = None
    stations: tuple[tuple[int, ...], ...] | None = None


class Objective(StrEnum):
    """What is minimised once no more mandatory visits can be served."""

    COST = "cost"
    VEHICLES = "vehicles"  # the number of routes, then the cost
    LONGEST = "longest"  # the duration of the longest route, then the cost


@dataclass(frozen=True, eq=False)
class Problem:
    """A vehicle routing problem, immutable. `replace` varies it.

    coords is (N, 2) float64 over all nodes, or None where matrices are given. `cost_scale` is the number of
    cost units in one unit that people read; solvers ignore it. `backhauls_alone` says whether a trip may
    consist of backhauls only.
    """

    depots: Depots
    visits: Visits
    vehicle_types: VehicleTypes
    travel: tuple[Travel, ...]
    coords: FloatArray | None = None
    name: str = ""
    cost_scale: int = 1
    skill_names: tuple[str, ...] = ()
    backhauls_alone: bool = True
    objective: Objective = Objective.COST

    @property
    def num_depots(self) -> int:
        return len(self.depots.tw)

    @property
    def num_visits(self) -> int:
        return len(self.visits.service)

    @property
    def num_nodes(self) -> int:
        return self.num_depots + self.num_visits

    @property
    def num_vehicles(self) -> int:
        return int(np.minimum(self.vehicle_types.count, self.num_visits).sum())

    @property
    def num_load_dimensions(self) -> int:
        return int(self.visits.delivery.shape[1])

    @cached_property
    def features(self) -> frozenset[str]:
        """Names of the features that this problem uses; a solver must declare them all."""
        from solvers.features import features_of

        return features_of(self)

    @cached_property
    def closed_times(self) -> dict[int, list[tuple[int, int]]]:
        """(closes, opens) of the gaps between windows, by visit; visits without gaps are left out."""
        found: dict[int, list[tuple[int, int]]] = {}
        for visit, closes, opens in [] if self.visits.gaps is None else self.visits.gaps.tolist():
            found.setdefault(visit, []).append((closes, opens))
        return found

    @cached_property
    def members(self) -> dict[int, tuple[int, ...]]:
        """The visits of each exclusive group, ascending."""
        found: dict[int, tuple[int, ...]] = {}
        for visit, group in enumerate([] if self.visits.group is None else self.visits.group.tolist()):
            if group >= 0:
                found[group] = (*found.get(group, ()), visit)
        return found

    def partner(self, visit: int) -> int | None:
        """The other end of the pair that `visit` belongs to."""
        return self._partners.get(visit)

    @cached_property
    def _partners(self) -> dict[int, int]:
        pair = [] if self.visits.pair is None else self.visits.pair.tolist()
        ends = [(start, end) for end, start in enumerate(pair) if start >= 0]
        return {**dict(ends), **{end: start for start, end in ends}}

    def replace(self, **changes: Any) -> Problem:
        """A copy with some fields changed; fields of `visits` and `vehicle_types` are named directly.

        `problem.replace(name="x")`, `problem.replace(tw=new_windows)`, `problem.replace(count=[3])`.
        """
        parts: dict[str, dict[str, Any]] = {"visits": {}, "vehicle_types": {}}
        own: dict[str, Any] = {}
        names = {part: [f.name for f in dataclasses.fields(getattr(self, part))] for part in parts}
        for key, value in changes.items():
            if key in {f.name for f in dataclasses.fields(self)}:
                own[key] = value
                continue
            part = next((p for p, fields in names.items() if key in fields), None)
            if part is None:
                raise TypeError(f"Problem has no field {key!r}")
            old = getattr(getattr(self, part), key)
            parts[part][key] = _like(old, key, value)
        for part, values in parts.items():
            if values:
                own[part] = dataclasses.replace(own.get(part, getattr(self, part)), **values)
        return dataclasses.replace(self, **own)
