"""Local clock times as seconds from the scenario's start, and the linehaul timetable built on them.

Clocks follow the scenario's IANA time zone: a departure at 05:30 leaves at 05:30 local time before and after a
change to daylight saving. A local time that the change skips comes as much later as the clock jumps; of one
that comes twice the first counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from logistics.scenario import DAY_S, ClockWindow, General, LaneSection, Scenario

SecondArray = NDArray[np.int64]

_LATEST_CLOCK_DAYS = 2  # clock times are counted on to 48:00


@dataclass(frozen=True, slots=True)
class LocalClock:
    """The scenario's local clock. Day 0 is the local calendar day of the start."""

    general: General

    def second(self, day: int, clock_s: int) -> int:
        """Seconds from the start to a clock time (in seconds, may exceed a day) of local day `day`.

        Negative before the start.
        """
        days, rest = divmod(clock_s, DAY_S)
        date = self.general.local_start.date() + timedelta(days=day + days)
        wall = datetime.combine(date, datetime.min.time()) + timedelta(seconds=rest)
        moment = wall.replace(tzinfo=self.general.zone)
        return round((moment.astimezone(UTC) - self.general.start).total_seconds())

    def day_and_clock(self, second: float) -> tuple[int, float]:
        """Local day and local seconds since its midnight of a second from the start; inverse of `second`."""
        moment = (self.general.start.astimezone(UTC) + timedelta(seconds=second)).astimezone(
            self.general.zone
        )
        day = (moment.date() - self.general.local_start.date()).days
        return day, moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6

    def occurrences(self, clocks_s: Iterable[int], until_s: int) -> SecondArray:
        """Sorted seconds in [0, `until_s`) at which any of the daily clock times comes."""
        days = range(-_LATEST_CLOCK_DAYS, until_s // DAY_S + 2)
        found = {self.second(day, clock) for clock in set(clocks_s) for day in days}
        return np.array(sorted(s for s in found if 0 <= s < until_s), dtype=np.int64)

    def windows(self, window: ClockWindow, until_s: int) -> list[tuple[int, int]]:
        """(opens, closes) of every day's window that overlaps [0, `until_s`), in order; may start below 0."""
        days = range(-_LATEST_CLOCK_DAYS, until_s // DAY_S + 2)
        found = [(self.second(day, window.opens), self.second(day, window.closes)) for day in days]
        return [
            (opens, closes) for opens, closes in found if closes > 0 and opens < until_s and closes > opens
        ]


def departures(lane: LaneSection, general: General, until_s: int) -> SecondArray:
    """Sorted departures of a lane, int64 seconds from the scenario's start in [0, `until_s`)."""
    return LocalClock(general).occurrences(lane.departures, until_s)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Departures and cut-offs of all lanes, by row of `scenario.lanes`."""

    departures_s: tuple[SecondArray, ...]
    cutoff_s: SecondArray

    @classmethod
    def of(cls, scenario: Scenario, until_s: int) -> Timetable:
        """The timetable of a scenario up to `until_s` seconds from its start."""
        return cls(
            tuple(departures(lane, scenario.scenario, until_s) for lane in scenario.lanes),
            np.array([round(lane.cutoff_s) for lane in scenario.lanes], dtype=np.int64),
        )

    def next_departure(self, lanes: Sequence[int], ready_s: float) -> tuple[int, int] | None:
        """(lane, second) of the first departure of any of the lanes that parcels ready then still catch.

        Ready at the cut-off itself is in time. None when no departure is left.
        """
        best: tuple[int, int] | None = None
        for lane in lanes:
            times = self.departures_s[lane]
            index = int(np.searchsorted(times - self.cutoff_s[lane], ready_s, side="left"))
            if index < len(times) and (best is None or times[index] < best[1]):
                best = (lane, int(times[index]))
        return best


def mean_wait_s(lane: LaneSection) -> float:
    """Mean time to the next departure of someone who comes at a random second of the day."""
    clocks = sorted({clock % DAY_S for clock in lane.departures})
    gaps = np.diff([*clocks, clocks[0] + DAY_S])
    return float((gaps**2).sum() / (2 * DAY_S))
