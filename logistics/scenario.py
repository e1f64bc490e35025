"""The scenario file: what a planner writes. TOML in, one validated `Scenario` out.

Clock times are local, written "HH:MM" and counted on past midnight ("30:00" is 06:00 the next day). Field
names carry their unit: `_s` seconds, `_m` metres, `_g` grams, `_ml` millilitres, `_j` joules, `_minor` minor
currency units (cents, fen). Cross-references and files are checked by `logistics.validate`, not here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from logistics.sections import (
    DAY_S,
    DUMPED,
    LARGEST,
    Capacity,
    ClockTime,
    ClockWindow,
    Count,
    Few,
    Hourly,
    Identifier,
    NonNegative,
    Positive,
    Seconds,
    Section,
    Share,
    Shift,
    Spread,
)
from logistics.sections import wrong as _wrong
from logistics.sorting import SortingSection
from logistics.storage import StorageSection

# what others take from here though `sections` defines it
__all__ = [
    "DAY_S",
    "DUMPED",
    "LARGEST",
    "Capacity",
    "ClockTime",
    "ClockWindow",
    "Count",
    "Few",
    "Hourly",
    "Identifier",
    "NonNegative",
    "Positive",
    "Seconds",
    "Section",
    "Share",
    "Shift",
    "Spread",
]


def _no_number(value: Any) -> Any:
    if isinstance(value, (int, float)):
        raise _wrong(
            "bad-moment", "a number is no moment", "write it as 2026-06-18T00:00:00+08:00, without quotes"
        )
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_no_number)]


class General(Section):
    """Name, clock and currency of the run."""

    name: Identifier  # of the run and its folder
    description: str = ""  # shown in the report
    start: Moment  # simulated time zero
    timezone: str  # IANA name; clock times are local
    horizon_days: Annotated[int, Field(ge=1, le=60)] = 4  # a bound; the run ends when every parcel is final
    stop_at: Moment | None = None  # cut the run there, whatever is open: another run may go on from it
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"  # ISO 4217
    measure_from: Moment | None = None  # only parcels placed inside the window count in the KPIs
    measure_to: Moment | None = None  # end of that window

    @field_validator("start")
    @classmethod
    def _datable(cls, value: datetime) -> datetime:
        if not 1900 <= value.year <= 2200:
            raise _wrong("start-out-of-range", "no calendar reaches there", "write a year from 1900 to 2200")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise _wrong("unknown-timezone", "no such time zone", 'write an IANA name, e.g. "Asia/Shanghai"')
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def local_start(self) -> datetime:
        """The start as local wall-clock time."""
        return self.start.astimezone(self.zone)

    @property
    def start_second_of_day(self) -> int:
        at = self.local_start
        return at.hour * 3600 + at.minute * 60 + at.second


class RoadsSection(Section):
    """Where travel distances and times come from."""

    kind: Literal["great-circle", "osm", "hourly-graph", "graph"] = "great-circle"  # or a file with streets
    path: str | None = None  # for osm, hourly-graph and graph
    detour_factor: Annotated[float, Field(ge=1, le=10)] = 1.3  # great-circle: metres driven per metre flown
    speeds_kmh: Hourly | None = None  # local traffic by hour of day; required for great-circle
    linehaul_speeds_kmh: Hourly | None = None  # trucks between sites; `speeds_kmh` where absent
    max_snap_m: Positive = 1000.0  # places farther from every street are faults
    slowdown_cv: Spread = 0.0  # coefficient of variation of each trip's travel time (lognormal, mean 1)


class StageSection(Section):
    """One working step at a site: a queue with servers."""

    name: Literal["pick", "pack", "sort"]  # warehouses pick, pack and sort; hubs and stations sort
    service_s: Seconds  # per parcel
    per_line_s: Seconds = 0.0  # more per order line in the parcel (picking)
    cv: Spread = 0.0  # coefficient of variation of the service time (lognormal)
    transfer_s: Seconds = 0.0  # conveyor or walk to the next stage
    shifts: Annotated[list[Shift], Field(min_length=1)]  # who works when
    wage_minor_per_hour: NonNegative = 0.0  # per worker on shift


class SiteSection(Section):
    """A place in the network. Suppliers refill warehouses; merchants hand over origin–destination parcels."""

    id: Identifier  # referred to elsewhere
    kind: Literal["supplier", "warehouse", "hub", "station", "locker", "merchant"]  # what it does
    lon: Annotated[float, Field(ge=-180, le=180)]  # degrees east
    lat: Annotated[float, Field(ge=-90, le=90)]  # degrees north
    docks: Few = 2  # trucks served at once
    unload_s_per_parcel: Seconds = 1.0  # at one dock
    load_s_per_parcel: Seconds = 0.5  # at one dock
    space_parcels: Count | None = None  # compartments of a locker; elsewhere only reported against
    space_minor_per_day: NonNegative = 0.0  # rent
    handling_minor_per_parcel: NonNegative = 0.0  # each parcel that comes or leaves on a vehicle, once
    stages: list[StageSection] = []  # working steps in their order
    storage: StorageSection | None = None  # warehouses: what does the picking, in place of the stage "pick"
    sorting: SortingSection | None = None  # hubs and stations: what sorts, in place of the stage "sort"
    station: Identifier | None = None  # lockers and merchants: the station whose vans come
    pickup_window: ClockWindow | None = None  # merchants
    dwell_s: Seconds = 28_800  # lockers: mean time until the customer collects

    def manned(self, stage: str) -> bool:
        """Whether the workers on a stage's shift are its servers, as they are not beside machines or in aisles.

        There many parcels are under way at once, and the machinery tells its own figures.
        """
        machines = {"pick": self.storage, "sort": self.sorting}
        return machines.get(stage) is None


class AreaSection(Section):
    """A destination area: what the sort plan sorts by. Its parcels are delivered from one station."""

    id: Identifier  # referred to elsewhere
    station: Identifier  # delivers it
    lon: Annotated[float, Field(ge=-180, le=180)]  # degrees east of the centre
    lat: Annotated[float, Field(ge=-90, le=90)]  # degrees north of the centre
    radius_m: Annotated[
        float, Field(gt=0, le=200_000)
    ]  # two thirds of the places lie within this distance of the centre
    weight: NonNegative = 1.0  # share of demand streams that spread by weight, e.g. the population
    places: Few = 500  # distinct addresses generated in the area


class VehicleSection(Section):
    """A kind of vehicle, with what it costs and uses."""

    id: Identifier  # referred to elsewhere
    role: Literal["linehaul", "delivery", "drone"]  # between sites, to doors by road, or to doors by air
    capacity_g: Capacity  # payload
    capacity_ml: Capacity  # cargo space
    day_minor: NonNegative = 0.0  # per vehicle and day on duty
    km_minor: NonNegative = 0.0  # wear, tyres, without energy
    wage_minor_per_hour: NonNegative = 0.0  # driver, per hour on duty
    piece_minor_per_parcel: NonNegative = 0.0  # where drivers are paid by the piece
    energy_j_per_m: NonNegative = 0.0  # from the battery or tank
    energy_minor_per_kwh: NonNegative = 0.0  # price
    co2_g_per_kwh: NonNegative = 0.0  # of the energy
    max_stops: Few | None = None  # on one route; no limit where absent
    # drones only
    cruise_mps: Positive = 15.6  # level flight
    vertical_mps: Positive = 5.0  # climb and descent
    altitude_m: NonNegative = 50.0  # of level flight
    empty_mass_kg: Positive = 1.5  # without battery load
    battery_j: Positive = 600_000.0  # when full
    reserve_share: Share = 0.2  # of the battery that stays unused
    launch_s: Seconds = 60.0  # before take-off
    recovery_s: Seconds = 30.0  # after landing
    swap_s: Seconds = 120.0  # battery swap between sorties


class FleetSection(Section):
    """Vehicles of one kind based at one station."""

    site: Identifier  # a station
    vehicle: Identifier  # a kind of vehicle
    count: Count  # before fleet_scale
    shift: ClockWindow = ClockWindow(opens="07:00", closes="20:00")  # type: ignore[arg-type]  # on duty, every day


class LaneSection(Section):
    """Linehaul from one site to the next by timetable."""

    id: Identifier  # referred to elsewhere
    origin: Identifier  # site
    destination: Identifier  # site
    vehicle: Identifier  # a linehaul vehicle
    departures: Annotated[list[ClockTime], Field(min_length=1)]  # every day
    cutoff_s: Seconds = 900  # parcels must be sorted this long before departure
    trucks: Few = 1  # per departure
    toll_minor: NonNegative = 0.0  # per trip


class ContainerSection(Section):
    """A bag, tote or roll cage that parcels travel in between sites."""

    id: Identifier  # referred to elsewhere
    capacity_ml: Capacity  # inside
    capacity_g: Capacity  # payload


class SortRow(Section):
    """At `site`, parcels for `area` and `service` go to `next` in a `container`.

    "*" matches all; the row that names more wins, an area before a service.
    """

    site: Identifier  # where it is sorted
    area: str = "*"  # destination
    service: str = "*"  # service class
    next: Identifier  # site it is sent to
    container: Identifier  # it travels in


class SortPlanSection(Section):
    """The sort plan; pairs that no row covers are derived from the lanes (least scheduled time) if wanted."""

    path: str | None = None  # CSV with columns site, area, service, next, container
    rows: list[SortRow] = []  # instead of or beside the file
    derive: bool = True  # fill in what no row covers
    container: Identifier | None = None  # for derived rows


class ServiceSection(Section):
    """A service class and its promise, given in one of two ways.

    `promise_after_s`: so long after the order was placed. Or `promise_day` and `promise_clock`: by that clock
    time so many days after the order's day, a day more when it was placed after `order_cutoff`.
    """

    id: Identifier  # referred to elsewhere
    promise_after_s: Annotated[int, Field(gt=0, le=60 * DAY_S)] | None = None  # counted from the order
    promise_day: Annotated[int, Field(ge=0, le=60)] | None = None  # 0 is the day of the order
    promise_clock: ClockTime | None = None  # latest delivery on that day
    order_cutoff: ClockTime = DAY_S  # orders after it count as the next day's
    priority: Count = 1  # 0 is served first at every stage
    late_minor_per_parcel: NonNegative = 0.0  # penalty
    late_minor_per_hour: NonNegative = 0.0  # penalty, growing
    drone: bool = False  # may fly where a drone is at hand

    @model_validator(mode="after")
    def _one_promise(self) -> ServiceSection:
        by_clock = self.promise_day is not None and self.promise_clock is not None
        if (self.promise_after_s is None) == (not by_clock):
            raise _wrong(
                "promise-rule",
                "the promise is given twice or not at all",
                "give either promise_after_s, or both promise_day and promise_clock",
            )
        return self


class SizeClass(Section):
    """A parcel size class of volume tables: lognormal weight and volume, given by median and sigma."""

    id: Identifier  # referred to elsewhere
    weight_g: Positive  # median
    volume_ml: Positive  # median
    sigma: Spread = 0.3  # of the logarithm


class StreamSection(Section):
    """A demand stream in short form: a daily total spread over hours, areas, services and sizes.

    From warehouses these are orders of the catalogue's items; from merchants, hubs or stations they are
    origin–destination parcels.
    """

    origins: dict[Identifier, NonNegative]  # site -> weight
    per_day: NonNegative  # orders, or parcels where there is no stock
    hourly: Hourly  # weights of the hours of a day
    days: Annotated[int, Field(ge=1, le=60)] = 1  # on which they are ordered
    services: dict[Identifier, NonNegative]  # service class -> weight
    sizes: dict[Identifier, NonNegative] = {}  # origin–destination parcels
    areas: dict[Identifier, NonNegative] = {}  # empty: by area weight
    lines_per_order: Annotated[float, Field(ge=1, le=1000)] = 1.5  # mean, geometric
    units_per_line: Annotated[float, Field(ge=1, le=1000)] = 1.2  # mean, geometric
    locker_share: Share = 0.0  # of the orders that go to a locker of their area's station


class OrderFileSection(Section):
    """Orders from a CSV or Parquet file, by a column map (see `logistics import orders`)."""

    path: str  # CSV or Parquet
    map: str = "uci-online-retail"  # a built-in map, or a TOML file with one
    warehouse: Identifier  # that ships them
    service: Identifier  # service class of all of them
    from_time: datetime | None = None  # naive: the file's own clock
    to_time: datetime | None = None  # end, not included
    one_day: bool = False  # lay all orders on the scenario's first day by their time of day
    places: Literal["areas", "buildings"] = "areas"  # where customers live
    buildings_path: str | None = None  # an .osm.pbf


class DemandSection(Section):
    """What is ordered. Volumes, streams and an order file may be combined; `scale` multiplies all counts."""

    scale: NonNegative = 1.0  # 1.2 is a fifth more
    volumes: str | None = None  # CSV: origin, area, service, hour, size_class, parcels
    streams: list[StreamSection] = []  # short form
    order_file: OrderFileSection | None = None  # real orders
    sizes: list[SizeClass] = []  # parcel size classes
    max_parcel_g: Capacity = 20_000  # orders are split into parcels no larger than this
    max_parcel_ml: Capacity = 120_000  # likewise


class ItemRule(Section):
    """Properties of items whose code or description matches the regular expression; first match wins."""

    match: str = ".*"  # against the code and the description
    category: str  # path such as home/kitchen
    weight_g: Positive  # of one unit
    volume_ml: Positive  # of one unit
    per_price: bool = False  # weight and volume grow with the square root of the price
    handling: Literal["standard", "fragile", "cold", "bulky"] = "standard"  # handling class

    @field_validator("match")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise _wrong("bad-pattern", f"not a regular expression: {error}", "mend the pattern") from None
        return value


class CatalogueSection(Section):
    """Items: a CSV table (code, category, weight_g, volume_ml, price_minor, handling), and rules for others.

    Synthetic demand draws from `items` made-up items whose popularity falls with their rank.
    """

    path: str | None = None  # CSV table of items
    rules: list[ItemRule] = []  # for items that the table lacks
    items: Few = 1000  # how many are made up
    zipf: NonNegative = 0.8  # popularity ~ rank ** -zipf


class StockSection(Section):
    """Stock at warehouses: initial cover, and refill from suppliers by (s, S) after a lead time."""

    initial_days: NonNegative = 3.0  # of the scenario's own mean demand per item, at least one unit
    reorder_days: NonNegative = 1.0  # s
    order_up_to_days: NonNegative = 3.0  # S
    review: ClockTime = 6 * 3600  # once a day
    backorder_s: Seconds = 2 * DAY_S  # how long a parcel waits for stock before it is cancelled


class SolveTime(Section):
    """Solve time charged to simulated time: floor + per stop, at most the ceiling, in seconds."""

    floor_s: Seconds = 5.0  # shortest
    per_stop_s: Seconds = 0.05  # added for each stop
    ceiling_s: Seconds = 300.0  # longest


class Wave(Section):
    """When work is released: at clock times, or every so many seconds inside a window; for some services."""

    services: list[Identifier] = []  # empty: all
    at: list[ClockTime] = []  # clock times
    every_s: Annotated[int, Field(ge=60, le=DAY_S)] | None = None  # inside the window
    window: ClockWindow = ClockWindow(opens="00:00", closes="24:00")  # type: ignore[arg-type]  # for every_s

    @model_validator(mode="after")
    def _one_rule(self) -> Wave:
        if bool(self.at) == (self.every_s is not None):
            raise _wrong("wave-rule", "a wave needs exactly one rule", "give either at or every_s")
        return self


class DispatchSection(Section):
    """How open orders become plans."""

    solver: str = "savings"  # see `logistics solvers`
    iterations: Few | None = None  # of the solver, at most, a problem; by default what it finds enough
    parameters: dict[str, Any] = {}  # of the solver
    solve_time: SolveTime = SolveTime()  # charged to the simulated clock
    intake_s: Few = 60  # orders are taken in this often
    warehouse_waves: Annotated[list[Wave], Field(min_length=1)]  # release work to the warehouse floors
    delivery_waves: Annotated[list[Wave], Field(min_length=1)]  # send out vans and drones
    collection_waves: list[Wave] = []  # send out vans to merchants
    max_attempts: Few = 3  # at a door, before the parcel is returned
    max_stops: Few = 3000  # per routing problem; the most urgent go first


class DeliverySection(Section):
    """At the door."""

    parking_s: Seconds = 90.0  # per stop at a new place
    per_stop_s: Seconds = 60.0  # at the door
    per_parcel_s: Seconds = 15.0  # handing over
    cv: Spread = 0.3  # of the stop's service time (lognormal)
    failure: Share = 0.05  # nobody answers
    window: ClockWindow = ClockWindow(opens="08:00", closes="21:00")  # type: ignore[arg-type]  # doors are open
    failed_minor: NonNegative = 0.0  # cost of one failed attempt


class DisruptionSection(Section):
    """Something that goes wrong, between two moments."""

    kind: Literal[
        "site_closed",
        "lane_closed",
        "slow_roads",
        "chute_blocked",
        "induction_closed",
        "robot_stopped",
        "station_closed",
        "stock_wrong",
    ]  # what happens; the last five inside a sorter or storage
    target: Identifier | None = None  # site or lane
    number: Count = 0  # of the chute, induction, robot, pick station or zone, from 0
    item: str | None = None  # stock_wrong: its code; absent: the item most asked for there
    units: Count = 0  # stock_wrong: that vanish when it starts, and are missed when somebody reaches for them
    starts: Moment  # with offset
    ends: Moment  # with offset
    factor: Annotated[float, Field(ge=1, le=1000)] = 1.0  # slow_roads: travel takes so many times longer

    @model_validator(mode="after")
    def _ordered(self) -> DisruptionSection:
        if self.ends <= self.starts:
            raise _wrong(
                "window-order", "the disruption ends before it starts", "put the earlier moment first"
            )
        return self


def _flatten(value: Any) -> Any:
    """`sites.docks = "..."` without quotes is a nested table in TOML; make it one dotted key again."""
    if not isinstance(value, dict):
        return value
    flat: dict[Any, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            flat.update({f"{key}.{inner}": leaf for inner, leaf in _flatten(item).items()})
        else:
            flat[key] = item
    return flat


Mark = Annotated[str, Field(pattern=r"^(observed|derived|assumed)\b")]
Basis = Annotated[dict[str, Mark], BeforeValidator(_flatten)]


class Scenario(Section):
    """A whole scenario.

    `basis` marks inputs as observed, derived or assumed: keys are dotted paths without list numbers (the
    longest that fits an input speaks for it), values "observed: note", "derived: note" or "assumed: note".
    """

    schema_version: Annotated[Literal[1], Field(alias="schema")]  # version of this format
    scenario: General  # name, clock, currency
    basis: Basis  # where inputs come from
    roads: RoadsSection  # distances and travel times
    sites: Annotated[list[SiteSection], Field(min_length=1)]  # places of the network
    areas: Annotated[list[AreaSection], Field(min_length=1)]  # where customers live
    vehicles: Annotated[list[VehicleSection], Field(min_length=1)]  # kinds of vehicles
    fleet: Annotated[list[FleetSection], Field(min_length=1)]  # vans and drones of the stations
    fleet_scale: NonNegative = 1.0  # multiplies every count in `fleet`, rounded
    lanes: list[LaneSection] = []  # linehaul timetable
    containers: Annotated[list[ContainerSection], Field(min_length=1)]  # kinds of containers
    sort_plan: SortPlanSection = SortPlanSection()  # which way parcels go
    services: Annotated[list[ServiceSection], Field(min_length=1)]  # service classes and promises
    demand: DemandSection  # what is ordered
    catalogue: CatalogueSection = CatalogueSection()  # what items are
    stock: StockSection = StockSection()  # what warehouses hold
    dispatch: DispatchSection  # how orders become plans
    delivery: DeliverySection = DeliverySection()  # times and luck at doors
    disruptions: list[DisruptionSection] = []  # what goes wrong

    _folder: Path = Path()  # of the scenario file; relative paths start there

    @classmethod
    def of_dump(cls, document: Mapping[str, Any]) -> Scenario:
        """The scenario that `model_dump(mode="json", by_alias=True)` gave."""
        return cls.model_validate(document, context=DUMPED)

    @property
    def folder(self) -> Path:
        """The folder of the scenario file."""
        return self._folder

    def path(self, text: str) -> Path:
        """A file the scenario names: environment variables expanded, relative to the scenario's folder."""
        return self._folder / os.path.expandvars(text)

    def seconds(self, moment: datetime) -> int:
        """Seconds from the scenario's start to an aware moment."""
        return round((moment - self.scenario.start).total_seconds())
