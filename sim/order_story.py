"""The life of one order, told from a run folder alone: contents, every stage with times and waits, plans and
vehicles, what made it late, why it was left out of plans, and what it cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logistics.scenario import Scenario
from sim.kpis import minor_per_major
from sim.late_orders import WORST, LateOrder, latest_orders
from sim.lateness import STAGES, late_spans
from sim.ledger import build_ledger
from sim.report.source import Source
from sim.run_folder import read_run
from sim.sites import run_end
from solvers.errors import Fault, InvalidInputError

LEDGER_TABLES = ("parcels", "stages", "moves", "legs", "containers", "duties", "sites", "sorting_errors")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a parcel; `wait_s` passed before it since the event before, `took_s` in it."""

    at: str  # local wall clock
    at_s: float
    what: str
    where: str
    wait_s: float
    took_s: float
    detail: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a parcel was left out of a plan."""

    at: str
    site: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ParcelStory:
    """One parcel: what it is, how it ended, everything that happened to it, in order of time."""

    parcel: int
    state: str
    weight_g: int
    volume_ml: int
    lines: list[dict[str, Any]]
    attempts: int
    late: str  # "" when on time
    events: list[Event]
    left_out: list[Reason]


@dataclass(frozen=True, slots=True)
class OrderStory:
    """An order with its parcels. `cost` is by ledger kind in major units; unused capacity is nobody's cost."""

    order: str
    service: str
    origin: str
    area: str
    station: str
    place: list[float]
    placed: str
    promised: str
    parcels: list[ParcelStory]
    cost: dict[str, float]
    cost_total: float
    currency: str

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The story in plain text."""
        lon, lat = self.place
        text = [
            f"order {self.order}: {self.service}, {self.origin} to area {self.area} ({lon:.5f}, {lat:.5f}) by "
            f"{self.station}",
            f"placed {self.placed}, promised {self.promised}",
        ]
        for parcel in self.parcels:
            litres = parcel.volume_ml / 1000
            late = f"; {parcel.late}" if parcel.late else "; on time" if parcel.state == "delivered" else ""
            text += [
                "",
                f"parcel {parcel.parcel}: {parcel.weight_g / 1000:g} kg, {litres:g} l, {parcel.state}{late}",
            ]
            for line in parcel.lines:
                less = f", {line['quantity_withdrawn']} withdrawn" if line["quantity_withdrawn"] else ""
                kind = f"{line['category']}, {line['handling']}"
                text.append(f"  {line['quantity']} x {line['item']} ({kind}){less}")
            for event in parcel.events:
                waited = f"after {duration(event.wait_s)}" if event.wait_s else ""
                took = f"took {duration(event.took_s)}" if event.took_s else ""
                parts = [event.what, event.where, took, event.detail]
                text.append(f"  {event.at}  {waited:>18}  " + "; ".join(part for part in parts if part))
            text += [f"  left waiting at {r.site}, {r.at}: {r.detail} [{r.code}]" for r in parcel.left_out]
        text += ["", f"cost {self.cost_total:,.2f} {self.currency}, without unused capacity:"]
        text += [f"  {kind.replace('_', ' ')}: {amount:,.2f}" for kind, amount in self.cost.items()]
        return text


def worst_orders(folder: Path, count: int = WORST) -> list[LateOrder]:
    """The latest orders of a run folder."""
    return latest_orders(Source(folder), count)


def tell_order(folder: Path, order: str) -> OrderStory:
    """The story of an order of a run; raises `InvalidInputError` where the run has no such order."""
    source = Source(folder)
    parcels = source.records('SELECT * FROM parcels WHERE "order" = ? ORDER BY parcel', order)
    if not parcels:
        raise InvalidInputError([_unknown(source, folder, order)])
    first = parcels[0]
    cost = _cost(folder, order)
    return OrderStory(
        order=order,
        service=first["service"],
        origin=first["origin"],
        area=first["area"],
        station=first["station"],
        place=[first["lon"], first["lat"]],
        placed=source.clock(first["placed_s"]),
        promised=source.clock(first["promise_s"]),
        parcels=[_parcel(source, folder, parcel) for parcel in parcels],
        cost=cost,
        cost_total=round(sum(cost.values()), 3),
        currency=source.currency,
    )


def _parcel(source: Source, folder: Path, parcel: dict[str, Any]) -> ParcelStory:
    number = parcel["parcel"]
    events = [*_milestones(parcel), *_work(source, number), *_linehaul(source, number)]
    events += [*_rounds(source, parcel), *_endings(source, parcel)]
    events.sort(key=lambda event: (event.at_s, event.at_s + event.took_s))
    told, since = [], parcel["placed_s"]
    for event in events:
        wait = max(0.0, event.at_s - since)
        since = max(since, event.at_s + event.took_s)
        told.append(replace(event, at=source.clock(event.at_s), wait_s=wait))
    reasons = source.rows(
        "SELECT time_s, site, reason, detail FROM unassigned WHERE parcel = ? ORDER BY time_s", number
    )
    return ParcelStory(
        parcel=number,
        state=parcel["state"],
        weight_g=parcel["weight_g"],
        volume_ml=parcel["volume_ml"],
        lines=source.records(
            "SELECT item, category, handling, quantity, quantity_withdrawn FROM lines "
            "WHERE parcel = ? ORDER BY item",
            number,
        ),
        attempts=parcel["attempts"],
        late=_lateness(folder, parcel) if parcel["late_stage"] else "",
        events=told,
        left_out=[Reason(source.clock(at_s), site, code, detail) for at_s, site, code, detail in reasons],
    )


# --- events -----------------------------------------------------------------------------------------------


def _event(at_s: float, what: str, where: str = "", took_s: float = 0.0, detail: str = "") -> Event:
    return Event("", float(at_s), what, where, 0.0, float(took_s), detail)


def _milestones(parcel: dict[str, Any]) -> list[Event]:
    origin = parcel["origin"]
    named = (
        ("placed_s", "order placed", ""),
        ("accepted_s", "taken in by the dispatcher", ""),
        ("reserved_s", "stock reserved", origin),
        ("released_s", "wave released", origin),
    )
    return [_event(parcel[key], what, where) for key, what, where in named if parcel[key] is not None]


def _work(source: Source, number: int) -> list[Event]:
    rows = source.rows(
        "SELECT site, stage, arrive_s, start_s, finish_s FROM stages WHERE parcel = ? ORDER BY start_s",
        number,
    )
    return [
        _event(start_s, stage, site, finish_s - start_s, f"in its queue for {duration(start_s - arrive_s)}")
        for site, stage, arrive_s, start_s, finish_s in rows
    ]


def _linehaul(source: Source, number: int) -> list[Event]:
    rows = source.rows(
        """
        SELECT t.trip, t.vehicle, t.lane, c.kind, c.container, c.destination, t.depart_s, t.arrive_s, t.parcels
        FROM containers c JOIN legs t ON t.trip = c.trip AND t.leg = 0
        WHERE c.parcel = ? ORDER BY t.depart_s
        """,
        number,
    )
    return [
        _event(
            depart_s,
            "linehaul",
            f"to {destination}",
            arrive_s - depart_s,
            f"trip {trip} of {vehicle} on lane {lane}, in {kind} {container}, with {others - 1} other parcels",
        )
        for trip, vehicle, lane, kind, container, destination, depart_s, arrive_s, others in rows
    ]


def _rounds(source: Source, parcel: dict[str, Any]) -> list[Event]:
    """Collections, deliveries and flights: from a vehicle's departure to what happened at the door."""
    rows = source.rows(
        """
        WITH boarded AS (
            SELECT time_s, origin, substr(destination, 9) AS vehicle,
                   lead(time_s) OVER (ORDER BY time_s) AS off_s, lead(destination) OVER (ORDER BY time_s) AS off
            FROM (SELECT * FROM moves WHERE parcel = ?
                  AND (destination LIKE 'vehicle:%' OR origin LIKE 'vehicle:%'))
            QUALIFY destination LIKE 'vehicle:%'
        )
        SELECT b.time_s, b.vehicle, b.off_s, b.off, l.role, l.trip, l.solve, l.begun_s, l.stops
        FROM boarded b JOIN (
            SELECT vehicle, role, trip, solve, min(depart_s) AS begun_s, max(leave_s) AS end_s,
                   count(*) FILTER (place IS NOT NULL) AS stops
            FROM legs WHERE role <> 'linehaul' GROUP BY vehicle, role, trip, solve
        ) l ON l.vehicle = b.vehicle
           AND coalesce(b.off_s, b.time_s) BETWEEN l.begun_s - 0.001 AND l.end_s + 0.001
        ORDER BY b.time_s
        """,
        parcel["parcel"],
    )
    events = []
    for on_s, vehicle, off_s, off, role, trip, solve, begun_s, stops in rows:
        plan = "" if solve is None else f", plan {solve}{_plan(source, solve)}"
        if role == "collection":
            what = "collected by van"
            events.append(
                _event(
                    on_s, what, parcel["origin"], (off_s or on_s) - on_s, f"trip {trip} of {vehicle}{plan}"
                )
            )
            continue
        means = "drone" if role == "drone" else "van"
        door = source.rows(
            "SELECT leg, arrive_s, leave_s FROM legs WHERE trip = ? AND place = ? ORDER BY leg LIMIT 1",
            trip,
            parcel["place"],
        )
        where = f"stop {door[0][0] + 1} of {stops}" if door else ""
        events.append(
            _event(on_s, f"loaded on {means}", "", begun_s - on_s, f"trip {trip} of {vehicle}{plan}")
        )
        if door:
            _, arrive_s, leave_s = door[0]
            handed = off == "customer" or str(off).startswith("site:locker")
            failure = "no compartment free" if parcel["place_kind"] == "locker" else "nobody there"
            outcome = "handed over" if handed else f"{failure}: back to the station"
            events.append(_event(arrive_s, "at the door", where, leave_s - arrive_s, outcome))
    return events


