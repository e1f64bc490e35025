"""The linehaul timetable: when trucks leave, and which departure a parcel still catches.

Departures keep to the local clock (see `logistics.clock`): a truck at 05:30 leaves at 05:30 before and after
a change to daylight saving.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logistics.clock import LocalClock
from logistics.scenario import DAY_S, General, LaneSection, Scenario
from logistics.tables import IntArray


def departures(lane: LaneSection, general: General, until_s: int) -> IntArray:
    """Sorted departures of a lane, int64 seconds from the scenario's start in [0, `until_s`)."""
    return LocalClock(general).occurrences(lane.departures, until_s)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Departures and cut-offs of all lanes, by row of `scenario.lanes`."""

    departures_s: tuple[IntArray, ...]
    cutoff_s: IntArray

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
