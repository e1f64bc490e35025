"""What stands in the native problem.json and solution.json, as pydantic models; the JSON Schemas come from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

Amount = Annotated[int, Field(ge=0, lt=2**60)]
Time = Annotated[int, Field(gt=-(2**60), lt=2**60)]
Window = tuple[Time, Time | None]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class DepotPart(_Part):
    """Where routes start and end. `tw`: earliest departure, latest return (null: any time)."""

    x: FiniteFloat | None = None
    y: FiniteFloat | None = None
    tw: Window = (0, None)
    name: str = ""


class VisitPart(_Part):
    """A place to serve; loads are listed by dimension. `tw`: earliest and latest start of service; `windows`
    instead, where there are several. Of the visits of one `group` one is served. `pickup_at` is the position
    of the visit where the goods delivered here are collected. Service after `due` costs `late_cost` a unit."""

    x: FiniteFloat | None = None
    y: FiniteFloat | None = None
    delivery: list[Amount] = []
    pickup: list[Amount] = []
    service: Amount = 0
    tw: Window = (0, None)
    release: Amount = 0
    required: bool = True
    prize: Amount = 0
    skills: list[str] = []
    priority: Time = 0
    name: str = ""
    windows: list[Window] = []
    backhaul: bool = False
    service_by_type: dict[str, Amount] = {}
    group: str | None = None
    pickup_at: Amount | None = None
    due: Amount | None = None
    late_cost: Amount = 0
    previous: str | None = None
    change_cost: Amount = 0
    split: bool = False


class DutyPart(_Part):
    """A driver's hours: a break of `break_time` after `max_driving_between`, in two parts if `first_part` is given;
    `max_driving` in all (0: no limit)."""

    max_driving_between: Amount
    break_time: Amount
    first_part: Amount = 0
    max_driving: Amount = 0


class BatteryPart(_Part):
    """A battery: `consumption` per unit of distance, `rate` per unit of time at a station, `initial` at the start
    (null: full), at least `reserve` on every arrival; `cost` per unit of energy charged on the way."""

    capacity: Amount
    consumption: Amount
    rate: Amount
    initial: Amount | None = None
    reserve: Amount = 0
    cost: Amount = 0


class VehicleTypePart(_Part):
    """Vehicles of one kind; null in `count`, `capacity` or a maximum is no limit. Depots and the travel profile are
    positions in their lists, from 0."""

    count: Amount | None = 1
    capacity: list[Amount | None] = []
    fixed_cost: Amount = 0
    distance_cost: Amount = 1
    time_cost: Amount = 0
    start_depot: Amount = 0
    end_depot: Amount | None = None
    shift: Window = (0, None)
    max_distance: Amount | None = None
    max_duration: Amount | None = None
    skills: list[str] = []
    profile: Amount = 0
    name: str = ""
    open_end: bool = False
    overtime_after: Amount | None = None
    overtime_cost: Amount = 0
    lifo: bool = False
    reload_depots: list[Amount] = []
    max_reloads: Amount | None = None
    reload_time: Amount = 0
    locked: list[Amount] = []
    on_board: list[Amount] = []
    duty: DutyPart | None = None
    battery: BatteryPart | None = None
    stations: list[Amount] = []


class SpeedsPart(_Part):
    """Speeds by category of arc and period: `values` has a row per category and a speed per period, which begins
    at its `starts`; `category` has a string per origin node, one digit per destination."""

    starts: list[FiniteFloat]
    values: list[list[FiniteFloat]]
    category: list[str] | None = None


class MatrixPart(_Part):
    """Travel between all nodes, depots first: a row per origin. Durations default to the distances."""

    metric: Literal["matrix"]
    distance: list[list[Amount]]
    duration: list[list[Amount]] | None = None
    speeds: SpeedsPart | None = None


class MetricPart(_Part):
    """Travel computed from the coordinates; x and y are longitude and latitude for `haversine`."""

    metric: Literal["euclidean_round", "euclidean_truncate", "haversine"]
    scale: Annotated[FiniteFloat, Field(gt=0)] = 1.0
    duration_per_distance: Annotated[FiniteFloat, Field(ge=0)] = 1.0
    speeds: SpeedsPart | None = None


class ProblemFile(_Part):
    """A routing problem. All quantities are integers in units that its maker chooses."""

    format: Literal["logistics-problem/1"]
    name: str = ""
    cost_scale: Annotated[int, Field(ge=1)] = 1
    objective: Literal["cost", "vehicles", "longest"] = "cost"
    backhauls_alone: bool = True
    depots: list[DepotPart]
    visits: list[VisitPart]
    vehicle_types: list[VehicleTypePart]
    travel: list[Annotated[MatrixPart | MetricPart, Field(discriminator="metric")]] = []


class HaltPart(_Part):
    """A stop at the depot `place`, ahead of the route's visit at position `before`, to start the next trip or,
    with `charge`, to charge the battery."""

    before: Amount
    place: Amount
    charge: bool = False


class AmountPart(_Part):
    """What the route's visit at `position` gets of its demand, by load dimension."""

    position: Amount
    amount: list[Amount]


class RoutePart(_Part):
    """One vehicle's visits in order; all are positions in the problem's lists, from 0."""

    vehicle_type: Amount = 0
    visits: list[Amount]
    halts: list[HaltPart] = []
    parts: list[AmountPart] = []


class SolutionFile(_Part):
    """Routes for a problem. `cost` and `unserved` are what the checker found when the file was written."""

    format: Literal["logistics-solution/1"]
    problem: str = ""
    cost: int | None = None
    unserved: list[Amount] = []
    routes: list[RoutePart]
