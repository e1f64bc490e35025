"""Declared disruptions of a sorting floor, and the trace in which they show."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("chute_blocked", "induction_closed", "robot_stopped")


@dataclass(frozen=True, slots=True)
class Disruption:
    """From `from_s` to `to_s` a chute takes nothing, an induction loads nothing, or a robot stands where it is.

    Raises `ValueError` for another kind, a negative number, or an end before the beginning.
    """

    kind: str
    target: int
    from_s: float
    to_s: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no disruption {self.kind!r}; there are {', '.join(KINDS)}")
        if self.target < 0 or not self.to_s > self.from_s:
            raise ValueError(
                f"{self.kind} of {self.target}: it must end after it begins, and not be negative"
            )


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the trace: when, what, the number of the chute, induction, robot or parcel."""

    at_s: float
    what: str
    who: int
    detail: str = ""
