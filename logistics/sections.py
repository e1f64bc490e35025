"""What all parts of a scenario are made of: numbers with limits, clock times, windows and shifts."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

DAY_S = 86_400
DUMPED = (
    "dumped"  # context of validation in which clock times are seconds, as in a run folder's scenario.json
)

_CLOCK = re.compile(r"([0-4]?\d):([0-5]\d)")


def wrong(code: str, message: str, repair: str) -> PydanticCustomError:
    """An error that `logistics.schema_faults` turns into a fault of that code, message and repair."""
    return PydanticCustomError(code, "{message}", {"message": message, "repair": repair})


def _second_of_day(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, int) and info.context == DUMPED:
        return value
    if not isinstance(value, str):
        raise wrong("clock-format", "not a clock time", 'write it as "HH:MM", with quotes')
    match = _CLOCK.fullmatch(value)
    if match is None or int(match[1]) * 60 + int(match[2]) > 48 * 60:
        raise wrong("clock-format", "not a clock time", 'write "HH:MM", from "00:00" to "48:00"')
    return int(match[1]) * 3600 + int(match[2]) * 60


ClockTime = Annotated[int, BeforeValidator(_second_of_day)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
LARGEST = 10**12  # of every quantity; sums of a few million of them still fit in whole numbers of 64 bits
Positive = Annotated[float, Field(gt=0, le=LARGEST)]
NonNegative = Annotated[float, Field(ge=0, le=LARGEST)]
Seconds = Annotated[float, Field(ge=0, le=10 * DAY_S)]
Capacity = Annotated[int, Field(gt=0, le=LARGEST)]
Spread = Annotated[float, Field(ge=0, le=5)]
Few = Annotated[int, Field(ge=1, le=10**6)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Share = Annotated[float, Field(ge=0, le=1)]
Hourly = Annotated[list[NonNegative], Field(min_length=24, max_length=24)]


class Section(BaseModel):
    """Base of all parts of a scenario: unknown keys are faults, values don't change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ClockWindow(Section):
    """From one local clock time to a later one, every day."""

    opens: ClockTime  # first moment
    closes: ClockTime  # last moment

    @model_validator(mode="before")
    @classmethod
    def _from_pair(cls, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            if len(value) != 2:
                raise wrong("window-format", "not a pair of clock times", 'write ["HH:MM", "HH:MM"]')
            return {"opens": value[0], "closes": value[1]}
        return value

    @model_validator(mode="after")
    def _ordered(self) -> ClockWindow:
        if self.closes <= self.opens:
            raise wrong(
                "window-order",
                "the window closes before it opens",
                'put the earlier time first; past midnight count on ("26:00" is 02:00 the next day)',
            )
        return self


class Shift(Section):
    """`workers` people or machines at work in a daily window."""

    window: ClockWindow  # when
    workers: Annotated[int, Field(ge=0, le=100_000)]  # how many at once

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            if len(value) != 3:
                raise wrong("shift-format", "not a shift", 'write ["HH:MM", "HH:MM", workers]')
            return {"window": list(value[:2]), "workers": value[2]}
        return value