def _plan(source: Source, solve: int) -> str:
    rows = source.rows("SELECT solver, stops, routes, unserved FROM solves WHERE solve = ?", solve)
    if not rows:
        return ""
    solver, stops, routes, unserved = rows[0]
    left = f", {unserved} left out" if unserved else ""
    return f" by {solver} ({stops} stops on {routes} routes{left})"


def _endings(source: Source, parcel: dict[str, Any]) -> list[Event]:
    if parcel["state"] == "open":
        end_s = source.rows("SELECT max(time_s) FROM moves")[0][0]
        return [_event(end_s, "still open at the end of the run")]
    return [_event(parcel["final_s"], parcel["state"].replace("_", " "))]


# --- why, and what it cost --------------------------------------------------------------------------------


def _lateness(folder: Path, parcel: dict[str, Any]) -> str:
    """How late, and the interval that made it so, with its usual length."""
    run = read_run(folder, ("parcels", "moves", "legs", "stages"))
    table = run.tables["parcels"]
    end_s = run_end(run.tables)
    rows, spans, usual = late_spans(table, end_s)
    at = int(np.flatnonzero(np.asarray(table["parcel"])[rows] == parcel["parcel"])[0])
    stage = parcel["late_stage"]
    column = STAGES.index(stage)
    until = end_s if parcel["state"] == "open" else parcel["final_s"]
    took, normal = spans[at, column] / 1000, usual[at, column] / 1000
    how = (
        f"{duration(until - parcel['promise_s'])} late"
        if parcel["state"] in ("delivered", "open")
        else "not delivered"
    )
    return f"{how}, made so by {stage}: {duration(took)} instead of the usual {duration(normal)}"


