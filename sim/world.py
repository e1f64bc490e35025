"""What all actors of the twin share: the clock, the parcels and where they are, sites, roads, luck and records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import numpy as np
import simpy

from logistics.clock import LocalClock
from logistics.dispatch.messages import Event, ParcelsReady
from logistics.network import Network
from logistics.roads import Roads
from logistics.scenario import Scenario, StageSection
from logistics.sort_plan import SortPlan
from logistics.tables import Demand, FloatArray, IntArray, RowArray
from sim.custody import CANCELLED, CUSTOMER, OUT_OF_STOCK, RETURNED, Custody
from sim.draws import KeyArray, RowDraws
from sim.floor import SiteFloor
from sim.random_streams import Streams
from sim.record import Recorder

STAMPS = (
    "accepted_s", "reserved_s", "collected_s", "released_s", "picked_s", "packed_s",
    "sorted_s", "station_s", "ready_s", "loaded_s", "final_s",
)  # fmt: skip
STAMP_OF_STAGE = {"pick": "picked_s", "pack": "packed_s", "sort": "sorted_s"}
STAGES = ("pick", "pack", "sort")
FINAL = (CUSTOMER, CANCELLED, OUT_OF_STOCK, RETURNED)
NO_MODE, VAN, DRONE = -1, 0, 1

Process = Generator[simpy.Event, object, None]


@dataclass
class ParcelState:
    """The changing side of parcels: timestamps (NaN until they come), attempts, how they went to the door."""

    stamps: dict[str, FloatArray]
    attempts: IntArray
    delivered_first: RowArray  # 1, 0, or -1 when never attempted
    mode: RowArray

    @classmethod
    def of(cls, count: int) -> ParcelState:
        return cls(
            {name: np.full(count, np.nan) for name in STAMPS},
            np.zeros(count, dtype=np.int64),
            np.full(count, -1, dtype=np.int32),
            np.full(count, NO_MODE, dtype=np.int32),
        )


@dataclass
class World:
    """Shared by trucks, vans, drones and the warehouse floor. `tell` hands events to the dispatcher."""

    env: simpy.Environment
    scenario: Scenario
    clock: LocalClock
    demand: Demand
    network: Network
    sort_plan: SortPlan
    roads: Roads
    linehaul_roads: Roads
    streams: Streams
    custody: Custody
    record: Recorder
    tell: Callable[[Event], None]
    key: KeyArray  # what names each parcel in draws of luck
    parcels: ParcelState = field(init=False)
    floors: dict[int, SiteFloor] = field(default_factory=dict)
    trips: int = 0
    closing: bool = False  # after the cut: what is under way comes to its end, nothing new begins

    def __post_init__(self) -> None:
        orders, parcels, places = self.demand.orders, self.demand.parcels, self.demand.places
        order = parcels.order
        self.parcels = ParcelState.of(len(parcels))
        self.place = orders.place[order]
        self.area = places.area[self.place]
        self.service = orders.service[order]
        self.station = self.network.station_of_area[self.area]
        self.origin = orders.origin[order]
        self.promise_s = orders.promise_s[order]
        self.placed_s = orders.placed_s[order]
        self.lines_in = np.diff(parcels.first_line)
        priorities = np.array([service.priority for service in self.scenario.services], dtype=np.int32)
        self.priority = priorities[self.service]
        sites = self.scenario.sites
        self.site_custody = [self.custody.number(f"site:{site.id}") for site in sites]
        points = np.array([[site.lon, site.lat] for site in sites], dtype=np.float64)
        self.site_place = self.roads.places(points)
        self.site_linehaul_place = self.linehaul_roads.places(points)
        self._draws: dict[tuple[str, str], RowDraws] = {}
        self._slow_roads = [
            (self.scenario.seconds(d.starts), self.scenario.seconds(d.ends), d.factor)
            for d in self.scenario.disruptions
            if d.kind == "slow_roads"
        ]
        self._final_rows = 0
        self._active = 0
        self.ended = self.env.event()
        self.cut = self.env.event()

    # --- luck -----------------------------------------------------------------------------------------

    def draws(self, entity: str, purpose: str) -> RowDraws:
        """The draws of an entity for a purpose; the same object every time."""
        key = (entity, purpose)
        if key not in self._draws:
            self._draws[key] = RowDraws(self.streams, entity, purpose)
        return self._draws[key]

    def slowdown(self, vehicle: str, trip: int) -> float:
        """How much longer than planned the roads take on this trip: luck times disruptions."""
        cv = self.scenario.roads.slowdown_cv
        factor = float(self.draws(vehicle, "slowdown").multiplier(np.array([trip]), cv)[0])
        for starts, ends, slow in self._slow_roads:
            if starts <= self.env.now < ends:
                factor *= slow
        return factor

    def stage_service_s(self, site: str) -> Callable[[StageSection, RowArray], FloatArray]:
        """Service times of a site's stages by parcel."""

        def service(stage: StageSection, rows: RowArray) -> FloatArray:
            mean = stage.service_s + stage.per_line_s * self.lines_in[rows]
            return mean * self.draws(f"{site}.{stage.name}", "service").multiplier(self.key[rows], stage.cv)

        return service

    # --- parcels --------------------------------------------------------------------------------------

    def stamp(self, name: str, rows: RowArray, at_s: float | FloatArray) -> None:
        self.parcels.stamps[name][rows] = at_s

    def finish(self, rows: RowArray, origin: int, end: int) -> None:
        """Parcels reach one of the final places; the run ends when all have."""
        if not len(rows):
            return
        self.custody.move(rows, origin, end, self.env.now)
        self.stamp("final_s", rows, self.env.now)
        self._final_rows += len(rows)
        self._check_end()

    def _check_end(self) -> None:
        done = self._final_rows == len(self.demand.parcels) and not self._active
        if done and not self.ended.triggered:
            self.ended.succeed()

    @property
    def active(self) -> int:
        """Trips and flights under way."""
        return self._active

    def close(self) -> None:
        """Cut the run: those that merely wait learn of it through `cut`."""
        self.closing = True
        self.cut.succeed()

    def activity(self, process: Process) -> Process:
        """A trip or flight that the run waits for."""
        self._active += 1
        yield from process
        self._active -= 1
        self._check_end()

    def enter_site(self, site: int, rows: RowArray, arrive_s: FloatArray, stage: str) -> None:
        """Parcels come onto a site's floor at a stage."""
        at_home = self.station[rows] == site
        if at_home.any():
            self.stamp("station_s", rows[at_home], arrive_s[at_home])
        self.floors[site].enter(rows, arrive_s, stage)

    def work(self, site: int) -> None:
        """Bring a site's floor up to now and send on what it has finished; it rests once the run is closing."""
        if self.closing:
            return
        floor = self.floors[site]
        for step in floor.advance(self.env.now):
            stage = floor.stages[step.stage].name
            self.record.stage(site, STAGES.index(stage), step.started)
            rows, finish_s = step.finished_rows, step.finished_s
            if not len(rows):
                continue
            stamps = self.parcels.stamps[STAMP_OF_STAGE[stage]]
            stamps[rows] = np.where(np.isnan(stamps[rows]), finish_s, stamps[rows])
            if stage == "sort":
                self._sort_out(site, rows, finish_s)

    def _sort_out(self, site: int, rows: RowArray, finish_s: FloatArray) -> None:
        onward = self.sort_plan.next_site[site, self.area[rows], self.service[rows]]
        for next_site in np.unique(onward):
            chosen = onward == next_site
            if next_site == site:
                self.stamp("ready_s", rows[chosen], finish_s[chosen])
                self.tell(ParcelsReady(site, rows[chosen]))
            else:
                self.floors[site].put_outbound(int(next_site), rows[chosen], finish_s[chosen])

    def site_point(self, site: int) -> tuple[float, float]:
        """[lon, lat] of a site."""
        section = self.scenario.sites[site]
        return section.lon, section.lat

    def place_point(self, place: int) -> tuple[float, float]:
        """[lon, lat] of an address."""
        places = self.demand.places
        return float(places.lon[place]), float(places.lat[place])

    # --- records --------------------------------------------------------------------------------------

    def new_trip(self) -> int:
        self.trips += 1
        return self.trips - 1

    def load_of(self, rows: RowArray) -> tuple[int, int]:
        """Grams and millilitres of parcels together."""
        parcels = self.demand.parcels
        return int(parcels.weight_g[rows].sum()), int(parcels.volume_ml[rows].sum())


@dataclass
class BusyTime:
    """Trips of each vehicle, for the duty table."""

    spans: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, vehicle: str, from_s: float, to_s: float) -> None:
        self.spans[vehicle].append((from_s, to_s))
