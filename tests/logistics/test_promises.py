from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logistics.promises import promise_s
from logistics.scenario import General, ServiceSection


def general(start: str, zone: str) -> General:
    return General(name="g", start=start, timezone=zone)  # type: ignore[arg-type]


def by_clock(day: int, clock: str, cutoff: str = "24:00") -> ServiceSection:
    return ServiceSection(id="s", promise_day=day, promise_clock=clock, order_cutoff=cutoff)  # type: ignore[arg-type]


def test_duration_ignores_the_clock() -> None:
    spring = general("2026-03-28T20:00:00+01:00", "Europe/Berlin")
    two_hours = ServiceSection(id="rush", promise_after_s=7200)
    placed = np.array([0, 5 * 3600, 20 * 3600])
    assert (promise_s(two_hours, placed, spring) == placed + 7200).all()


def test_cutoff_belongs_to_the_day() -> None:
    shanghai = general("2026-11-11T00:00:00+08:00", "Asia/Shanghai")
    service = by_clock(0, "22:00", "16:00")
    cutoff = 16 * 3600
    due = promise_s(service, np.array([0, cutoff, cutoff + 1]), shanghai)
    assert due.tolist() == [22 * 3600, 22 * 3600, 46 * 3600]


def test_clock_promise_holds_across_both_switches() -> None:
    spring = general("2026-03-28T00:00:00+01:00", "Europe/Berlin")
    assert promise_s(by_clock(1, "18:00"), np.array([0]), spring)[0] == (24 + 17) * 3600
    autumn = general("2026-10-24T00:00:00+02:00", "Europe/Berlin")
    assert promise_s(by_clock(1, "18:00"), np.array([0]), autumn)[0] == (24 + 19) * 3600


def test_promise_past_midnight() -> None:
    shanghai = general("2026-11-11T00:00:00+08:00", "Asia/Shanghai")
    assert promise_s(by_clock(0, "26:00"), np.array([3600]), shanghai)[0] == 26 * 3600


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"]),
    st.integers(0, 364),
    st.integers(0, 3),
    st.integers(0, 30 * 60),
    st.integers(0, 24 * 60),
    st.lists(st.integers(0, 5 * 86_400), min_size=1, max_size=10),
)
def test_equals_datetime_arithmetic(
    zone: str, day: int, promise_day: int, clock: int, cutoff: int, placed: list[int]
) -> None:
    start = (datetime(2026, 1, 1, 6) + timedelta(days=day)).isoformat() + "+00:00"
    at = general(start, zone)
    service = by_clock(
        promise_day, f"{clock // 60:02d}:{clock % 60:02d}", f"{cutoff // 60:02d}:{cutoff % 60:02d}"
    )
    due = promise_s(service, np.array(placed), at)
    for second, promise in zip(placed, due.tolist(), strict=True):
        local = (at.start + timedelta(seconds=second)).astimezone(at.zone)
        midnight = datetime(local.year, local.month, local.day)
        late = local.hour * 3600 + local.minute * 60 + local.second > cutoff * 60
        wall = midnight + timedelta(days=promise_day + late, minutes=clock)
        assert promise == round(wall.replace(tzinfo=at.zone).timestamp() - at.start.timestamp())


def test_no_orders() -> None:
    shanghai = general("2026-11-11T00:00:00+08:00", "Asia/Shanghai")
    assert len(promise_s(by_clock(1, "18:00"), np.zeros(0, dtype=np.int64), shanghai)) == 0
