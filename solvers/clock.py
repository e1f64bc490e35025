"""The clock that searches go by: wall time, or this process's processor time where a benchmark asks for it.

On a machine that other work shares, runs that are equal by processor time can be compared, runs equal by wall
time cannot. Whatever works in further processes knows wall time only.
"""

from __future__ import annotations

import time
from enum import StrEnum


class Clock(StrEnum):
    """What seconds of a search are."""

    WALL = "wall"
    PROCESSOR = "processor"


_read = time.monotonic


def seconds() -> float:
    """Seconds on the clock of this process; only differences mean something."""
    return _read()


def go_by(clock: Clock) -> None:
    """Let all searches of this process go by `clock`. Not for a process in which a search is under way."""
    global _read
    _read = time.monotonic if clock is Clock.WALL else time.process_time
