"""What robots, inductions and chutes do when something is due or a robot has arrived."""

from __future__ import annotations

import numpy as np

from sim.sorting.disruptions import Note
from sim.sorting.parcels import NONE
from sim.sorting.robot_state import (
    BLOCKED,
    CALLED,
    CARRIED,
    CARRYING,
    CHARGING,
    IDLE,
    IN_LINE,
    LOADING,
    MISSORTED,
    NO_CHARGER,
    QUEUED,
    REST,
    ROUND,
    SORTED,
    TIPPING,
    TO_CHARGER,
    FloorState,
)  # fmt: skip


class FloorWork(FloorState):
    """The floor's work, without its clock and its disruptions."""

    # --- robots ---------------------------------------------------------------------------------------

    def _reached(self, robot: int, at_s: float) -> None:
        state = self._state_of[robot]
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
        row, column = divmod(self._here[robot], width)
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
        target, mode = self._target_of, self._mode
        for robot, place in self.inductions.line_up(k, self._here, self._closed):
            if target[robot] != place or mode[robot] == REST:
                self.state[robot] = CALLED
                self._go(robot, place)

    def _load(self, k: int, at_s: float) -> None:
        """Begin to load if a robot stands ready and a parcel waits."""
        inductions = self.inductions
        if inductions.loading[k] != NONE or not inductions.queues[k] or not inductions.open[k]:
            return
        load, state, target = inductions.places[k][0], self._state_of, self._target_of
        for robot in inductions.called[k]:
            if target[robot] == load and state[robot] == IN_LINE:
                break
        else:
            return
        if self._here[robot] != load:
            return
        inductions.called[k].remove(robot)
        parcel = inductions.begin(k)
        self.parcel[robot] = parcel
        self.state[robot] = LOADING
        self.times.load_s[parcel] = at_s
        self._at(at_s + self._load_s(parcel), self._loaded, robot)

    def _loaded(self, robot: int, at_s: float) -> None:
        parcel, k = int(self.parcel[robot]), self._induction[robot]
        self.inductions.end(k, float(self.times.load_s[parcel]), at_s)
        self.where[parcel] = CARRIED
        self._induction[robot] = NONE
        own = self._chutes_of[int(self.parcels.destination[parcel])]
        wrong = self._luck("missort", parcel) < self.section.errors.missort
        if wrong:
            others = [c for c in range(len(self.layout.chutes)) if c not in own]
            if others:
                own = [others[int(self._luck("wrong", parcel) * len(others))]]
            wrong = bool(others)
        self.times.wrong[parcel] = wrong
        self._choice(robot, own)
        self._carry(robot)
        self._line_up(k)

    # --- chutes ---------------------------------------------------------------------------------------

    def _choice(self, robot: int, chutes: list[int]) -> None:
        """Which of a destination's chutes: an open one before a closed one, then the one fewest head for."""
        if len(chutes) > 1:
            chutes = sorted(chutes, key=lambda c: (not self.chutes.is_open(c), self._heading[c], c))
        self._chute[robot] = chutes[0]

    def _carry(self, robot: int) -> None:
        """Set out for the chute, to that side of it which is near and for which few head."""
        chute = self._chute[robot]
        self._heading[chute] += 1
        row, column = divmod(self._here[robot], self.layout.grid.width)
        best, least = NONE, 1 << 60
        for cell, to_row, to_column in self._drops[chute]:
            if cell in self._closed:
                continue
            cost = abs(to_row - row) + abs(to_column - column) + 8 * self._approach[cell]
            if cost < least:
                best, least = cell, cost
        if best == NONE:
            best = self._drops[chute][0][0]
        self._approach[best] += 1
        self.state[robot] = CARRYING
        self._go(robot, best)

    def _left(self, robot: int) -> None:
        """Heads for its chute no more."""
        self._heading[self._chute[robot]] -= 1
        self._approach[self._target_of[robot]] -= 1

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
        times.damaged[parcel] |= self._luck("damage", parcel) < errors.damage
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
