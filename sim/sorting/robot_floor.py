"""A floor of sorting robots, step by step: queues, loading, driving, tipping, charging, faults.

Robots move by the window planner of `sim.robots` with the settings of its fast strategy, so that no two ever meet.
Everything else is decided between two steps: what was due until now happens, then all robots move. Times that a
person or a container takes are continuous; what a robot does next begins with the next step.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from logistics.sorting import SortingSection
from sim.draws import RowDraws, attempt_keys
from sim.random_streams import Streams
from sim.robots.guidance import Guidance
from sim.robots.planner import PlannerSettings, WindowPlanner
from sim.robots.problem import FORWARD, WAIT
from sim.sorting.charging import Charging
from sim.sorting.chutes import Chutes
from sim.sorting.disruptions import Disruption, Note
from sim.sorting.inductions import Inductions
from sim.sorting.layout import BayGuidance, floor_layout
from sim.sorting.parcels import NONE, FloatArray, IntArray, SortParcels
from sim.sorting.result import STATES, ParcelTimes, SortingResult

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


class RobotSorter:
    """Built once; `submit` tells what comes, `advance` works up to a moment, `result` tells what happened.

    Args:
        section: chutes, errors and robots of a scenario.
        parcels: all that may ever come.
        chutes_of: chutes of each destination.
        streams: of all luck.
        disruptions: declared ones.
        guidance: costs of the robots' moves.
        charge_factor: gives factors of charging times; 1 by default.
        keep_actions: record every robot's every action, for the checker and the replay.
    """

    def __init__(
        self,
        section: SortingSection,
        parcels: SortParcels,
        chutes_of: Sequence[IntArray],
        streams: Streams,
        disruptions: Sequence[Disruption] = (),
        guidance: Guidance | None = None,
        charge_factor: Callable[[], float] | None = None,
        keep_actions: bool = False,
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
        lanes = BayGuidance(
            costs.along, costs.against, costs.turn, costs.wait, costs.lanes, tuple(self.layout.ways)
        )
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
        # robots
        self.state = np.zeros(n, np.int64)
        self.stopped = np.zeros(n, np.bool_)
        self.parcel = np.full(n, NONE, np.int64)
        self.target = np.full(n, NONE, np.int32)
        self._mode = [REST] * n
        self._chute = [NONE] * n
        self._induction = [NONE] * n
        self._corner = [k % 4 for k in range(n)]
        self._since = np.zeros(n, np.int64)
        self._changed: dict[int, None] = {}
        self._idle = dict.fromkeys(range(n))
        self._blocked_at: list[deque[int]] = [deque() for _ in self.layout.chutes]
        self._blocked_from: dict[int, float] = {}
        self._heading = np.zeros(len(self.layout.chutes), np.int64)
        self._approach = np.zeros(len(self.layout.grid.free), np.int64)
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
        self._stops = [streams.generator(f"robot {r}", "stops") for r in range(n)] if own.stop_after_h else []
        for robot in range(n if own.stop_after_h else 0):
            self._next_stop(robot, 0.0)
        for each in disruptions:
            self._declare(each)
        # As in the midst of work: batteries anywhere above the threshold, the share that charges at the chargers.
        charging = streams.generator("sorting", "charging").uniform(0, 1, n)
        chosen = np.flatnonzero(charging < own.charge_s / (own.charge_s + own.drive_s))[: own.chargers]
        for robot in chosen.tolist():
            del self._idle[robot]
            self._charge(robot, 0.0)

    # --- from outside ---------------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        return self.steps * self.dt

    def submit(self, parcels: IntArray, arrive_s: FloatArray) -> None:
        """Parcels come at moments that are not yet passed, ascending, not before those told earlier."""
        if len(arrive_s) and self._coming and arrive_s[0] < self._coming[-1][0]:
            raise ValueError(f"a parcel comes at {arrive_s[0]} s, one told before comes later")
        self.times.arrive_s[parcels] = arrive_s
        self._coming.extend(zip(arrive_s.tolist(), parcels.tolist(), strict=True))

    def advance(self, until_s: float) -> None:
        """Do all steps that end by `until_s`; hours in which nothing moves are passed at once."""
        last = math.floor(until_s / self.dt + 1e-9)
        while self.steps < last:
            self._happen(self.now_s)
            if self._quiet():
                following = min(
                    self._events[0][0] if self._events else math.inf,
                    self._coming[0][0] if self._coming else math.inf,
                )
                skip = last if following == math.inf else min(last, math.ceil(following / self.dt - 1e-9))
                skip = max(skip, self.steps + 1)
                state = np.where(self.stopped, STOPPED, self.state)
                self.inductions.measure((skip - self.steps) * self.dt)
                self.state_steps += (skip - self.steps) * np.bincount(state, minlength=len(STATES))
                if self.actions is not None:
                    self.actions += [np.full(len(state), WAIT, np.uint8)] * (skip - self.steps)
                self.steps = skip
                continue
            self._move()

    def run(self, limit_s: float = math.inf) -> SortingResult:
        """Work until all that was told is sorted, at most to `limit_s`; `ValueError` without an end."""
        while self.open_parcels and self.now_s < limit_s:
            before = self.now_s
            self.advance(min(limit_s, before + 600.0))
            if before == self.now_s:
                break
        return self.result()

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

    def result(self) -> SortingResult:
        return SortingResult.of_robots(self)

    # --- a step ---------------------------------------------------------------------------------------

    def _at(self, at_s: float, what: Callable[[int, float], None], who: int) -> None:
        heapq.heappush(self._events, (at_s, self._number, what, who))
        self._number += 1

    def _happen(self, now_s: float) -> None:
        while self._events and self._events[0][0] <= now_s + 1e-9:
            at_s, _, what, who = heapq.heappop(self._events)
            what(who, at_s)
        while self._coming and self._coming[0][0] <= now_s + 1e-9:
            _, parcel = self._coming.popleft()
            self._join(parcel, now_s)
        while self._idle:
            k = self.inductions.neediest()
            if k == NONE:
                break
            robot = self._nearest(list(self._idle), int(self.inductions.layout.loads[k]))
            del self._idle[robot]
            self.inductions.called[k].append(robot)
            self._induction[robot] = k
            self.state[robot] = CALLED
            self._line_up(k)

    def _quiet(self) -> bool:
        """Whether nobody drives: until the next event nothing changes."""
        return not (MOVING[self.state] & ~self.stopped).any()

    def _move(self) -> None:
        planner = self.planner
        if self._changed:
            robots = np.array(list(self._changed), np.int64)
            mode = np.array([self._mode[r] for r in self._changed])
            self._changed.clear()
            going = robots[mode == GO]
            planner.set_goals(going, self.target[going])
            planner.rest(robots[mode == REST])
            planner.hold(robots[mode == HOLD])
            self._since[robots] = 0
        before = planner.locations
        done = planner.step(self._since)
        self._since += 1
        self.steps += 1
        if self.actions is not None:
            self.actions.append(done)
        here = planner.locations
        moving = MOVING[self.state]
        self.traffic[here[done == FORWARD]] += 1
        self.waited[before[(done == WAIT) & moving & ~self.stopped]] += 1
        self.state_steps += np.bincount(np.where(self.stopped, STOPPED, self.state), minlength=len(STATES))
        self.charging.drive(done != WAIT, self.dt)
        self.inductions.measure(self.dt)
        for robot in np.flatnonzero((here == self.target) & moving & ~self.stopped).tolist():
            if here[robot] == self.target[robot]:  # one before it may have sent it on
                self._reached(robot, self.now_s)

    # --- robots ---------------------------------------------------------------------------------------

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

    def _nearest(self, robots: list[int], location: int) -> int:
        row, column = np.divmod(self.planner.locations[robots], self.layout.grid.width)
        way = abs(row - location // self.layout.grid.width) + abs(column - location % self.layout.grid.width)
        return robots[int(np.argmin(way))]

    def _reached(self, robot: int, at_s: float) -> None:
        state = self.state[robot]
        if state == CALLED:
            k = self._induction[robot]
            self.state[robot] = IN_LINE
            self._hold(robot)
            self._line_up(k)
            self._load(k, at_s)
        elif state == CARRYING:
            self._arrive(robot, at_s)
        elif state == ROUND:
            self._carry(robot)
        elif state == TO_CHARGER:
            self.state[robot] = CHARGING
            self._hold(robot)
            self.charging.begin(robot, at_s)
            missing = 1.0 - float(self.charging.battery[robot])
            self._at(at_s + missing * self.own.charge_s * self._charge_factor(), self._charged, robot)

    def _free(self, robot: int, at_s: float) -> None:
        """A robot without a parcel: to a charger if its battery is low, else for whoever calls."""
        if self.charging.battery[robot] < self.own.charge_below:
            self._charge(robot, at_s)
            return
        self.state[robot] = IDLE
        self._idle[robot] = None
        self._rest(robot)

    def _charge(self, robot: int, at_s: float) -> None:
        cells, width = self.layout.chargers, self.layout.grid.width
        row, column = divmod(int(self.planner.locations[robot]), width)
        near = (abs(cells // width - row) + abs(cells % width - column)).astype(np.float64)
        if self.charging.ask(robot, at_s, near):
            self._to_charger(robot)
        else:
            self.state[robot] = NO_CHARGER
            self._rest(robot)

    def _to_charger(self, robot: int) -> None:
        self.state[robot] = TO_CHARGER
        self._go(robot, int(self.layout.chargers[self.charging.charger[robot]]))

    def _charged(self, robot: int, at_s: float) -> None:
        if self.stopped[robot]:
            self._at(at_s + self.dt, self._charged, robot)
            return
        following = self.charging.end(robot, at_s)
        if following is not None:
            self._to_charger(following)
        self._free(robot, at_s)

    # --- inductions -----------------------------------------------------------------------------------

    def _join(self, parcel: int, at_s: float) -> None:
        self.where[parcel] = QUEUED
        self._load(self.inductions.join(parcel, at_s), at_s)

    def _line_up(self, k: int) -> None:
        for robot, place in self.inductions.line_up(k, self.planner.locations, self._closed):
            if self.target[robot] != place or self._mode[robot] == REST:
                self.state[robot] = CALLED
                self._go(robot, place)

    def _load(self, k: int, at_s: float) -> None:
        """Begin to load if a robot stands ready and a parcel waits."""
        inductions = self.inductions
        if inductions.loading[k] != NONE or not inductions.queues[k] or not inductions.open[k]:
            return
        load = int(self.layout.loads[k])
        ready = [r for r in inductions.called[k] if self.state[r] == IN_LINE and self.target[r] == load]
        if not ready or self.planner.locations[ready[0]] != load:
            return
        robot = ready[0]
        inductions.called[k].remove(robot)
        parcel = inductions.begin(k)
        self.parcel[robot] = parcel
        self.state[robot] = LOADING
        self.times.load_s[parcel] = at_s
        took = self.own.load_s * float(self._draws["load"].multiplier(self._key(parcel), self.own.load_cv)[0])
        self._at(at_s + took, self._loaded, robot)

    def _loaded(self, robot: int, at_s: float) -> None:
        parcel, k = int(self.parcel[robot]), self._induction[robot]
        self.inductions.end(k, float(self.times.load_s[parcel]), at_s)
        self.where[parcel] = CARRIED
        self._induction[robot] = NONE
        own = self._chutes_of[int(self.parcels.destination[parcel])]
        key = self._key(parcel)
        self.times.wrong[parcel] = self._draws["missort"].uniform(key)[0] < self.section.errors.missort
        if self.times.wrong[parcel]:
            others = [c for c in range(len(self.layout.chutes)) if c not in own]
            if others:
                own = [others[int(self._draws["wrong"].uniform(key)[0] * len(others))]]
            else:
                self.times.wrong[parcel] = False
        self._choice(robot, own)
        self._carry(robot)
        self._line_up(k)

    def _key(self, parcel: int) -> NDArray[np.uint64]:
        """What names this round of a parcel in draws of luck."""
        keys = self.parcels.keys[parcel : parcel + 1]
        return attempt_keys(keys, self.times.missorts[parcel : parcel + 1])

    # --- chutes ---------------------------------------------------------------------------------------

    def _choice(self, robot: int, chutes: list[int]) -> None:
        """Which of a destination's chutes: an open one before a closed one, then the one fewest head for."""
        self._chute[robot] = min(chutes, key=lambda c: (not self.chutes.is_open(c), self._heading[c], c))

    def _carry(self, robot: int) -> None:
        """Set out for the chute, to that side of it which is near and for which few head."""
        chute = self._chute[robot]
        self._heading[chute] += 1
        width = self.layout.grid.width
        row, column = divmod(int(self.planner.locations[robot]), width)
        best, least = NONE, 1 << 60
        for cell in self.layout.drops[chute].tolist():
            if cell in self._closed:
                continue
            cost = abs(cell // width - row) + abs(cell % width - column) + 8 * int(self._approach[cell])
            if cost < least:
                best, least = cell, cost
        if best == NONE:
            best = int(self.layout.drops[chute][0])
        self._approach[best] += 1
        self.state[robot] = CARRYING
        self._go(robot, best)

    def _left(self, robot: int) -> None:
        """Heads for its chute no more."""
        self._heading[self._chute[robot]] -= 1
        self._approach[self.target[robot]] -= 1

    def _arrive(self, robot: int, at_s: float) -> None:
        chute, parcel = self._chute[robot], int(self.parcel[robot])
        self._left(robot)
        if self.chutes.accepts(chute):
            self.chutes.begin(chute)
            self.state[robot] = TIPPING
            self._hold(robot)
            self._at(at_s + self.own.tip_s, self._tipped, robot)
            return
        self.times.refusals[parcel] += 1
        if self.section.chutes.blocked == "wait":
            self.state[robot] = BLOCKED
            self._blocked_at[chute].append(robot)
            self._blocked_from[robot] = at_s
            self._rest(robot)
        else:
            self.state[robot] = ROUND
            self._corner[robot] = (self._corner[robot] + 1) % 4
            self._go(robot, int(self.layout.turning[self._corner[robot]]))

    def _tipped(self, robot: int, at_s: float) -> None:
        chute, parcel = self._chute[robot], int(self.parcel[robot])
        self.parcel[robot] = NONE
        self._drop(parcel, chute, at_s)
        if not self.stopped[robot]:
            self._free(robot, at_s)
        else:
            self.state[robot] = IDLE

    def _drop(self, parcel: int, chute: int, at_s: float) -> None:
        times, errors = self.times, self.section.errors
        times.chute[parcel] = chute
        times.damaged[parcel] |= self._draws["damage"].uniform(self._key(parcel))[0] < errors.damage
        if times.wrong[parcel]:
            self.where[parcel] = MISSORTED
            times.missorts[parcel] += 1
            self.trace.append(Note(at_s, "missorted", parcel, f"chute {chute}"))
            self._at(at_s + errors.missort_found_s, self._found, parcel)
        else:
            self.where[parcel] = SORTED
            times.sorted_s[parcel] = at_s
        ends = self.chutes.take(chute, at_s)
        if ends is not None:
            self.trace.append(Note(at_s, "chute full", chute))
            self._at(ends, self._exchanged, chute)

    def _found(self, parcel: int, at_s: float) -> None:
        self.times.returned += 1
        self.trace.append(Note(at_s, "missort returned", parcel))
        self._join(parcel, self.now_s)

    def _exchanged(self, chute: int, at_s: float) -> None:
        self.chutes.exchanged(chute, at_s)
        self.trace.append(Note(at_s, "chute open", chute))
        self._call_blocked(chute, at_s)

    def _call_blocked(self, chute: int, at_s: float) -> None:
        if not self.chutes.is_open(chute):
            return
        waiting = self._blocked_at[chute]
        while waiting:
            robot = waiting.popleft()
            self.times.blocked_s[self.parcel[robot]] += at_s - self._blocked_from.pop(robot)
            self._carry(robot)

    # --- disruptions ----------------------------------------------------------------------------------

    def _declare(self, each: Disruption) -> None:
        starts, ends = {
            "chute_blocked": (self._block, self._unblock),
            "induction_closed": (self._close, self._reopen),
            "robot_stopped": (self._stop, self._resume),
        }[each.kind]
        limit = {
            "chute_blocked": len(self.layout.chutes),
            "induction_closed": len(self.layout.loads),
            "robot_stopped": len(self.state),
        }[each.kind]
        if each.target >= limit:
            raise ValueError(f"{each.kind} of {each.target}, and there are {limit}")
        self._at(each.from_s, starts, each.target)
        self._at(each.to_s, ends, each.target)

    def _block(self, chute: int, at_s: float) -> None:
        self.trace.append(Note(at_s, "chute blocked", chute))
        self.chutes.block(chute, True, at_s)

    def _unblock(self, chute: int, at_s: float) -> None:
        self.trace.append(Note(at_s, "chute unblocked", chute))
        self.chutes.block(chute, False, at_s)
        self._call_blocked(chute, at_s)

    def _close(self, k: int, at_s: float) -> None:
        self.trace.append(Note(at_s, "induction closed", k))
        robots, joined = self.inductions.close(k, self.now_s)
        for robot in robots:
            self._induction[robot] = NONE
            self._free(robot, at_s)
        for other in joined:
            self._load(other, self.now_s)

    def _reopen(self, k: int, at_s: float) -> None:
        self.trace.append(Note(at_s, "induction opened", k))
        self.inductions.open[k] = True
        self._load(k, self.now_s)

    def _next_stop(self, robot: int, from_s: float) -> None:
        mean_s = self.own.stop_after_h * 3600.0
        self._at(from_s + self._stops[robot].exponential(mean_s), self._break_down, robot)

    def _break_down(self, robot: int, at_s: float) -> None:
        if not self.stopped[robot]:
            self._stop(robot, at_s)
            self._at(at_s + self.own.repair_s, self._repaired, robot)

    def _repaired(self, robot: int, at_s: float) -> None:
        self._resume(robot, at_s)
        self._next_stop(robot, at_s)

    def _stop(self, robot: int, at_s: float) -> None:
        """The robot stays where it is; all ways go round it from now on."""
        location = int(self.planner.locations[robot])
        width = self.layout.grid.width
        self.trace.append(
            Note(at_s, "robot stopped", robot, f"row {location // width}, column {location % width}")
        )
        self.stopped[robot] = True
        self._changed.pop(robot, None)
        self._idle.pop(robot, None)
        self.planner.hold(np.array([robot]))
        if self.state[robot] in (CALLED, IN_LINE):
            self.inductions.called[self._induction[robot]].remove(robot)
            self._induction[robot] = NONE
            self.state[robot] = IDLE
        self._closed.add(location)
        self._ways_changed(location)

    def _resume(self, robot: int, at_s: float) -> None:
        self.trace.append(Note(at_s, "robot goes on", robot))
        self.stopped[robot] = False
        location = int(self.planner.locations[robot])
        self._closed.discard(location)
        self._ways_changed(NONE)
        if self.state[robot] == IDLE:
            self._free(robot, at_s)
        elif self.state[robot] == CARRYING:
            self._left(robot)
            self._carry(robot)
        else:
            self._set(robot, self._mode[robot])

    def _ways_changed(self, closed: int) -> None:
        self.planner.close(np.array(sorted(self._closed), np.int32))
        for k in range(len(self.inductions.queues)):
            self._line_up(k)
        for robot in np.flatnonzero((self.target == closed) & (self.state == CARRYING)).tolist():
            if not self.stopped[robot]:
                self._left(robot)
                self._carry(robot)
