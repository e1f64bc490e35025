"""Automated storage: machines of each aisle bring totes to pick stations and take them back.

`crane`: one machine per aisle moves along and up at once, in single or dual command cycles. `shuttle`: a
shuttle on each level carries along the aisle, a lift per aisle carries up and down; totes change over between
them. Every item has enough totes at its place that one is always there for the next line.
"""

from __future__ import annotations

import math

import numpy as np

from logistics.storage import AutomatedSection, PackingSection
from sim.draws import RowDraws
from sim.random_streams import Streams
from sim.stations import Started, Station
from sim.warehouse.kernels import crane as kernel
from sim.warehouse.orders import FloatArray, IntArray, OrderLines, lines_of
from sim.warehouse.picker_to_parts import Profile, daily_profile
from sim.warehouse.result import SpaceUsed, Stays, WarehouseResult, span_of
from sim.warehouse.stock import Stock

RETRY_S = 900.0  # how often orders without stock are looked at again


class Machine:
    """One crane, shuttle or lift: jobs are numbered, each a storage or a retrieval at (x, y) metres from its
    port.

    `start_s` and `finish_s` (jobs,) are shared with other machines; a retrieval finishes at the port, a
    storage in the rack. `cycles` counts single and dual commands, `moved_m[0]` metres along.
    """

    def __init__(
        self,
        x_m: FloatArray,
        y_m: FloatArray,
        is_storage: np.ndarray,
        start_s: FloatArray,
        finish_s: FloatArray,
        speed_mps: float,
        lift_mps: float,
        acceleration_mps2: float,
        handover_s: float,
        dual: bool,
        room: int,
    ) -> None:
        self._x, self._y, self._is_storage = x_m, y_m, is_storage
        self._start, self._finish = start_s, finish_s
        self._speeds = (speed_mps, lift_mps, acceleration_mps2, handover_s, dual)
        self._pending = (np.empty(room + 1), np.empty(room + 1, np.int64))
        self._lines = (np.empty(room, np.int64), np.empty(room, np.int64))
        self._counts = np.zeros(5, np.int64)
        self._clock = np.zeros(1)
        self.cycles = np.zeros(2, np.int64)
        self.moved_m = np.zeros(1)
        self.working = False

    def submit(self, jobs: IntArray, arrive_s: FloatArray) -> None:
        """Announce jobs, each once."""
        kernel.submit(jobs.astype(np.int64), arrive_s.astype(np.float64), *self._pending, self._counts)
        self.working = True

    def advance(self, until_s: float) -> IntArray:
        """Start what can start by `until_s`; the jobs that did."""
        if not self.working:
            return np.empty(0, np.int64)
        before_in, before_out = int(self._counts[1]), int(self._counts[3])
        kernel.serve(
            until_s,
            self._clock,
            self._x,
            self._y,
            *self._speeds,
            *self._pending,
            *self._lines,
            self._counts,
            self._is_storage,
            self._start,
            self._finish,
            self.moved_m,
            self.cycles,
        )
        counts = self._counts
        self.working = bool(counts[0] or counts[1] < counts[2] or counts[3] < counts[4])
        return np.concatenate((self._lines[0][before_in : counts[1]], self._lines[1][before_out : counts[3]]))