def _cost(folder: Path, order: str) -> dict[str, float]:
    """What the ledger charges to the order, by kind in major units.

    The ledger is made anew with the order as a service class of its own, so that the rules that split shared
    cost over services give its share.
    """
    run = read_run(folder, LEDGER_TABLES)
    scenario = Scenario.of_dump(run.scenario)
    parcels = run.tables["parcels"]
    own = pc.equal(parcels["order"].cast(pa.string()), order)
    service = parcels["service"].cast(pa.string())
    section = next(s for s in scenario.services if s.id == service.filter(own)[0].as_py())
    label = f"order {order}"
    scenario = scenario.model_copy(
        update={"services": [*scenario.services, section.model_copy(update={"id": label})]}
    )
    column = pc.if_else(own, label, service).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    at = parcels.column_names.index("service")
    tables = {**run.tables, "parcels": parcels.set_column(at, "service", column.dictionary_encode())}
    ledger = build_ledger(scenario, tables)
    mine = ledger.filter(pc.equal(ledger["service"].cast(pa.string()), label))
    cost: dict[str, float] = {}
    for kind, amount in zip(mine["kind"].to_pylist(), mine["amount_minor"].to_pylist(), strict=True):
        cost[kind] = cost.get(kind, 0) + amount
    major = minor_per_major(scenario.scenario.currency)
    return {kind: amount / major for kind, amount in sorted(cost.items()) if amount}


def _unknown(source: Source, folder: Path, order: str) -> Fault:
    close = source.rows(
        'SELECT DISTINCT "order" AS o, levenshtein("order", ?) AS d FROM parcels ORDER BY d, o LIMIT 3', order
    )
    names = ", ".join(name for name, _ in close)
    repair = (
        f"closest are {names}; without --order the latest ones are listed" if names else "the run has none"
    )
    return Fault(str(folder), "--order", order, "unknown-order", "the run has no such order", repair)


def duration(seconds: float) -> str:
    """Seconds as people read them: "42 s", "5 min", "3 h 20 min", "2 d 4 h"."""
    seconds = max(0.0, seconds)
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"
