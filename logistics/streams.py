"""Orders of the demand streams: a daily total spread over hours, areas, services, items or sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from logistics.catalogue import popularity
from logistics.clock import next_local
from logistics.orders import OrderBatch, joined_batches
from logistics.places import Addresses, Random
from logistics.promises import promise_s
from logistics.scenario import Scenario, SizeClass, StreamSection
from logistics.tables import BoolArray, FloatArray, IntArray, Items

HOUR_S = 3600


def stream_orders(
    number: int,
    stream: StreamSection,
    scenario: Scenario,
    homes: Addresses,
    items: Items,
    random: Random,
    first_item: int = 0,
) -> OrderBatch:
    """The orders of stream `number` over its days, times `demand.scale`; `items`, by popularity, are rows
    `first_item` and on of the run's catalogue.

    The k-th order of a day takes the k-th draw of each attribute, each from its own stream: with another
    scale, the smaller demand is the beginning of the larger, order by order.
    """
    expected = stream.per_day * scenario.demand.scale
    counts = np.diff(np.rint(np.arange(stream.days + 1) * expected)).astype(np.int64)
    batch = joined_batches(
        [
            _day(number, day, int(count), stream, scenario, homes, items, random)
            for day, count in enumerate(counts)
        ]
    )
    return replace(batch, item=batch.item + first_item)


def _day(
    number: int,
    day: int,
    count: int,
    stream: StreamSection,
    scenario: Scenario,
    homes: Addresses,
    items: Items,
    random: Random,
) -> OrderBatch:
    entity = f"stream:{number}:day:{day}"

    def draw(purpose: str) -> FloatArray:
        return random(entity, purpose).random(count)

    hour_of = _Choice(np.arange(24), np.array(stream.hourly))
    hour, within = hour_of.split(draw("time"))
    starts = next_local(np.arange(24) * HOUR_S, day, scenario.scenario)
    placed = starts[hour] + (within * HOUR_S).astype(np.int64)
    origin = _named(stream.origins, [site.id for site in scenario.sites]).rows(draw("origin"))
    if stream.areas:
        areas = _named(stream.areas, [area.id for area in scenario.areas])
    else:
        areas = _Choice(
            np.arange(len(scenario.areas)), np.array([area.weight for area in scenario.areas], dtype=float)
        )
    area = areas.rows(draw("area"))
    service = _named(stream.services, [service.id for service in scenario.services]).rows(draw("service"))
    place = home_or_locker(homes, area, draw("place"), draw("locker") < stream.locker_share)
    promise = promises(scenario, service, placed)
    warehouse = np.array([site.kind == "warehouse" for site in scenario.sites])
    with_lines = warehouse[origin]
    sizes = _named(stream.sizes, [size.id for size in scenario.demand.sizes])
    if with_lines.all():
        size_class, weight, volume = np.full(count, -1), np.zeros(count, np.int64), np.zeros(count, np.int64)
    else:
        size_class = sizes.rows(draw("size"))
        weight, volume = parcel_sizes(scenario, size_class, draw("weight"), draw("volume"))
        size_class = np.where(with_lines, -1, size_class)
    line_order, item, quantity = _lines(entity, stream, with_lines, items, scenario.catalogue.zipf, random)
    none = np.zeros(0, dtype=np.int64)
    prefix = f"s{number + 1:02d}-{day:02d}-"
    return OrderBatch(
        reference=np.array([f"{prefix}{k:08d}" for k in range(count)], dtype=object),
        placed_s=placed,
        place=place,
        service=service,
        origin=origin,
        promise_s=promise,
        weight_g=weight,
        volume_ml=volume,
        size_class=size_class,
        line_order=line_order,
        item=item,
        quantity=quantity,
        cancelled_line=none,
        cancelled_at_s=none,
        cancelled_quantity=none,
    )


def promises(scenario: Scenario, service: IntArray, placed_s: IntArray) -> IntArray:
    """The promise of each order, by its service."""
    promise = np.zeros(len(placed_s), dtype=np.int64)
    for row, section in enumerate(scenario.services):
        mine = np.flatnonzero(service == row)
        promise[mine] = promise_s(section, placed_s[mine], scenario.scenario)
    return promise


def home_or_locker(homes: Addresses, area: IntArray, uniform: FloatArray, to_locker: BoolArray) -> IntArray:
    """A home of the area drawn by `uniform`, or its nearest locker where wished and there is one."""
    count = np.diff(homes.first_home)
    home = homes.first_home[area] + (uniform * count[area]).astype(np.int64)
    locker = homes.locker[home]
    place: IntArray = np.where(to_locker & (locker >= 0), locker, home)
    return place


def parcel_sizes(
    scenario: Scenario, size_class: IntArray, weight_mark: FloatArray, volume_mark: FloatArray
) -> tuple[IntArray, IntArray]:
    """Lognormal weight and volume of origin–destination parcels, at least 1 and at most the parcel limits
    (carriers refuse what is larger), from uniform marks."""
    demand = scenario.demand
    weight = _lognormal(demand.sizes, "weight_g", size_class, weight_mark, demand.max_parcel_g)
    return weight, _lognormal(demand.sizes, "volume_ml", size_class, volume_mark, demand.max_parcel_ml)


def _lognormal(
    sizes: list[SizeClass], name: str, size_class: IntArray, mark: FloatArray, limit: int
) -> IntArray:
    median = np.array([getattr(size, name) for size in sizes], dtype=np.float64)
    sigma = np.array([size.sigma for size in sizes], dtype=np.float64)
    normal = ndtri(np.maximum(mark, 2.0**-54))
    drawn = median[size_class] * np.exp(sigma[size_class] * normal)
    size: IntArray = np.clip(np.rint(drawn), 1, limit).astype(np.int64)
    return size


def _lines(
    entity: str, stream: StreamSection, with_lines: BoolArray, items: Items, zipf: float, random: Random
) -> tuple[IntArray, IntArray, IntArray]:
    """Order, item and quantity of each line; lines and units are geometric with the declared means."""
    orders = np.flatnonzero(with_lines)
    lines = np.zeros(len(with_lines), dtype=np.int64)
    lines[orders] = _geometric(stream.lines_per_order, random(entity, "lines").random(len(with_lines)))[
        orders
    ]
    total = int(lines.sum())
    if not total:
        none = np.zeros(0, dtype=np.int64)
        return none, none, none
    line_order = np.repeat(np.arange(len(with_lines)), lines)
    item = _Choice(np.arange(len(items)), popularity(len(items), zipf)).rows(
        random(entity, "items").random(total)
    )
    return line_order, item, _geometric(stream.units_per_line, random(entity, "units").random(total))


def _geometric(mean: float, uniform: FloatArray) -> IntArray:
    if mean <= 1.0:
        return np.ones(len(uniform), dtype=np.int64)
    count: IntArray = 1 + np.floor(np.log1p(-uniform) / np.log1p(-1.0 / mean)).astype(np.int64)
    return count


class _Choice:
    """Drawing rows in proportion to weights, by inversion of uniform numbers."""

    def __init__(self, rows: IntArray, weights: FloatArray) -> None:
        self._rows = rows
        self._upper = np.cumsum(weights, dtype=np.float64)
        if len(weights) and self._upper[-1] > 0:
            self._upper /= self._upper[-1]
            self._upper[int(np.flatnonzero(weights)[-1]) :] = 1.0  # rounding must not reach past the end

    def rows(self, uniform: FloatArray) -> IntArray:
        rows: IntArray = self._rows[np.searchsorted(self._upper, uniform, side="right")].astype(np.int64)
        return rows

    def split(self, uniform: FloatArray) -> tuple[IntArray, FloatArray]:
        """The row drawn, and how far (0 to 1) into its share the number fell: uniform again."""
        position = np.searchsorted(self._upper, uniform, side="right")
        lower = np.concatenate([[0.0], self._upper])[position]
        within = (uniform - lower) / (self._upper[position] - lower)
        return self._rows[position].astype(np.int64), np.clip(within, 0.0, np.nextafter(1.0, 0.0))


def _named(weights: dict[str, float], names: list[str]) -> _Choice:
    row = {name: number for number, name in enumerate(names)}
    return _Choice(
        np.array([row[name] for name in weights], dtype=np.int64),
        np.array(list(weights.values()), dtype=float),
    )