class AutomatedFloor:
    """One automated warehouse; see `PickerFloor`. `place` (items,) numbers aisle × columns × levels, aisle
    slowest.

    Line `l` has two jobs: `l` fetches its tote, `lines + l` takes it back. Time advances in steps shorter
    than a conveyor or an exchange takes, so that what a step finishes is felt only in the next: the steps
    change nothing.
    """

    def __init__(
        self,
        section: AutomatedSection,
        packing: PackingSection,
        orders: OrderLines,
        place: IntArray,
        stock: Stock,
        streams: Streams,
        profile: Profile = daily_profile,
    ) -> None:
        cells = section.columns * section.levels
        if place.size and not 0 <= place.min() <= place.max() < section.aisles * cells:
            raise ValueError(
                f"place {place.max()} of {section.aisles * cells}; add aisles, columns or levels"
            )
        self.section, self.orders, self.stock = section, orders, stock
        lines = orders.lines
        item_place = place[orders.item]
        self._aisle = item_place // cells
        self._level = item_place % cells % section.levels
        self._column = item_place % cells // section.levels
        along = (self._column + 0.5) * section.length_m / section.columns
        up = (self._level + 0.5) * section.height_m / section.levels
        x, y = np.tile(along, 2), np.tile(up, 2)
        is_storage = np.repeat([False, True], lines)
        self._arrive, self._start, self._finish = (np.full(2 * lines, np.nan) for _ in range(3))
        acceleration = section.acceleration_mps2 if section.acceleration_mps2 is not None else math.inf
        rest = (acceleration, section.handover_s)
        per_aisle = 2 * np.bincount(self._aisle, minlength=section.aisles)
        nothing = np.zeros(2 * lines)
        self.shuttles: list[Machine] = []
        if section.machine == "crane":
            self.machines = [
                Machine(
                    x, y, is_storage, self._start, self._finish,
                    section.speed_mps, section.lift_mps, *rest, section.dual_command, int(per_aisle[aisle]),
                )
                for aisle in range(section.aisles)
            ]  # fmt: skip
            self._step_s = section.conveyor_s
        else:
            self._shuttle_start, self._shuttle_finish = (np.full(2 * lines, np.nan) for _ in range(2))
            self.machines = [
                Machine(
                    nothing, y, is_storage, self._start, self._finish,
                    section.speed_mps, section.lift_mps, *rest, section.dual_command, int(per_aisle[aisle]),
                )
                for aisle in range(section.aisles)
            ]  # fmt: skip
            per_level = 2 * np.bincount(
                self._aisle * section.levels + self._level, minlength=section.aisles * section.levels
            )
            self.shuttles = [
                Machine(
                    x, nothing, is_storage, self._shuttle_start, self._shuttle_finish,
                    section.speed_mps, section.lift_mps, *rest, section.dual_command, int(room),
                )
                for room in per_level
            ]  # fmt: skip
            self._step_s = min(section.conveyor_s, 2 * section.handover_s)
        effort = RowDraws(streams, "warehouse", "line effort").multiplier(np.arange(lines), section.cv)
        self._effort_s = effort * (section.line_s + section.unit_s * (orders.units - 1))
        units = np.add.reduceat(orders.units, orders.first_line[:-1])
        pack = RowDraws(streams, "warehouse", "pack effort").multiplier(np.arange(len(orders)), packing.cv)
        self._pack_s = pack * (packing.order_s + packing.unit_s * units)
        self.stations = Station("stations", profile(section.shifts, ()))
        self.pack = Station("pack", profile(packing.shifts, ()))
        self._stays: dict[str, list[Started]] = {"stations": [], "pack": []}
        self._order_of = orders.order_of_line.astype(np.int64)
        self._lines_left = orders.lines_of_order.copy()
        self._picking: list[tuple[FloatArray, IntArray]] = []
        self._announced, self._unstocked = (np.empty(0, np.int64) for _ in range(2))
        self._retry_s = 0.0
        self._space = SpaceUsed(section.aisles * cells, int(np.count_nonzero(stock.face)))
        self.clock_s = 0.0
        self.picked_s = np.full(lines, np.nan)
        self.ready_s, self.packed_s = (np.full(len(orders), np.nan) for _ in range(2))

    def submit(self, rows: IntArray) -> None:
        """Announce orders; their totes are asked for from their release on."""
        rows = np.asarray(rows, np.int64)
        self._announced = np.concatenate((self._announced, rows))
        lines = lines_of(self.orders.first_line, rows)
        np.add.at(self.stock.asked, self.orders.item[lines], self.orders.units[lines])

    def release(self, now_s: float) -> None:
        """Ask for the totes of what is announced and released by now."""
        self.advance(now_s)
        self._release(now_s)

    def begun_s(self, rows: IntArray) -> FloatArray:
        """When the first tote of each of these orders was fetched."""
        lines = lines_of(self.orders.first_line, rows)
        lengths = self.orders.lines_of_order[rows]
        starts = self._shuttle_start if self.shuttles else self._start
        begun: FloatArray = np.minimum.reduceat(starts[lines], np.cumsum(lengths) - lengths)
        return begun

    def advance(self, until_s: float) -> None:
        """Work up to `until_s` inclusive."""
        while self.clock_s < until_s:
            if self._at_rest():
                self.clock_s = until_s
                return
            self._advance_step(min(self.clock_s + self._step_s, until_s))

    def _at_rest(self) -> bool:
        waiting = self._announced.size or self._unstocked.size or self._picking
        moving = any(each.working for each in (*self.machines, *self.shuttles))
        queued = any(each.in_queue or each.in_service or each.expected for each in (self.stations, self.pack))
        return not (waiting or moving or queued)

    def run(self, until_s: float) -> WarehouseResult:
        """All orders, until the last tote is back or `until_s`."""
        self.submit(np.arange(len(self.orders)))
        self.clock_s = math.floor(float(self.orders.release_s[0]) / self._step_s) * self._step_s
        while self.clock_s < until_s and (np.isnan(self.packed_s).any() or np.isnan(self._finish).any()):
            self._advance_step(self.clock_s + self._step_s)
        self.stock.audit()
        return self.result()

    def _advance_step(self, until_s: float) -> None:
        self._release(until_s)
        lines = self.orders.lines
        for shuttle in self.shuttles:
            jobs = shuttle.advance(until_s)
            fetched = jobs[jobs < lines]
            if fetched.size:
                self._to_machine(fetched, self._shuttle_finish[fetched])
        arrived = []
        for machine in self.machines:
            jobs = machine.advance(until_s)
            arrived.append(jobs[jobs < lines])
            if self.shuttles:
                self._to_shuttle(jobs[jobs >= lines], self._finish[jobs[jobs >= lines]])
        fetched = np.concatenate(arrived)
        if fetched.size:
            at_station = self._finish[fetched] + self.section.conveyor_s
            rows = fetched.astype(np.int32)
            self.stations.submit(rows, at_station, self._effort_s[fetched], np.zeros(rows.size, np.int32))
        begun = self.stations.advance(until_s)
        if len(begun):
            self._stays["stations"].append(begun)
            back = begun.rows.astype(np.int64) + lines
            self._to_machine(back, begun.finish_s + self.section.conveyor_s)
            self._picking.append((begun.finish_s, begun.rows.astype(np.int64)))
        self._pick(until_s)
        begun = self.pack.advance(until_s)
        if len(begun):
            self.packed_s[begun.rows] = begun.finish_s
            self._stays["pack"].append(begun)
        self.clock_s = until_s

    def _release(self, until_s: float) -> None:
        orders = self.orders
        due = orders.release_s[self._announced] <= until_s
        rows, self._announced = self._announced[due], self._announced[~due]
        if self._unstocked.size and until_s >= self._retry_s:
            rows = np.concatenate((self._unstocked, rows))
            self._unstocked = np.empty(0, np.int64)
            self._retry_s = until_s + RETRY_S
        if not rows.size:
            return
        granted = self.stock.promise(orders, rows, orders.units)
        self._unstocked = np.concatenate((self._unstocked, rows[~granted]))
        lines = lines_of(orders.first_line, rows[granted])
        arrive = np.maximum(orders.release_s[self._order_of[lines]], self.clock_s)
        if self.shuttles:
            self._to_shuttle(lines, arrive)
        else:
            self._to_machine(lines, arrive)

    def _to_machine(self, jobs: IntArray, arrive_s: FloatArray) -> None:
        aisle = self._aisle[jobs % self.orders.lines]
        self._arrive[jobs] = arrive_s
        for number in np.unique(aisle):
            chosen = aisle == number
            self.machines[number].submit(jobs[chosen], arrive_s[chosen])

    def _to_shuttle(self, jobs: IntArray, arrive_s: FloatArray) -> None:
        line = jobs % self.orders.lines
        number = self._aisle[line] * self.section.levels + self._level[line]
        for shuttle in np.unique(number):
            chosen = number == shuttle
            self.shuttles[shuttle].submit(jobs[chosen], arrive_s[chosen])

    def _pick(self, until_s: float) -> None:
        """Lines whose pick ended by `until_s` leave the stock; complete orders go to be packed."""
        if not self._picking:
            return
        finish_s, line = (np.concatenate(part) for part in zip(*self._picking, strict=True))
        done = finish_s <= until_s
        self._picking = [(finish_s[~done], line[~done])] if (~done).any() else []
        finish_s, line = finish_s[done], line[done]
        turn = np.lexsort((line, finish_s))
        finish_s, line = finish_s[turn], line[turn]
        self.picked_s[line] = finish_s
        stock, item, units = self.stock, self.orders.item[line], self.orders.units[line]
        for each, sign in ((stock.face, -1), (stock.book, -1), (stock.promised, -1), (stock.picked, 1)):
            np.add.at(each, item, sign * units)
        self._space.count(until_s, int(np.count_nonzero(stock.face)))
        order = self._order_of[line]
        np.subtract.at(self._lines_left, order, 1)
        complete = np.unique(order[self._lines_left[order] == 0])
        if not complete.size:
            return
        last = np.zeros(len(self.orders))
        np.maximum.at(last, order, finish_s)
        self.ready_s[complete] = last[complete]
        self.pack.submit(
            complete.astype(np.int32),
            last[complete],
            self._pack_s[complete],
            np.zeros(complete.size, np.int32),
        )

    def result(self, packs: bool = True) -> WarehouseResult:
        """Times and figures so far; without `packs`, orders leave when they are ready, and others pack them."""
        stays: dict[str, Stays] = {
            name: tuple(  # type: ignore[misc]
                np.concatenate([getattr(part, key) for part in parts] or [np.empty(0)])
                for key in ("arrive_s", "start_s", "finish_s")
            )
            for name, parts in self._stays.items()
            if packs or name != "pack"
        }
        done = ~np.isnan(self._finish)
        stays["machines"] = (self._arrive[done], self._start[done], self._finish[done])
        done_s = self.packed_s if packs else self.ready_s
        first, last = span_of(self.orders, done_s)
        server_s = {"stations": self.stations.capacity.server_seconds(first, last)}
        if packs:
            server_s["pack"] = self.pack.capacity.server_seconds(first, last)
        movers = self.shuttles or self.machines
        cycles = np.sum([each.cycles for each in movers], axis=0)
        figures = {
            "single_cycles": float(cycles[0]),
            "dual_cycles": float(cycles[1]),
            "stock_accuracy_pct": 100.0 * self.stock.accuracy,
            **self._space.figures(last),
        }
        fetched = (self._finish - self._arrive)[: self.orders.lines]
        if (~np.isnan(fetched)).any():
            figures["fetch_p95_s"] = float(np.nanquantile(fetched, 0.95))
        section, picked = self.section, ~np.isnan(self.picked_s)
        cell = self._level[picked] * section.columns + self._column[picked]
        handled = np.bincount(cell, minlength=section.levels * section.columns)
        return WarehouseResult(
            self.orders,
            self.picked_s,
            self.ready_s,
            done_s,
            stays,
            server_s,
            ("stations",),
            float(sum(each.moved_m[0] for each in movers)),
            handled.reshape(section.levels, section.columns)[::-1],
            "lines picked by column (across) and level (up), all aisles together",
            figures,
        )


