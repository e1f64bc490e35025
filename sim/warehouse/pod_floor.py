"""The state of a goods-to-person floor: pods with bins, places, stations, robots, as arrays."""

from __future__ import annotations

import math

import numpy as np

from logistics.storage import GoodsToPersonSection
from sim.warehouse.kernels import pods as kernel
from sim.warehouse.orders import NONE, FloatArray, IntArray, OrderLines
from sim.warehouse.slotting import Bins

SPARE_PLACES = 0.1  # more places than pods, so that a pod finds another than the one it left
ROW_GAP = 1.5  # between rows of pods, in pitches: every second gap is an aisle


class PodFloor:
    """Pods stand in a grid of places, pick stations along its south side, replenishment stations along the
    north.

    Stations are numbered through: pick stations first. `open_units` (lines,) is what a line wants and no pod
    on its way was promised for; `free_units` (bins,) what a bin offers by the books; `bin_units` what is
    truly in it and `bin_book` what the books say. `pod_place` is -1 while a pod is off its place.
    """

    def __init__(self, section: GoodsToPersonSection, orders: OrderLines, bins: Bins) -> None:
        self.section, self.orders = section, orders
        self.now_s = 0.0
        self.order_slots = np.full((section.stations, section.order_slots), NONE, np.int64)
        self.free_slots = [section.order_slots] * section.stations
        self.lines_left = np.zeros(section.stations, np.int64)  # of a station's orders, not picked
        self.open_units = orders.units.copy()
        self.item = orders.item.astype(np.int64)
        self.lines_of_order = orders.lines_of_order

        turn = np.argsort(bins.pod, kind="stable")
        self.bin_pod, self.bin_item = bins.pod[turn].astype(np.int64), bins.item[turn].astype(np.int64)
        count = self.bin_pod.size
        self.pod_first = np.searchsorted(self.bin_pod, np.arange(section.pods + 1)).astype(np.int64)
        self.pod_bin = np.arange(count, dtype=np.int64)
        self.item_bin = np.argsort(self.bin_item, kind="stable").astype(np.int64)
        self.item_first = np.searchsorted(
            self.bin_item[self.item_bin], np.arange(len(orders.names) + 1)
        ).astype(np.int64)
        self.bin_units = np.full(count, section.bin_units, np.int64)
        self.bin_book = self.bin_units.copy()
        self.free_units = self.bin_units.copy()
        self._bin_of = np.full(len(orders.names), NONE, np.int64)
        self._score = np.zeros(section.pods, np.int64)
        self._serving = np.empty(section.pods, np.int64), np.empty(section.pods, np.int64)
        self._low = np.empty(section.bins_per_pod, np.int64)
        self._starved = np.empty(64, np.int64)
        self._wanting = np.zeros(section.stations, np.bool_)
        most = section.order_slots * int(orders.lines_of_order.max(initial=1))
        self._claims = [np.empty(most, np.int64) for _ in range(3)]

        self.pod_place = np.arange(section.pods, dtype=np.int64)
        self.pod_stored = np.ones(section.pods, np.bool_)  # on its place and not asked for
        # where it is on its way to or stands; not while its robot is stopped on the way
        self.pod_station = np.full(section.pods, NONE, np.int64)
        self.pod_visits = np.zeros(section.pods, np.int64)
        places = max(section.pods + 1, math.ceil(section.pods * (1 + SPARE_PLACES)))
        columns = max(1, round(math.sqrt(places * ROW_GAP)))
        rows = -(-places // columns)
        at = np.arange(places)
        self.place_xy = np.column_stack((at % columns, (at // columns) * ROW_GAP)) * section.pitch_m
        self.place_free = np.ones(places, np.bool_)
        self.place_fetched = np.zeros(places, np.int64)  # pods fetched from it so far
        self._shape = rows, columns
        width, depth = columns * section.pitch_m, rows * ROW_GAP * section.pitch_m
        north = section.replenishment_stations
        self.station_xy = np.concatenate(
            (
                np.column_stack(
                    (
                        width * (np.arange(section.stations) + 0.5) / section.stations,
                        np.full(section.stations, -3.0),
                    )
                ),
                np.column_stack((width * (np.arange(north) + 0.5) / north, np.full(north, depth + 3.0))),
            )
        )
        self.charger_xy = np.column_stack(
            (np.full(section.chargers, -3.0), depth * (np.arange(section.chargers) + 0.5) / section.chargers)
        )
        # The same as lists, of which single entries are read several times as fast.
        self.place_at, self.station_at, self.charger_at = (
            [(float(x), float(y)) for x, y in each]
            for each in (self.place_xy, self.station_xy, self.charger_xy)
        )
        self.place_to_station_m: FloatArray = np.abs(self.place_xy[:, None, :] - self.station_xy[None]).sum(
            axis=2
        )
        nearest = self.place_to_station_m[:, : section.stations].min(axis=1)
        self.place_rank = np.empty(places, np.int64)
        self.place_rank[np.argsort(nearest, kind="stable")] = np.arange(places)
        self.robot_xy = np.column_stack(
            (np.linspace(0.0, width, section.robots), np.full(section.robots, -1.5))
        )
        self.coming: list[list[int]] = [[] for _ in range(len(self.station_xy))]  # pods on their way or there

    def lay_out(self, generator: np.random.Generator) -> None:
        """Put the pods on places at random."""
        self.pod_place[:] = generator.permutation(self.place_free.size)[: self.section.pods]
        self.place_free[:] = True
        self.place_free[self.pod_place] = False

    def fetched_from(self) -> IntArray:
        """(rows, columns) pods fetched from each place, the row nearest to the pick stations last."""
        grid = np.zeros(self._shape, np.int64)
        grid.flat[: self.place_fetched.size] = self.place_fetched
        return grid[::-1]

    def face_units(self) -> IntArray:
        """(items,) units in bins."""
        total = np.zeros(len(self.orders.names), np.int64)
        np.add.at(total, self.bin_item, self.bin_units)
        return total

    def serving_pods(self, station: int) -> tuple[IntArray, IntArray]:
        """Stored pods that serve a line of the station, and how many lines each serves."""
        pods, lines = self._serving
        n = kernel.serving_pods(
            self.order_slots[station],
            self.orders.first_line,
            self.item,
            self.open_units,
            self.item_first,
            self.item_bin,
            self.bin_pod,
            self.free_units,
            self.pod_stored,
            self._score,
            pods,
            lines,
        )
        return pods[:n].copy(), lines[:n].copy()

    def matching_lines(self, orders: IntArray) -> IntArray:
        """(orders, pick stations) lines that pods on their way to or at each station could serve now."""
        out = np.empty((orders.size, self.section.stations), np.int64)
        kernel.match_orders(
            orders,
            self.orders.first_line,
            self.item,
            self.open_units,
            self.item_first,
            self.item_bin,
            self.bin_pod,
            self.free_units,
            self.pod_station,
            out,
        )
        return out

    def claim_coming(self, order: int, station: int) -> list[tuple[int, int, int]]:
        """Promise an order of the station units on the pods on their way to it or there; as `claim`."""
        n = kernel.claim_coming(
            order,
            station,
            self.orders.first_line,
            self.item,
            self.open_units,
            self.item_first,
            self.item_bin,
            self.bin_pod,
            self.free_units,
            self.pod_station,
            *self._claims,
        )
        return self._made(n)

    def claim(self, pod: int, station: int) -> list[tuple[int, int, int]]:
        """Promise the pod's units to the station's open lines: (line, bin, units) of each claim."""
        n = kernel.claim(
            pod,
            self.order_slots[station],
            self.orders.first_line,
            self.item,
            self.open_units,
            self.pod_first,
            self.pod_bin,
            self.bin_item,
            self.free_units,
            self._bin_of,
            *self._claims,
        )
        return self._made(n)

    def _made(self, n: int) -> list[tuple[int, int, int]]:
        """The first n claims that a kernel has written."""
        if n == 0:
            return []
        line, bin_number, units = self._claims
        return list(zip(line[:n].tolist(), bin_number[:n].tolist(), units[:n].tolist(), strict=True))

    def release(self, claims: list[tuple[int, int, int]]) -> None:
        """Take claims back."""
        for line, bin_number, units in claims:
            self.open_units[line] += units
            self.free_units[bin_number] += units

    def starved_items(self, station: int) -> IntArray:
        """Items that the station's lines want and no bin offers."""
        n = kernel.starved(
            self.order_slots[station],
            self.orders.first_line,
            self.item,
            self.open_units,
            self.item_first,
            self.item_bin,
            self.free_units,
            self._starved,
        )
        return np.unique(self._starved[:n]) if n else self._starved[:0]

    def stations_wanting(self, pod: int) -> IntArray:
        """Pick stations with an open line that the pod could serve."""
        kernel.wanted_by(
            pod,
            self.order_slots,
            self.orders.first_line,
            self.item,
            self.open_units,
            self.pod_first,
            self.pod_bin,
            self.bin_item,
            self.free_units,
            self._bin_of,
            self._wanting,
        )
        found: IntArray = self._wanting.nonzero()[0]
        return found

    def low_bins(self, pod: int, reserve: IntArray) -> IntArray:
        """Bins of a pod to refill: at or below the reorder point, with units in `reserve` (items,)."""
        low = self.section.reorder_share * self.section.bin_units
        n = kernel.low_bins(pod, self.pod_first, self.bin_book, self.bin_item, reserve, low, self._low)
        return self._low[:n].copy()

    def vanish(self, item: int, units: int) -> None:
        """Units of an item vanish from its bins, the fullest first; the books do not know."""
        bins = self.item_bin[self.item_first[item] : self.item_first[item + 1]]
        for number in bins[np.argsort(-self.bin_units[bins], kind="stable")].tolist():
            gone = min(units, int(self.bin_units[number]))
            self.bin_units[number] -= gone
            units -= gone
