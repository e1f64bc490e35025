"""Which stage made a late parcel late.

A parcel's way is cut at its milestones into intervals, each named by what was being done or waited for. The
interval that exceeds its usual length the most is the one named. Usual is the median over the on-time parcels
of the same origin, area and service, where at least `FEW` there are; else over those of the same service and
kind; else over those of the same kind; else zero. Three cases need no comparison: a parcel without stock is
late by "stock", a returned one by "failed attempt", and work never finished counts from its start to the end
of the run.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sim.columns import BoolArray, FloatArray, IntArray, RowArray, counts, name_array, names, times
from sim.tables import SCHEMAS

# milestone that ends the interval, and the interval's name
MILESTONES = (
    ("accepted_s", "intake"),
    ("reserved_s", "stock"),
    ("released_s", "wave"),
    ("picked_s", "pick"),
    ("packed_s", "pack"),
    ("collected_s", "collection"),
    ("sorted_s", "sort"),
    ("station_s", "linehaul"),
    ("ready_s", "station"),
    ("loaded_s", "dispatch"),
    ("final_s", "route"),
)
FAILED = "failed attempt"
STAGES = (*(stage for _, stage in MILESTONES), FAILED)
FULFILMENT_ONLY, ORIGIN_DESTINATION_ONLY = (
    ("reserved_s", "released_s", "picked_s", "packed_s"),
    ("collected_s",),
)
FEW = 5


def late(parcels: pa.Table) -> BoolArray:
    """Parcels that were due and not delivered by their first promise. Cancelled ones are not due."""
    state, final = names(parcels, "state"), times(parcels, "final_s")
    on_time = state.where("delivered") & (final <= times(parcels, "promise_s"))
    return due(parcels) & ~on_time


def due(parcels: pa.Table) -> BoolArray:
    """Parcels that the customer did not cancel."""
    return ~names(parcels, "state").where("cancelled")


def with_late_stage(parcels: pa.Table, end_s: float) -> pa.Table:
    """The table with its column `late_stage` filled in: a name from `STAGES`, null for parcels not late.

    `end_s` is the end of the run, until which unfinished intervals last. The column may be absent before.
    """
    stage = np.full(parcels.num_rows, -1, dtype=np.int32)
    rows, spans, usual = late_spans(parcels, end_s)
    if len(rows):
        stage[rows] = np.argmax(spans - usual, axis=1)
        state = names(parcels, "state")
        stage[rows[state.where("out_of_stock")[rows]]] = STAGES.index("stock")
        stage[rows[state.where("returned")[rows]]] = STAGES.index(FAILED)
    column = name_array(stage, list(STAGES))
    at = SCHEMAS["parcels"].get_field_index("late_stage")
    if "late_stage" in parcels.column_names:
        return parcels.set_column(parcels.column_names.index("late_stage"), "late_stage", column)
    return parcels.add_column(at, "late_stage", column)


def late_spans(parcels: pa.Table, end_s: float) -> tuple[IntArray, IntArray, IntArray]:
    """Rows of the late parcels, and (late parcels, len(STAGES)) milliseconds that each interval took and usually
    takes."""
    lateness = late(parcels)
    rows = np.flatnonzero(lateness)
    if not len(rows):
        nothing = np.zeros((0, len(STAGES)), dtype=np.int64)
        return rows, nothing, nothing
    spans = _intervals(parcels, end_s)
    return rows, spans[rows], _usual(parcels, spans, lateness, due(parcels) & ~lateness)


def _intervals(parcels: pa.Table, end_s: float) -> IntArray:
    """(n, len(STAGES)) milliseconds spent in each interval. A milestone never reached has none; the next one
    that was reached ends its interval as well. Open parcels go on until the end of the run in the interval
    after their last milestone, skipping those that their kind does not have."""
    n = parcels.num_rows
    spans = np.zeros((n, len(STAGES)), dtype=np.int64)
    since = times(parcels, "placed_s")
    stuck = np.zeros(n, dtype=np.int32)
    fulfilment = names(parcels, "kind").where("fulfilment")
    is_open = np.isnan(times(parcels, "final_s")) | names(parcels, "state").where("open")
    for number, (milestone, _) in enumerate(MILESTONES):
        at = times(parcels, milestone)
        if milestone == "final_s":
            at = np.where(is_open, np.nan, at)
        reached = ~np.isnan(at)
        spans[:, number] = _milliseconds(np.where(reached, at - since, 0.0))
        since = np.where(reached, at, since)
        stuck = np.where(reached, number + 1, stuck).astype(np.int32)
    for number, (milestone, _) in enumerate(MILESTONES):
        foreign = ~fulfilment if milestone in FULFILMENT_ONLY else fulfilment
        if milestone in FULFILMENT_ONLY or milestone in ORIGIN_DESTINATION_ONLY:
            stuck = np.where((stuck == number) & foreign, number + 1, stuck).astype(np.int32)
    rows = np.flatnonzero(is_open)
    where = np.minimum(stuck[rows], len(MILESTONES) - 1)
    spans[rows, where] += _milliseconds(np.maximum(end_s - since[rows], 0.0))
    # a later attempt's time on the road began with the first, failed one
    failed = counts(parcels, "attempts") > names(parcels, "state").where("delivered")
    dispatch = STAGES.index("dispatch")
    spans[failed, STAGES.index(FAILED)] = spans[failed, dispatch]
    spans[failed, dispatch] = 0
    return spans


def _milliseconds(seconds: FloatArray) -> IntArray:
    return np.rint(seconds * 1000.0).astype(np.int64)


def _usual(parcels: pa.Table, spans: IntArray, lateness: BoolArray, on_time: BoolArray) -> IntArray:
    """(late parcels, len(STAGES)) usual lengths of the intervals for each late parcel."""
    kind, service = names(parcels, "kind"), names(parcels, "service")
    origin, area = names(parcels, "origin"), names(parcels, "area")
    by_kind = kind.codes
    by_service = by_kind * (len(service.names) + 1) + service.codes
    lane = (by_service.astype(np.int64) * (len(origin.names) + 1) + origin.codes) * (len(area.names) + 1)
    rows, peers = np.flatnonzero(lateness), np.flatnonzero(on_time)
    usual = np.zeros((len(rows), len(STAGES)), dtype=np.int64)
    for group, fewest in ((by_kind, 1), (by_service, FEW), (lane + area.codes, FEW)):
        labels, member = np.unique(group[rows], return_inverse=True)
        place = np.minimum(np.searchsorted(labels, group[peers]), len(labels) - 1)
        ours = labels[place] == group[peers]
        size = np.bincount(place[ours], minlength=len(labels))
        medians = _medians(place[ours].astype(np.int32), spans[peers[ours]], size)
        known = (size >= fewest)[member]
        usual[known] = medians[member[known]]
    return usual


def _medians(group: RowArray, values: IntArray, size: IntArray) -> IntArray:
    """(groups, columns) lower medians of each column within each group; groups of size 0 get 0."""
    first = np.concatenate(([0], np.cumsum(size)[:-1]))
    middle = first + np.maximum(size - 1, 0) // 2
    result = np.zeros((len(size), values.shape[1]), dtype=np.int64)
    for column in range(values.shape[1]):
        # one sort of whole numbers that hold group and value at once
        keys = np.sort((group.astype(np.int64) << 40) + np.clip(values[:, column], 0, (1 << 40) - 1))
        filled = size > 0
        result[filled, column] = keys[middle[filled]] & ((1 << 40) - 1)
    return result
