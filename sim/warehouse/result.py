"""What a warehouse run leaves: times of every line and order, stays at every station, notes, key figures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sim.stats import littles_law
from sim.warehouse.orders import HOUR_S, NONE, FloatArray, IntArray, OrderLines

FAULT_KINDS = ("station_closed", "robot_stopped", "stock_wrong")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong: what, which one, from when to when, how many units.

    `station_closed` (a pick station or zone), `robot_stopped`, `stock_wrong` (units of an item that vanish at
    `from_s`).
    """

    kind: str
    target: int
    from_s: float
    to_s: float = float("inf")
    units: int = 0

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"no fault {self.kind!r}; there are {', '.join(FAULT_KINDS)}")
        if self.to_s < self.from_s or self.target < 0 or self.units < 0:
            raise ValueError(
                f"{self.kind} of {self.target}: it must not end before it begins, nor be negative"
            )


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the trace. `who`: number of a station, zone or robot, or an item; `order`: whom it concerns."""

    at_s: float
    what: str
    who: int
    detail: str = ""
    order: int = NONE


Stays = tuple[FloatArray, FloatArray, FloatArray]


class SpaceUsed:
    """How many of a storage's places (bins, shelf locations, places of a rack) hold units, over time."""

    def __init__(self, places: int, used: int) -> None:
        self._places, self._used, self._peak = places, used, used
        self._from_s = self._since_s = np.nan
        self._integral = 0.0

    def change(self, at_s: float, by: int) -> None:
        """So many places more (or fewer) hold units from now on; moments never go back."""
        self.count(at_s, self._used + by)

    def count(self, at_s: float, used: int) -> None:
        """So many hold units from now on."""
        if np.isnan(self._from_s):
            self._from_s = self._since_s = at_s
        self._integral += self._used * (at_s - self._since_s)
        self._since_s, self._used, self._peak = at_s, used, max(self._peak, used)

    def figures(self, until_s: float) -> dict[str, float]:
        """Percent of all places, as the mean from the first change on and at most; at rest both are the same."""
        passed = until_s - self._from_s
        mean = float(self._used)
        if passed > 0:
            mean = (self._integral + self._used * (until_s - self._since_s)) / passed
        return {
            "space_used_mean_pct": 100.0 * mean / self._places,
            "space_used_peak_pct": 100.0 * self._peak / self._places,
        }


@dataclass(slots=True, eq=False)
class WarehouseResult:
    """Times are NaN where work was not finished. `stays[station]` are (arrive, start, finish) of its jobs.

    `picked_s` (lines,) when the last unit was picked; `ready_s` (orders,) when the order was complete for
    packing; `done_s` (orders,) when it left: packed, or ready where others pack. `server_s[station]` are
    seconds in which servers were there. `people` names the stations where people pick, put and refill;
    `moved_m` metres that people or machines moved. `handled` int64 (rows, columns) counts by part of the floor
    what `handled_what` names. Orders whose `release_s` is NaN never came and do not count.
    """

    orders: OrderLines
    picked_s: FloatArray
    ready_s: FloatArray
    done_s: FloatArray
    stays: dict[str, Stays]
    server_s: dict[str, float]
    people: tuple[str, ...]
    moved_m: float
    handled: IntArray
    handled_what: str
    figures: dict[str, float] = field(default_factory=dict)
    trace: list[Note] = field(default_factory=list)

    @property
    def open_orders(self) -> int:
        return int((np.isnan(self.done_s) & ~np.isnan(self.orders.release_s)).sum())

    def kpis(self, due_s: float = 4 * HOUR_S) -> dict[str, float]:
        """Key figures; an order is late when it has not left `due_s` after its release."""
        orders = self.orders
        done, came = ~np.isnan(self.done_s), ~np.isnan(orders.release_s)
        cycle = (self.done_s - orders.release_s)[done]
        lines, units = orders.lines_of_order, np.add.reduceat(orders.units, orders.first_line[:-1])
        first_s, last_s = span_of(orders, self.done_s)
        span_h = (last_s - first_s) / HOUR_S if last_s > first_s else np.nan
        late = 1.0 - float((cycle <= due_s).sum()) / max(1, int(came.sum()))
        quantile = np.quantile(cycle, (0.5, 0.95, 0.99)) if done.any() else (np.nan,) * 3
        picked = float((~np.isnan(self.picked_s)).sum())
        paid_h = sum(self.server_s[name] for name in self.people) / HOUR_S
        busy_h = sum(self._busy_s(name) for name in self.people) / HOUR_S
        figures = {
            "orders": float(came.sum()),
            "lines": float(lines[came].sum()),
            "open_orders": float(self.open_orders),
            "lines_per_h": float(lines[done].sum()) / span_h,
            "units_per_h": float(units[done].sum()) / span_h,
            "lines_per_paid_h": picked / max(paid_h, 1e-9),
            "lines_per_busy_h": picked / max(busy_h, 1e-9),
            "cycle_p50_s": float(quantile[0]),
            "cycle_p95_s": float(quantile[1]),
            "cycle_p99_s": float(quantile[2]),
            "late_pct": 100.0 * late,
            "distance_per_line_m": self.moved_m / max(1, int(lines[came].sum())),
        }
        for name in self.stays:
            if self.server_s.get(name):
                figures[f"utilisation_{name}_pct"] = 100.0 * self._busy_s(name) / self.server_s[name]
        return figures | self.figures

    def _busy_s(self, name: str) -> float:
        _, start, finish = self.stays.get(name, (np.zeros(1),) * 3)
        return float((finish - start).sum())

    def littles_law_error(self) -> float:
        """Largest relative error of L = λW over all stations; of the order of rounding, or jobs went astray."""
        errors = [
            littles_law(arrive, finish).relative_error
            for arrive, _, finish in self.stays.values()
            if arrive.size and finish.max() > arrive.min()
        ]
        return max(errors, default=0.0)


def span_of(orders: OrderLines, done_s: FloatArray) -> tuple[float, float]:
    """From the first release to when the last order left; nothing where none did."""
    came = orders.release_s[~np.isnan(orders.release_s)]
    first = float(came.min()) if came.size else 0.0
    return first, max(first, float(np.nanmax(done_s))) if (~np.isnan(done_s)).any() else first
