"""The state of a floor of sorting robots: robots, parcels, stations, what is due when, what was counted."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from logistics.sorting import SortingSection
from sim.draws import RowDraws, attempt_keys
from sim.random_streams import Streams
from sim.robots.guidance import Guidance
from sim.robots.planner import PlannerSettings, WindowPlanner
from sim.sorting.charging import Charging
from sim.sorting.chutes import Chutes
from sim.sorting.disruptions import Note
from sim.sorting.inductions import Inductions
from sim.sorting.layout import BayGuidance, floor_layout
from sim.sorting.parcels import NONE, IntArray, SortParcels
from sim.sorting.result import STATES, ParcelTimes

FAST = {"window": 3, "chains": 0, "inherit_pushes": 10, "depth": 8}
(
    IDLE,
    CALLED,
    IN_LINE,
    LOADING,
    CARRYING,
    BLOCKED,
    ROUND,
    TIPPING,
    TO_CHARGER,
    NO_CHARGER,
    CHARGING,
    STOPPED,
) = range(12)
MOVING = np.isin(np.arange(12), (CALLED, CARRYING, ROUND, TO_CHARGER))
GO, REST, HOLD = range(3)
OUTSIDE, QUEUED, CARRIED, MISSORTED, SORTED = range(5)  # where a parcel is


class FloorState:
    """See `sim.sorting.robot_floor.RobotSorter` for the arguments.

    Attributes:
        state, stopped, parcel, target: (robots,), what each does, whether it stands still by a fault, the parcel
            that it carries or NONE, the location it heads for.
        where: int8 (parcels,), of OUTSIDE, QUEUED, CARRIED, MISSORTED, SORTED.
        state_steps: int64 (states,), robots times steps; traffic, waited: int64 (cells,), as in the result.
    """

    def __init__(
        self,
        section: SortingSection,
        parcels: SortParcels,
        chutes_of: Sequence[IntArray],
        streams: Streams,
        guidance: Guidance | None,
        charge_factor: Callable[[], float] | None,
        keep_actions: bool,
    ) -> None:
        self.section = section
        own = self.own = section.robots
        self.layout = floor_layout(own)
        self.parcels = parcels
        self.streams = streams
        self._chutes_of = [each.tolist() for each in chutes_of]
        n = own.robots
        starts = self.layout.parking[:n]
        goals = len(self.layout.drops) * 4 + own.inductions * (own.queue_cells + 1) + own.chargers
        costs = guidance or Guidance()
        lanes = BayGuidance(**asdict(costs), ways=tuple(self.layout.ways))
        settings = PlannerSettings(**FAST, guidance=lanes)
        seed = streams.spawn_seed("sorting", "planner")
        self.planner = WindowPlanner(self.layout.grid, starts, goals, settings, seed)
        self.starts = starts
        self.inductions = Inductions(self.layout, len(parcels), n)
        self.chutes = Chutes(section.chutes, len(self.layout.chutes))
        first = 1 - (1 - own.charge_below) * streams.generator("sorting", "battery").uniform(0, 1, n)
        self.charging = Charging(n, own.chargers, own.drive_s, first)
        self.times = ParcelTimes.of(len(parcels))
        self.where = np.zeros(len(parcels), np.int8)
        self.trace: list[Note] = []
        self.actions: list[NDArray[np.uint8]] | None = [] if keep_actions else None
        self._charge_factor = charge_factor or (lambda: 1.0)
        self._draws = {
            purpose: RowDraws(streams, "sorting", purpose)
            for purpose in ("load", "missort", "wrong", "damage")
        }
        # Nearly all parcels come but once: their luck is drawn for all of them together.
        keys = attempt_keys(parcels.keys, np.zeros(len(parcels), np.int64))
        self._first_load_s = own.load_s * self._draws["load"].multiplier(keys, own.load_cv)
        self._first_luck = {each: self._draws[each].uniform(keys) for each in ("missort", "damage")}
        # robots
        self.state = np.zeros(n, np.int64)
        self.stopped = np.zeros(n, np.bool_)
        self.parcel = np.full(n, NONE, np.int64)
        self.target = np.full(n, NONE, np.int32)
        # The same memory, of which single entries are read several times as fast.
        self._state_of, self._target_of = self.state.data, self.target.data
        self._here: list[int] = starts.tolist()  # location of each robot
        self._mode = [REST] * n
        self._chute = [NONE] * n
        self._induction = [NONE] * n
        self._corner = [k % 4 for k in range(n)]
        self._since = np.zeros(n, np.int64)
        self._arrived = np.empty(n, np.int64)
        self._changed: dict[int, None] = {}
        self._idle = dict.fromkeys(range(n))
        self._blocked_at: list[deque[int]] = [deque() for _ in self.layout.chutes]
        self._blocked_from: dict[int, float] = {}
        self._heading = [0] * len(self.layout.chutes)
        self._approach = [0] * len(self.layout.grid.free)
        width = self.layout.grid.width
        self._drops = [[(cell, *divmod(cell, width)) for cell in row] for row in self.layout.drops.tolist()]
        self._closed: set[int] = set()
        # clock and counts
        self.steps = 0
        self.dt = own.step_s
        self._events: list[tuple[float, int, Callable[[int, float], None], int]] = []
        self._number = 0
        self._coming: deque[tuple[float, int]] = deque()
        self.state_steps = np.zeros(len(STATES), np.int64)
        self.traffic = np.zeros(len(self.layout.grid.free), np.int64)
        self.waited = np.zeros(len(self.layout.grid.free), np.int64)

    @property
    def now_s(self) -> float:
        return self.steps * self.dt

    @property
    def open_parcels(self) -> int:
        """Parcels told of that are not sorted."""
        return len(self._coming) + int(((self.where != OUTSIDE) & (self.where != SORTED)).sum())

    def audit(self) -> None:
        """Raise `AssertionError` unless every parcel that came is in exactly one place, by what the places hold."""
        waiting = self.inductions.numbers()
        carried = self.parcel[self.parcel != NONE]
        carried = carried[~np.isin(carried, waiting)]  # one being loaded is still the induction's
        assert np.array_equal(np.sort(waiting), np.flatnonzero(self.where == QUEUED)), "queued"
        assert np.array_equal(np.sort(carried), np.flatnonzero(self.where == CARRIED)), "carried"
        came = int((self.where != OUTSIDE).sum())
        fallen = int(self.chutes.taken.sum()) - self.times.returned
        assert came == len(waiting) + len(carried) + fallen, "units"
        assert fallen == int(((self.where == SORTED) | (self.where == MISSORTED)).sum()), "fallen"

    def _at(self, at_s: float, what: Callable[[int, float], None], who: int) -> None:
        heapq.heappush(self._events, (at_s, self._number, what, who))
        self._number += 1

    def _go(self, robot: int, location: int) -> None:
        self.target[robot] = location
        self._set(robot, GO)

    def _rest(self, robot: int) -> None:
        self._set(robot, REST)

    def _hold(self, robot: int) -> None:
        self._set(robot, HOLD)

    def _set(self, robot: int, mode: int) -> None:
        self._mode[robot] = mode
        if not self.stopped[robot]:
            self._changed[robot] = None

    def _nearest_idle(self, k: int) -> int:
        way, here = self.inductions.way[k], self._here
        return min(self._idle, key=lambda robot: way[here[robot]])

    def _load_s(self, parcel: int) -> float:
        """Seconds that it takes to put a parcel on a robot, in this round."""
        if not self.times.missorts[parcel]:
            return float(self._first_load_s[parcel])
        factor = self._draws["load"].multiplier(self._key(parcel), self.own.load_cv)
        return self.own.load_s * float(factor[0])

    def _luck(self, purpose: str, parcel: int) -> float:
        """Uniform in (0, 1), of this round of a parcel."""
        if purpose in self._first_luck and not self.times.missorts[parcel]:
            return float(self._first_luck[purpose][parcel])
        return float(self._draws[purpose].uniform(self._key(parcel))[0])

    def _key(self, parcel: int) -> NDArray[np.uint64]:
        """What names this round of a parcel in draws of luck."""
        keys = self.parcels.keys[parcel : parcel + 1]
        return attempt_keys(keys, self.times.missorts[parcel : parcel + 1])
