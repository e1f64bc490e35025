"""Takes the state out of a twin that has run, for another run to start from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from logistics.dispatch.memory import BookMemory, remember_book
from logistics.dispatch.messages import VehicleReturned
from logistics.stock import Replenishment, rows_of
from logistics.tables import NOBODY, IntArray, RowArray
from sim.custody import NOT_ORDERED
from sim.record import make_column
from sim.state import STATE_SCHEMAS, RunState, network_of
from sim.state_header import FORMAT
from sim.twin import Twin
from sim.world import FINAL, STAMPS


def take_state(twin: Twin) -> RunState:
    """The state at the cut of a run that has ended: open parcels, work, stock, vehicles, the dispatcher's memory.

    What was on the road at the cut has come to its end: such a parcel is where it was set down, with the time of
    its arrival there, and the vehicle's report waits for its time.
    """
    if not twin.world.closing:
        raise ValueError("the twin still runs; take its state when `run` has returned")
    return _Taking(twin).state()


class _Taking:
    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        custody, placed = twin.custody.place, twin.world.placed_s
        waits = (custody == NOT_ORDERED) & (placed < twin.cut_s)
        self.rows = np.flatnonzero(waits | (~np.isin(custody, FINAL) & (custody != NOT_ORDERED)))
        self.number = np.full(len(custody), NOBODY, dtype=np.int32)
        self.number[self.rows] = np.arange(len(self.rows), dtype=np.int32)
        self.sites = [site.id for site in twin.scenario.sites]
        self.lines: IntArray = rows_of(twin.demand.parcels.first_line, self.rows)

    def state(self) -> RunState:
        tables = {
            "parcels": self._parcels(),
            "lines": self._lines(),
            "work": self._work(),
            "outbound": self._outbound(),
            "stock": self._stock(),
            "items": self._items(),
            "backorders": self._backorders(),
            "cancellations": self._cancellations(),
        }
        return RunState(
            self._header(),
            {
                name: pa.table([make_column(columns[f.name], f.type) for f in schema], schema=schema)
                for name, schema in STATE_SCHEMAS.items()
                for columns in [tables[name]]
            },
        )

    def numbers(self, rows: RowArray) -> list[int]:
        """Numbers of the parcels among them that are open."""
        found = self.number[rows]
        return [int(n) for n in found[found >= 0]]

    # --- tables ---------------------------------------------------------------------------------------

    def _parcels(self) -> dict[str, Any]:
        twin, rows, scenario = self.twin, self.rows, self.twin.scenario
        world, parcels, places = twin.world, twin.demand.parcels, twin.demand.places
        order, place = parcels.order[rows], world.place[rows]
        custody = twin.custody.place[rows]
        book = self._book(np.flatnonzero(custody != NOT_ORDERED))
        names = [size.id for size in scenario.demand.sizes]
        return {
            "key": world.key[rows],
            "order": np.unique(order, return_inverse=True)[1],
            "reference": [str(name) for name in twin.demand.orders.reference[order]],
            "placed_s": world.placed_s[rows],
            "promise_s": world.promise_s[rows],
            "service": _named(world.service[rows], [service.id for service in scenario.services]),
            "origin": _named(world.origin[rows], self.sites),
            "lon": places.lon[place],
            "lat": places.lat[place],
            "place": place,
            "place_kind": places.kind[place],
            "place_site": _named(places.site[place], self.sites),
            "area": _named(places.area[place], [area.id for area in scenario.areas]),
            "weight_g": parcels.weight_g[rows],
            "volume_ml": parcels.volume_ml[rows],
            "units": twin.custody.units[rows],
            "size_class": _named(parcels.size_class[rows], names),
            "custody": _named(custody, twin.custody.names),
            "attempts": world.parcels.attempts[rows],
            "first_attempt": world.parcels.delivered_first[rows],
            "mode": world.parcels.mode[rows],
            **{name: world.parcels.stamps[name][rows] for name in STAMPS},
            "status": book.status,
            "book_attempts": book.attempts,
            "postponed": book.postponed,
            "pool_site": _named(book.pool_site, self.sites),
            "rank": book.rank,
        }

    def _book(self, known: IntArray) -> BookMemory:
        """The dispatcher's memory of all open parcels; of those that it does not know, nothing."""
        memory = remember_book(self.twin.state, self.rows[known].astype(np.int32))
        columns = []
        for name in ("status", "attempts", "postponed", "pool_site", "rank"):
            column = np.full(len(self.rows), NOBODY if name == "pool_site" else 0, dtype=np.int64)
            column[known] = getattr(memory, name)
            columns.append(column)
        return BookMemory(*columns)

    def _lines(self) -> dict[str, Any]:
        lines = self.twin.demand.lines
        return {
            "parcel": self.number[lines.parcel[self.lines]],
            "item": _named(lines.item[self.lines], self.twin.demand.items.code),
            "quantity": self.twin.supply.quantity[self.lines],
        }

    def _work(self) -> dict[str, Any]:
        columns: dict[str, list[Any]] = {name: [] for name in STATE_SCHEMAS["work"].names}
        for site, floor in sorted(self.twin.world.floors.items()):
            for k, (stage, station) in enumerate(zip(floor.stages, floor.chain.stations, strict=True)):
                machine = floor.machine(stage.name)
                if machine is not None:  # where robots, carts and parcels inside stand is not kept
                    rows, arrive_s = machine.open()
                    nothing = [None] * len(rows)
                    columns["site"] += [self.sites[site]] * len(rows)
                    columns["stage"] += [stage.name] * len(rows)
                    columns["parcel"] += self.number[rows].tolist()
                    columns["priority"] += self.twin.world.priority[rows].tolist()
                    columns["arrive_s"] += arrive_s.tolist()
                    columns["service_s"] += nothing
                    columns["finish_s"] += nothing
                    continue
                waiting = station.waiting()
                rows, finish_s = floor.chain.running(k)
                nothing = [None] * len(rows)
                count = len(waiting.rows) + len(rows)
                columns["site"] += [self.sites[site]] * count
                columns["stage"] += [stage.name] * count
                columns["parcel"] += self.number[np.concatenate([waiting.rows, rows])].tolist()
                columns["priority"] += waiting.priority.tolist() + nothing
                columns["arrive_s"] += waiting.arrive_s.tolist() + nothing
                columns["service_s"] += waiting.service_s.tolist() + nothing
                columns["finish_s"] += [None] * len(waiting.rows) + finish_s.tolist()
        return columns

    def _outbound(self) -> dict[str, Any]:
        columns: dict[str, list[Any]] = {name: [] for name in STATE_SCHEMAS["outbound"].names}
        for site, floor in sorted(self.twin.world.floors.items()):
            for next_site in floor.outbound_sites:
                rows, ready_s = floor.waiting_for(next_site)
                columns["site"] += [self.sites[site]] * len(rows)
                columns["next"] += [self.sites[next_site]] * len(rows)
                columns["parcel"] += self.number[rows].tolist()
                columns["ready_s"] += ready_s.tolist()
        return columns

    def _stock(self) -> dict[str, Any]:
        stock = self.twin.supply.stock
        warehouse, item = np.indices(stock.on_hand.shape).reshape(2, -1)
        return {
            "warehouse": [self.sites[row] for row in stock.warehouses[warehouse]],
            "item": _named(item, self.twin.demand.items.code),
            "on_hand": stock.on_hand.ravel(),
            "reserved": stock.reserved.ravel(),
            "on_order": stock.on_order.ravel(),
        }

    def _items(self) -> dict[str, Any]:
        items = self.twin.demand.items
        return {
            "item": items.code.tolist(),
            "category": items.category.tolist(),
            "weight_g": items.weight_g,
            "volume_ml": items.volume_ml,
            "price_minor": items.price_minor,
            "handling": items.handling.tolist(),
        }

    def _backorders(self) -> dict[str, Any]:
        supply = self.twin.supply
        return {
            "parcel": self.numbers(np.array(supply.waiting, dtype=np.int64)),
            "deadline_s": [supply.deadline_s[row] for row in supply.waiting],
        }

    def _cancellations(self) -> dict[str, Any]:
        asked, lines = self.twin.demand.cancellations, self.lines
        line = np.full(len(self.twin.demand.lines), NOBODY, dtype=np.int64)
        line[lines] = np.arange(len(lines))
        left = np.arange(self.twin.intake[1], len(asked))
        left = left[line[asked.line[left]] >= 0]
        return {"at_s": asked.at_s[left], "line": line[asked.line[left]], "quantity": asked.quantity[left]}

    # --- header ---------------------------------------------------------------------------------------

    def _header(self) -> dict[str, Any]:
        twin, fleet, scenario = self.twin, self.twin.fleet, self.twin.scenario
        trucks, late = twin.linehaul.trucks, twin.cut_s
        reports = sorted(twin.reports, key=lambda report: report[0])
        header: dict[str, Any] = {
            "format": FORMAT,
            "scenario": scenario.scenario.name,
            "start": scenario.scenario.start.isoformat(),
            "cut_s": twin.cut_s,
            "network": network_of(scenario),
            "next_solve": twin.state.next_solve,
            "deferred": [{"site": self.sites[site], "wave": timer} for site, timer in twin.state.deferred],
            "van_trips": {fleet.id[n]: trips for n, trips in enumerate(twin.vans.trips) if trips},
            "trucks": [
                {
                    "name": truck.name,
                    "kind": truck.kind.id,
                    "home": self.sites[truck.home],
                    "at": self.sites[truck.at],
                    "trips": truck.trips,
                    "free_s": truck.free_s,
                }
                for truck in trucks
            ],
            "handled_s": {
                lane.id: last
                for lane, last in zip(scenario.lanes, twin.linehaul.handled_s, strict=True)
                if np.isfinite(last)
            },
            "docks": [
                {"site": self.sites[site], "from_s": from_s, "to_s": to_s}
                for site, from_s, to_s in twin.linehaul.docked
                if to_s > late
            ],
            "goods": [self._goods(batch, None) for batch in twin.supply.ordered]
            + [self._goods(batch, at_s) for at_s, batch in twin.supply.arriving],
            "lockers": {self.sites[site]: locker.freed_s(late) for site, locker in twin.vans.lockers.items()},
            "reports": [
                {
                    "at_s": at_s,
                    "vehicle": fleet.id[event.vehicle],
                    "failed": self.numbers(event.failed),
                }
                for at_s, event in reports
                if isinstance(event, VehicleReturned)
            ],
            "solves": [
                self._solve(number, *twin.solving[number])  # in the order of their asking
                for number in sorted(twin.solving)
            ],
        }
        used = {truck["kind"] for truck in header["trucks"]}
        used |= {group["kind"] for solve in header["solves"] for group in solve["groups"]}
        header["vehicles"] = {v.id: v.role for v in scenario.vehicles if v.id in used}
        return header

    def _goods(self, batch: Replenishment, arrives_s: float | None) -> dict[str, Any]:
        return {
            "supplier": self.sites[int(batch.supplier[0])],
            "warehouse": self.sites[int(batch.warehouse[0])],
            "arrives_s": arrives_s,
            "items": [str(code) for code in self.twin.demand.items.code[batch.item]],
            "quantities": batch.quantity.tolist(),
        }

    def _solve(self, number: int, command: Any, asked_s: float, answered_s: float) -> dict[str, Any]:
        asked = self.twin.state.asked[number]
        return {
            "solve": number,
            "site": self.sites[asked.site],
            "role": asked.role,
            "depart_s": asked.depart_s,
            "asked_s": asked_s,
            "answered_s": answered_s,
            "groups": [
                {
                    "kind": group.kind.id,
                    "vehicles": [self.twin.fleet.id[n] for n in group.vehicles],
                    "earliest_s": group.earliest_s,
                    "latest_s": group.latest_s,
                }
                for group in asked.groups
            ],
            "parcels": self.number[asked.stops.rows].tolist(),
            "first": asked.stops.first.tolist(),
            "service_s": asked.stops.service_s.tolist(),
            "windows": asked.stops.tw.tolist(),
            "solver": command.solver,
            "iterations": command.iterations,
            "parameters": command.parameters,
            "seed": command.seed,
            "charge_s": command.charge_s,
        }


def _named(codes: Any, names: Any) -> list[str | None]:
    """Names by number; None for negative ones."""
    return [None if code < 0 else str(names[code]) for code in np.asarray(codes).tolist()]
