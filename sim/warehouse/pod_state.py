"""The state of a goods-to-person warehouse, and what its work and its faults have in common."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable

import numpy as np

from logistics.controllers import make
from logistics.storage import GoodsToPersonSection, PackingSection
from sim.draws import RowDraws
from sim.random_streams import Streams
from sim.stations import Started, Station
from sim.warehouse.inbound import Inbound
from sim.warehouse.orders import NONE, IntArray, OrderLines
from sim.warehouse.picker_to_parts import Profile, daily_profile
from sim.warehouse.pod_floor import PodFloor
from sim.warehouse.result import Note, SpaceUsed
from sim.warehouse.robot_fleet import RobotFleet
from sim.warehouse.slotting import Bins
from sim.warehouse.stock import Stock

ROBOT, VISIT_ENDS, CHARGED, LEVEL, CLOSES, OPENS, STOPS, VANISHES, INBOUND = range(9)
"""Kinds of events."""

Claims = list[tuple[int, int, int]]
"""Line, bin and units of each pick that a pod is brought for."""


class PodState:
    """Orders, robots, stations and stock of one warehouse as they are now."""

    def __init__(
        self,
        section: GoodsToPersonSection,
        packing: PackingSection,
        orders: OrderLines,
        bins: Bins,
        reserve: IntArray,
        streams: Streams,
        inbound: Inbound | None = None,
        profile: Profile = daily_profile,
        charge_factor: Callable[[], float] | None = None,
    ) -> None:
        self.section, self.orders = section, orders
        self.floor = PodFloor(section, orders, bins)
        self.floor.lay_out(streams.generator("warehouse", "pod places"))
        self.stock = Stock(self.floor.face_units(), reserve) if inbound is None else inbound.stock
        if (self.stock.face != self.floor.face_units()).any():
            raise ValueError(
                "the stock of inbound must begin with what the bins hold: Stock(bins.units(...), ...)"
            )
        self.inbound = inbound
        kinds = ("order_assignment", "pod_selection", "pod_storage", "task_allocation")
        self._order_rule, self._pod_rule, self._place_rule, self._robot_rule = (
            make(kind, getattr(section, kind), streams.generator("warehouse", kind)) for kind in kinds
        )
        self._staffing = profile(section.shifts, ())
        lines = np.arange(orders.lines)
        self._line_effort = RowDraws(streams, "warehouse", "line effort").multiplier(lines, section.cv)
        pack = RowDraws(streams, "warehouse", "pack effort").multiplier(np.arange(len(orders)), packing.cv)
        units = np.add.reduceat(orders.units, orders.first_line[:-1])
        self._pack_s = pack * (packing.order_s + packing.unit_s * units)
        self.pack = Station("pack", profile(packing.shifts, ()))
        self._pack_stays: list[Started] = []
        self.trace: list[Note] = []

        stations = len(self.floor.station_xy)
        self.fleet = RobotFleet(
            self.floor,
            lambda at_s, robot: self._push(at_s, ROBOT, robot),
            lambda at_s, robot: self._push(at_s, CHARGED, robot),
            charge_factor,
        )
        self._queues: list[deque[tuple[int, float]]] = [deque() for _ in range(stations)]
        self._serving = [NONE] * stations
        self._served_from = [(0.0, 0.0)] * stations
        self._closed = [False] * stations
        self._working: set[int] = set()  # pick stations that are staffed and not closed
        self._claims: dict[int, Claims] = {}  # of pods on their way, or at a station and served next
        self._in_hand: list[Claims] = [[] for _ in range(stations)]  # of the visit at each station
        self._announced: deque[tuple[float, int]] = deque()  # released when, which
        self._waiting: dict[int, None] = {}
        self._unstocked: dict[int, None] = {}
        self._promised = np.zeros(len(orders), np.bool_)
        self._left = orders.units.copy()
        self._lines_left = orders.lines_of_order.copy()
        self._to_refill: dict[int, None] = {}
        self._events: list[tuple[float, int, int, int]] = []
        self._sequence = 0
        self._stays: dict[str, list[tuple[float, float, float]]] = {}
        self.clock_s = -math.inf
        self.picked_s = np.full(orders.lines, np.nan)
        self.slotted_s, self.ready_s, self.packed_s = (np.full(len(orders), np.nan) for _ in range(3))
        self.trips, self.refills, self.picks, self.visits = 0, 0, 0, 0
        self._hungry: set[int] = set()  # stations that may use another pod
        self._order_of = orders.order_of_line.tolist()
        self._completed: list[tuple[float, int]] = []
        places = section.pods * section.bins_per_pod
        self._space = SpaceUsed(places, int(np.count_nonzero(self.floor.bin_units)))

    def _push(self, at_s: float, kind: int, who: int) -> None:
        self._sequence += 1
        heapq.heappush(self._events, (at_s, self._sequence, kind, who))

    def _works(self, station: int) -> bool:
        return station >= self.section.stations or station in self._working

    def _staff(self, now: float) -> None:
        level = min(self._staffing.level_at(now), self.section.stations)
        self._working = {s for s in range(level) if not self._closed[s]}

    def _stay(self, name: str, arrive: float, start: float, finish: float) -> None:
        self._stays.setdefault(name, []).append((arrive, start, finish))

    def _name(self, station: int) -> str:
        number = station - self.section.stations
        return f"station_{station}" if number < 0 else f"replenishment_{number}"
