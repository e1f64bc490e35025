from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.clock import at_local, epoch_of_wall, local_day_and_second, next_local, wall_of_epoch
from logistics.scenario import General

ZONES = ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


def general(start: str, zone: str) -> General:
    return General(name="g", start=start, timezone=zone)  # type: ignore[arg-type]


@given(st.sampled_from(ZONES), st.lists(st.integers(1_700_000_000, 1_800_000_000), min_size=1, max_size=20))
def test_wall_clock_equals_datetime(zone: str, epochs: list[int]) -> None:
    shown = wall_of_epoch(epochs, ZoneInfo(zone))
    for epoch, wall in zip(epochs, shown.tolist(), strict=True):
        naive = datetime.fromtimestamp(epoch, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert datetime(1970, 1, 1) + timedelta(seconds=wall) == naive


@given(st.sampled_from(ZONES), st.lists(st.integers(1_700_000_000, 1_800_000_000), min_size=1, max_size=20))
def test_epoch_of_wall_equals_datetime(zone: str, walls: list[int]) -> None:
    got = epoch_of_wall(walls, ZoneInfo(zone))
    for wall, epoch in zip(walls, got.tolist(), strict=True):
        local = (datetime(1970, 1, 1) + timedelta(seconds=wall)).replace(tzinfo=ZoneInfo(zone))
        assert epoch == round(local.timestamp())


def test_skipped_and_repeated_hours() -> None:
    berlin = general("2026-03-28T12:00:00+01:00", "Europe/Berlin")
    skipped = at_local(1, 2 * 3600 + 1800, berlin)  # 02:30 does not exist on 29 March
    assert skipped == 12 * 3600 + 2 * 3600 + 1800
    day, second = local_day_and_second([int(skipped)], berlin)
    assert (day[0], second[0]) == (1, 3 * 3600 + 1800)
    autumn = general("2026-10-25T00:00:00+02:00", "Europe/Berlin")
    assert at_local(0, 2 * 3600 + 1800, autumn) == 2 * 3600 + 1800  # the first 02:30
    assert at_local(1, 0, autumn) == 25 * 3600


def test_next_local_never_precedes_the_start() -> None:
    noon = general("2026-11-11T12:30:00+08:00", "Asia/Shanghai")
    hours = np.arange(24) * 3600
    first = next_local(hours, 0, noon)
    assert first.min() >= 0
    assert first.max() < 86_400
    assert first[13] == 1800
    assert first[12] == 23 * 3600 + 1800
    assert (next_local(hours, 2, noon) == first + 2 * 86_400).all()


def test_start_given_in_another_offset() -> None:
    shifted = general("2026-11-10T16:00:00+00:00", "Asia/Shanghai")  # midnight in Shanghai
    assert local_day_and_second([0, 86_399, 86_400], shifted)[0].tolist() == [0, 0, 1]
    assert at_local(0, 3600, shifted) == 3600


@pytest.mark.parametrize("zone", ZONES)
def test_empty_arrays(zone: str) -> None:
    assert len(epoch_of_wall([], ZoneInfo(zone))) == 0
    assert len(wall_of_epoch([], ZoneInfo(zone))) == 0