def rack_places(
    section: AutomatedSection, policy: str, history: OrderLines, generator: np.random.Generator
) -> IntArray:
    """(items,) place of every item in the racks: at random, or the busiest nearest to the ports of all aisles.

    Totes come one by one, so that items bought together gain nothing from lying together: `affinity` is
    `turnover` here. Raises `ValueError` when items outnumber places.
    """
    places = section.aisles * section.columns * section.levels
    items = len(history.names)
    if items > places:
        raise ValueError(f"{items} items but {places} places; add aisles, columns or levels")
    if policy == "random":
        return generator.permutation(places)[:items].astype(np.int64)
    number = np.arange(places)
    cell = number % (section.columns * section.levels)
    along = (cell // section.levels + 0.5) * section.length_m / section.columns / section.speed_mps
    up = (cell % section.levels + 0.5) * section.height_m / section.levels / section.lift_mps
    # Aisles take turns at equal times, so that every machine has its share of the busy items.
    nearest = np.lexsort((number, np.maximum(along, up)))
    place = np.empty(items, np.int64)
    place[np.argsort(-history.picks(), kind="stable")] = nearest[:items]
    return place


def single_command_s(shape: float, farthest_s: float) -> float:
    """Mean single command travel: T (1 + b²/3). Bozer & White, IIE Transactions 16(4), 1984.

    `farthest_s` T is the longer of the times to the far end and to the top, `shape` b the shorter over the
    longer.
    """
    return farthest_s * (1.0 + shape * shape / 3.0)


def dual_command_s(shape: float, farthest_s: float) -> float:
    """Mean dual command travel: T (4/3 + b²/2 − b³/30)."""
    return farthest_s * (4.0 / 3.0 + shape * shape / 2.0 - shape**3 / 30.0)
