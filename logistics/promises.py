"""The promise of a service class: the latest moment at which a parcel is on time."""

from __future__ import annotations

import numpy as np

from logistics.clock import at_local, local_day_and_second
from logistics.scenario import General, ServiceSection
from logistics.tables import IntArray


def promise_s(service: ServiceSection, placed_s: IntArray, general: General) -> IntArray:
    """Seconds from the scenario's start by which orders placed at `placed_s` are promised.

    Promises by clock are kept on the wall clock of the scenario's time zone: across a switch of daylight
    saving "18:00 tomorrow" stays 18:00, while promises by duration stay so many seconds long. An order placed
    exactly at the cut-off still makes it.
    """
    placed = np.asarray(placed_s, dtype=np.int64)
    if service.promise_after_s is not None:
        return placed + service.promise_after_s
    assert service.promise_day is not None
    assert service.promise_clock is not None
    day, second = local_day_and_second(placed, general)
    days = day + service.promise_day + (second > service.order_cutoff)
    distinct, inverse = np.unique(days, return_inverse=True)
    due = at_local(distinct, np.full(len(distinct), service.promise_clock), general)
    return due[inverse.reshape(placed.shape)]
