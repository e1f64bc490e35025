"""Driver breaks and hours of service, as data: after so much driving a break is due.

>>> from solvers.duty import EU
>>> EU.max_driving_between, EU.break_time, EU.first_part
(16200, 2700, 900)
"""

from __future__ import annotations

from dataclasses import dataclass

from solvers.speeds import NOISE, SpeedRule
from solvers.travel import IntArray


@dataclass(frozen=True, slots=True)
class DutyRule:
    """Rules for one driver's day, in the problem's time units (seconds in the constants below).

    max_driving_between   driving without a break
    break_time            length of a break
    first_part            a break may be taken in two parts, the first of at least this, the second of
                          `break_time` less it; 0 where it may not
    max_driving           driving in all; 0 for no limit

    A break is taken on the way, when the driving since the last one reaches its limit; driving is the time it
    takes at the speeds of the hour. Waiting that lasts as long as a break, or a part of it, is one. Waiting for
    the first service is done before departure, as far as that can be (`solvers.breaks`), and is none.
    """

    max_driving_between: int
    break_time: int
    first_part: int = 0
    max_driving: int = 0

    def faults(self) -> list[str]:
        """What is wrong with the rule."""
        found = []
        if self.max_driving_between <= 0 or self.break_time <= 0:
            found.append("driving and break must be longer than 0")
        if not 0 <= self.first_part < max(1, self.break_time) or self.max_driving < 0:
            found.append("the first part is to be shorter than the break, the limit 0 or more")
        return found


CHINA = DutyRule(4 * 3600, 20 * 60)  # GB 7258 and the road transport rules: 20 min after 4 h
EU = DutyRule(int(4.5 * 3600), 45 * 60, 15 * 60, 9 * 3600)  # Regulation (EC) No 561/2006, articles 6 and 7
US = DutyRule(8 * 3600, 30 * 60, 0, 11 * 3600)  # 49 CFR 395.3; its 14 hours are the type's max_duration


@dataclass(slots=True)
class Driving:
    """A driver's clock along a route: driving since the last break, in all, and whether a first part was taken."""

    rule: DutyRule
    since: float = 0
    total: float = 0
    part: bool = False

    def needed(self) -> int:
        """Length of the break that is due next."""
        return self.rule.break_time - (self.rule.first_part if self.part else 0)

    def drive(self, speeds: SpeedRule, length: float, leave: float) -> tuple[float, list[tuple[float, int]]]:
        """Leave at `leave` with `length` to go: the arrival, and the breaks on the way as (start, length)."""
        breaks: list[tuple[float, int]] = []
        now = leave
        while (
            self.since + (arrival := speeds.arrive(now, length)) - now > self.rule.max_driving_between + NOISE
        ):
            stop = now + max(0.0, self.rule.max_driving_between - self.since)
            length -= speeds.covered(now, stop)
            self.total += stop - now
            breaks.append((stop, self.needed()))
            now = stop + self.needed()
            self.since, self.part = 0, False
        self.since += arrival - now
        self.total += arrival - now
        return arrival, breaks

    def wait(self, duration: float) -> None:
        """Wait; long enough, it is a break or its first part."""
        if duration >= self.needed() - NOISE:
            self.since, self.part = 0, False
        elif self.rule.first_part and duration >= self.rule.first_part - NOISE:
            self.part = True


def rule_of(table: IntArray | None, kind: int) -> DutyRule | None:
    """The rule of a vehicle type, whose row is all zeros where it has none."""
    if table is None or not table[kind, 0]:
        return None
    return DutyRule(*(int(x) for x in table[kind]))
