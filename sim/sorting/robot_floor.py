"""A floor of sorting robots, step by step: queues, loading, driving, tipping, charging, faults.

Robots move by the window planner of `sim.robots` with the settings of its fast strategy, so that no two ever meet.
Everything else is decided between two steps: what was due until now happens, then all robots move. Times that a
person or a container takes are continuous; what a robot does next begins with the next step.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence

import numpy as np

from logistics.sorting import SortingSection
from sim.random_streams import Streams
from sim.robots.guidance import Guidance
from sim.robots.problem import WAIT
from sim.sorting.disruptions import Disruption, Note
from sim.sorting.kernels.robots import anybody_moves, count_step
from sim.sorting.parcels import NONE, FloatArray, IntArray, SortParcels
from sim.sorting.result import STATES, SortingResult
from sim.sorting.robot_state import CALLED, CARRYING, GO, HOLD, IDLE, IN_LINE, MOVING, REST, STOPPED
from sim.sorting.robot_work import FloorWork


class RobotSorter(FloorWork):
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
        super().__init__(section, parcels, chutes_of, streams, guidance, charge_factor, keep_actions)
        own, n = self.own, len(self.state)
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

    def result(self) -> SortingResult:
        return SortingResult.of_robots(self)

    # --- a step ---------------------------------------------------------------------------------------

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
            robot = self._nearest_idle(k)
            del self._idle[robot]
            self.inductions.called[k].append(robot)
            self._induction[robot] = k
            self.state[robot] = CALLED
            self._line_up(k)

    def _quiet(self) -> bool:
        """Whether nobody drives: until the next event nothing changes."""
        return not anybody_moves(self.state, self.stopped, MOVING)

    def _move(self) -> None:
        planner = self.planner
        if self._changed:
            changed, mode = list(self._changed), self._mode
            self._changed.clear()
            going = np.array([r for r in changed if mode[r] == GO], np.int64)
            planner.set_goals(going, self.target[going])
            planner.rest(np.array([r for r in changed if mode[r] == REST], np.int64))
            planner.hold(np.array([r for r in changed if mode[r] == HOLD], np.int64))
            self._since[changed] = 0
        before = planner.locations
        done = planner.step(self._since)
        self._since += 1
        self.steps += 1
        if self.actions is not None:
            self.actions.append(done)
        self._here = planner.locations.tolist()
        n = count_step(
            before,
            planner.locations,
            done,
            self.state,
            self.stopped,
            MOVING,
            self.target,
            self.dt / self.charging.drive_s,
            self.charging.battery,
            self.traffic,
            self.waited,
            self.state_steps,
            self._arrived,
        )
        self.inductions.measure(self.dt)
        for robot in self._arrived[:n].tolist():
            if self._here[robot] == self._target_of[robot]:  # one before it may have sent it on
                self._reached(robot, self.now_s)

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
        location = self._here[robot]
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
        location = self._here[robot]
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
