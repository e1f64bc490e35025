"""Between the wall clock of a place and seconds from the scenario's start, daylight saving included.

"Day" counts local calendar days from the day of the scenario's start. Offsets from UTC are looked up once
per quarter of an hour: every zone has switched on such a boundary since 1972, so the result is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike

from logistics.scenario import DAY_S, ClockWindow, General, Wave
from logistics.tables import IntArray

_QUARTER_S = 900
_EPOCH = datetime(1970, 1, 1)
_CLOCK_DAYS = 2  # clock times are counted on to 48:00


def epoch_of_wall(wall_s: ArrayLike, zone: ZoneInfo) -> IntArray:
    """Unix seconds at which clocks in `zone` show `wall_s` (seconds after 1970-01-01 00:00 local).

    A time that is skipped in spring is read with the offset before the switch (02:30 becomes 03:30); one
    that comes twice in autumn is the first.
    """
    wall = np.asarray(wall_s, dtype=np.int64)
    quarters, inverse = np.unique(wall // _QUARTER_S, return_inverse=True)
    offsets = np.array(
        [
            _offset_s((_EPOCH + timedelta(seconds=int(quarter) * _QUARTER_S)).replace(tzinfo=zone))
            for quarter in quarters
        ],
        dtype=np.int64,
    )
    return wall - offsets[inverse.reshape(wall.shape)] if len(quarters) else wall.copy()


def wall_of_epoch(epoch_s: ArrayLike, zone: ZoneInfo) -> IntArray:
    """What clocks in `zone` show at Unix seconds `epoch_s`, as seconds after 1970-01-01 00:00 local."""
    epoch = np.asarray(epoch_s, dtype=np.int64)
    quarters, inverse = np.unique(epoch // _QUARTER_S, return_inverse=True)
    offsets = np.array(
        [
            _offset_s(datetime.fromtimestamp(int(quarter) * _QUARTER_S, UTC).astimezone(zone))
            for quarter in quarters
        ],
        dtype=np.int64,
    )
    return epoch + offsets[inverse.reshape(epoch.shape)] if len(quarters) else epoch.copy()


def local_day_and_second(at_s: ArrayLike, general: General) -> tuple[IntArray, IntArray]:
    """The local calendar day (0 = the start's) and second of that day at `at_s` seconds from the start."""
    wall = wall_of_epoch(np.asarray(at_s, dtype=np.int64) + _start_epoch(general), general.zone)
    return wall // DAY_S - _first_day(general), wall % DAY_S


def at_local(day: ArrayLike, second: ArrayLike, general: General) -> IntArray:
    """Seconds from the start at which the local clock shows `second` (may exceed a day) of calendar `day`."""
    wall = (np.asarray(day, dtype=np.int64) + _first_day(general)) * DAY_S + np.asarray(
        second, dtype=np.int64
    )
    return epoch_of_wall(wall, general.zone) - _start_epoch(general)


def next_local(second: ArrayLike, day: int, general: General) -> IntArray:
    """The first time at or after the start at which the local clock shows `second` of a day, `day` days on.

    This is where demand "at 07:00 on day 0" falls, also in a scenario that does not start at midnight.
    """
    seconds = np.asarray(second, dtype=np.int64)
    days = day + (seconds < general.start_second_of_day).astype(np.int64)
    return at_local(days, seconds, general)


@dataclass(frozen=True, slots=True)
class LocalClock:
    """The local clock of a scenario, for single moments and daily rules."""

    general: General

    def day_of(self, at_s: float) -> int:
        """The local calendar day at a second from the start."""
        return int(local_day_and_second(int(at_s // 1), self.general)[0])

    def day_start(self, day: int) -> int:
        """Seconds from the start to the local midnight that begins a day; negative before the start."""
        return self.second(day, 0)

    def second(self, day: int, clock_s: int) -> int:
        """Seconds from the start to a clock time (in seconds, may exceed a day) of a day."""
        return int(at_local(day, clock_s, self.general))

    def window(self, day: int, window: ClockWindow) -> tuple[int, int]:
        """Seconds from the start at which a day's window opens and closes."""
        return self.second(day, window.opens), self.second(day, window.closes)

    def occurrences(self, clocks_s: Iterable[int], until_s: int) -> IntArray:
        """Sorted seconds in [0, `until_s`) at which any of the daily clock times comes."""
        clocks = np.array(sorted(set(clocks_s)), dtype=np.int64)
        days = np.arange(-_CLOCK_DAYS, until_s // DAY_S + 2, dtype=np.int64)
        found = np.unique(at_local(days[:, None], clocks[None, :], self.general))
        return found[(found >= 0) & (found < until_s)]

    def wave_times(self, wave: Wave, days: int) -> IntArray:
        """Sorted seconds at which a wave is released on days 0 to `days` - 1, after the start."""
        if wave.every_s is None:
            clocks = list(wave.at)
        else:
            clocks = list(range(wave.window.opens, wave.window.closes, wave.every_s))
        found = at_local(np.arange(days)[:, None], np.array(clocks, dtype=np.int64)[None, :], self.general)
        return np.unique(found[found >= 0])


def _start_epoch(general: General) -> int:
    return round(general.start.timestamp())


def _first_day(general: General) -> int:
    return (general.local_start.replace(tzinfo=None) - _EPOCH).days


def _offset_s(moment: datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None
    return round(offset.total_seconds())
