"""A small run written by rule instead of simulated: what the tests of the run folder, KPIs and report read.

A warehouse and a merchant feed a hub that feeds two stations. Timetables and waves are fixed, every stage has one
server, and parcels fail, are cancelled, returned or left open by their number, so that each case occurs and each
figure can be worked out by hand or by a plain loop.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow as pa

from logistics.scenario import Scenario
from sim.kpis import build_kpis
from sim.lateness import with_late_stage
from sim.ledger import build_ledger
from sim.sites import build_sites, run_end
from sim.tables import SCHEMAS

PARCELS = 240
HOUR = 3600
WAVES = (12 * HOUR, 19 * HOUR, 36 * HOUR, 43 * HOUR)  # vans leave every station
DEPARTURES = {  # lane -> departures, driving time, metres
    "W-H": ((8 * HOUR, 14 * HOUR, 26 * HOUR), 1800, 30_000),
    "H-A": ((10 * HOUR, 17 * HOUR, 29 * HOUR), 1200, 15_000),
    "H-B": ((10 * HOUR, 17 * HOUR, 29 * HOUR), 2400, 40_000),
    "A-H": ((15 * HOUR,), 1200, 15_000),
}
SERVICE_S = {"pick": 40.0, "pack": 30.0, "sort": 20.0}
CUTOFF_S = 600


def scenario() -> Scenario:
    """The scenario that the run belongs to."""

    def stage(name: str) -> dict[str, Any]:
        wage = {"pick": 2400, "pack": 2200, "sort": 2000}[name]
        return {
            "name": name,
            "service_s": SERVICE_S[name],
            "shifts": [["00:00", "24:00", 1]],
            "wage_minor_per_hour": wage,
        }

    def lane(lane_id: str) -> dict[str, Any]:
        origin, destination = lane_id.split("-")
        times = [f"{moment % 86_400 // HOUR:02d}:00" for moment in DEPARTURES[lane_id][0]]
        return {
            "id": lane_id,
            "origin": origin,
            "destination": destination,
            "vehicle": "truck",
            "departures": sorted(set(times)),
            "cutoff_s": CUTOFF_S,
            "toll_minor": 3333,
        }

    site = {"handling_minor_per_parcel": 7.5, "space_minor_per_day": 10_001, "space_parcels": 150}
    return Scenario.model_validate(
        {
            "schema": 1,
            "scenario": {
                "name": "sample",
                "description": "A small run written by rule",
                "start": "2026-03-02T00:00:00+08:00",
                "timezone": "Asia/Shanghai",
                "currency": "CNY",
            },
            "basis": {"sites": "assumed: made up <for tests>", "demand": "derived: by parcel number"},
            "roads": {"kind": "great-circle", "speeds_kmh": [30] * 24},
            "sites": [
                {"id": "W", "kind": "warehouse", "lon": 120.0, "lat": 30.0, **site}
                | {"stages": [stage("pick"), stage("pack"), stage("sort")]},
                {"id": "H", "kind": "hub", "lon": 120.2, "lat": 30.2, "stages": [stage("sort")], **site},
                {"id": "A", "kind": "station", "lon": 120.3, "lat": 30.1, "stages": [stage("sort")], **site},
                {"id": "B", "kind": "station", "lon": 120.4, "lat": 30.4, "stages": [stage("sort")], **site},
                {"id": "M", "kind": "merchant", "lon": 120.32, "lat": 30.12, "station": "A"}
                | {"pickup_window": ["08:00", "18:00"]},
            ],
            "areas": [
                {"id": f"area-{k}", "station": k, "lon": 120.3, "lat": 30.2, "radius_m": 2000} for k in "AB"
            ],
            "vehicles": [
                {"id": "truck", "role": "linehaul", "capacity_g": 900_000, "capacity_ml": 9_000_000}
                | {"day_minor": 50_000, "km_minor": 150, "wage_minor_per_hour": 4000}
                | {"energy_j_per_m": 9000, "energy_minor_per_kwh": 90, "co2_g_per_kwh": 250},
                {"id": "van", "role": "delivery", "capacity_g": 300_000, "capacity_ml": 2_000_000}
                | {"day_minor": 12_000, "km_minor": 60, "piece_minor_per_parcel": 120}
                | {"energy_j_per_m": 900, "energy_minor_per_kwh": 80, "co2_g_per_kwh": 500},
            ],
            "fleet": [{"site": k, "vehicle": "van", "count": 1, "shift": ["09:00", "22:00"]} for k in "AB"],
            "lanes": [lane(each) for each in DEPARTURES],
            "containers": [{"id": "cage", "capacity_ml": 500_000, "capacity_g": 200_000}],
            "services": [
                {"id": "express", "promise_after_s": 14 * HOUR, "late_minor_per_hour": 100, "priority": 0},
                {"id": "next-day", "promise_day": 1, "promise_clock": "20:00", "late_minor_per_parcel": 500},
            ],
            "demand": {},
            "dispatch": {
                "warehouse_waves": [{"every_s": 3600}],
                "delivery_waves": [{"at": ["12:00", "19:00"]}],
                "max_attempts": 2,
            },
            "delivery": {"failed_minor": 150},
        }
    )


class _Recorder:
    """Rows of every table, and the clock-ordered servers and vehicles that make them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
        self.trips = 0
        self.free: dict[tuple[str, str], float] = {}

    def add(self, table: str, **values: Any) -> None:
        self.rows[table].append({name: values.get(name) for name in SCHEMAS[table].names})

    def move(self, parcel: dict[str, Any], origin: str | None, destination: str, at_s: float) -> None:
        units = parcel["units"] - parcel["units_cancelled"]
        self.add(
            "moves", time_s=at_s, parcel=parcel["parcel"], units=units, origin=origin, destination=destination
        )

    def stage(self, site: str, stage: str, arrivals: list[tuple[float, dict[str, Any]]]) -> list[float]:
        """One server, first come first served; finishing times in the order given."""
        done = {}
        for arrive, parcel in sorted(arrivals, key=lambda each: (each[0], each[1]["parcel"])):
            start = max(arrive, self.free.get((site, stage), 0.0))
            finish = self.free[site, stage] = start + SERVICE_S[stage]
            done[parcel["parcel"]] = finish
            number = parcel["parcel"]
            self.add(
                "stages",
                parcel=number,
                site=site,
                stage=stage,
                arrive_s=arrive,
                start_s=start,
                finish_s=finish,
            )
        return [done[parcel["parcel"]] for _, parcel in arrivals]

    def tables(self) -> dict[str, pa.Table]:
        order = {"moves": "time_s", "stages": "start_s"}
        result = {}
        for name, schema in SCHEMAS.items():
            if name in ("sites", "ledger", "kpis"):
                continue
            rows = (
                sorted(self.rows[name], key=lambda row: row[order[name]])
                if name in order
                else self.rows[name]
            )
            columns = [
                pa.array([row[field.name] for row in rows], pa.string()).dictionary_encode()
                if pa.types.is_dictionary(field.type)
                else pa.array([row[field.name] for row in rows], field.type)
                for field in schema
            ]
            result[name] = pa.table(columns, schema=schema)
        return result


@cache
def finished() -> tuple[Scenario, dict[str, pa.Table], dict[str, float]]:
    """Scenario, all tables and flat key figures of the sample, made once."""
    made = scenario()
    return made, *complete(made, recorded())


def complete(scenario: Scenario, tables: dict[str, pa.Table]) -> tuple[dict[str, pa.Table], dict[str, float]]:
    """The recorded tables with those that are computed from them, and the flat key figures."""
    result = {**tables, "parcels": with_late_stage(tables["parcels"], run_end(tables))}
    result["sites"] = build_sites(scenario, result)
    result["ledger"] = build_ledger(scenario, result)
    result["kpis"], figures = build_kpis(scenario, result, result["ledger"])
    return result, figures


def recorded() -> dict[str, pa.Table]:
    """The tables that a twin would record of the sample."""
    record = _Recorder()
    parcels = [_order(record, number) for number in range(PARCELS)]
    _warehouse(record, [p for p in parcels if p["origin"] == "W" and p["state"] == "open"])
    _merchant(record, [p for p in parcels if p["origin"] == "M" and p["state"] == "open"])
    going = [p for p in parcels if p["state"] == "open"]
    for lane in ("W-H", "A-H"):
        _linehaul(record, lane, [p for p in going if p["_lane"] == lane])
    for station in "AB":
        _linehaul(record, f"H-{station}", [p for p in going if p["station"] == station])
        for wave in WAVES:
            _round(record, station, wave, [p for p in going if p["station"] == station])
    for parcel in parcels:
        record.add("parcels", **{key: value for key, value in parcel.items() if not key.startswith("_")})
    return record.tables()


def _order(record: _Recorder, number: int) -> dict[str, Any]:
    merchant = number % 6 == 1
    placed = 150.0 * number
    express = number % 3 == 0
    station = "AB"[number // 2 % 2]
    parcel: dict[str, Any] = {
        "parcel": number,
        "order": f"order-{number // 2:04d}",
        "service": "express" if express else "next-day",
        "kind": "origin-destination" if merchant else "fulfilment",
        "origin": "M" if merchant else "W",
        "area": f"area-{station}",
        "station": station,
        "place": number // 3,
        "place_kind": "home",
        "lon": (120.3 if station == "A" else 120.4) + (number % 13 - 6) / 500,
        "lat": (30.1 if station == "A" else 30.4) + (number % 11 - 5) / 500,
        "weight_g": 800 + 10 * number,
        "volume_ml": 4000 + 25 * number,
        "units": 1 if merchant else 2,
        "units_cancelled": 0,
        "measured": number >= 6,
        "placed_s": placed,
        "promise_s": placed + 14 * HOUR if express else 44.0 * HOUR,
        "accepted_s": placed + 30,
        "state": "open",
        "attempts": 0,
    }
    record.move(parcel, None, "site:M" if merchant else "order book", placed)
    if merchant:
        return parcel
    if number % 29 == 3:
        record.move(parcel, "order book", "cancelled", placed + 100)
        parcel |= {"state": "cancelled", "units_cancelled": 2, "final_s": placed + 100}
    elif number % 37 == 6:
        record.move(parcel, "order book", "out of stock", placed + 2 * HOUR)
        parcel |= {"state": "out_of_stock", "final_s": placed + 2 * HOUR}
        record.add(
            "unassigned",
            time_s=placed + 60,
            site="W",
            parcel=number,
            reason="no-stock",
            detail="item <7> & more",
            final=False,
        )
    else:
        record.move(parcel, "order book", "site:W", placed + 60)
        parcel |= {"reserved_s": placed + 60, "released_s": float(-(-(placed + 60) // HOUR) * HOUR)}
        if number % 31 == 4:
            record.add(
                "moves", time_s=placed + 90, parcel=number, units=1, origin="site:W", destination="cancelled"
            )
            parcel["units_cancelled"] = 1
    return parcel


def _warehouse(record: _Recorder, parcels: list[dict[str, Any]]) -> None:
    at = [parcel["released_s"] for parcel in parcels]
    for stage, milestone in (("pick", "picked_s"), ("pack", "packed_s"), ("sort", "sorted_s")):
        at = record.stage("W", stage, list(zip(at, parcels, strict=True)))
        for parcel, moment in zip(parcels, at, strict=True):
            parcel |= {milestone: moment, "_ready": moment, "_lane": "W-H"}


def _merchant(record: _Recorder, parcels: list[dict[str, Any]]) -> None:
    """One collection round at nine, brought to station A, sorted there and sent on to the hub."""
    depart, there, home = 9.0 * HOUR, 9.5 * HOUR, 10.0 * HOUR
    chosen = [parcel for parcel in parcels if parcel["placed_s"] < there]
    for parcel in parcels:
        parcel["_lane"] = "none"
    load = sum(parcel["weight_g"] for parcel in chosen), sum(parcel["volume_ml"] for parcel in chosen)
    _leg(record, record.trips, 0, "van-A", "A", "collection", (depart, there, there + 300), 5000, 0, (0, 0))
    _leg(
        record,
        record.trips,
        1,
        "van-A",
        "A",
        "collection",
        (there + 300, home, home),
        5000,
        len(chosen),
        load,
    )
    record.trips += 1
    for parcel in chosen:
        record.move(parcel, "site:M", "vehicle:van-A", there)
        record.move(parcel, "vehicle:van-A", "site:A", home)
    done = record.stage("A", "sort", [(home, parcel) for parcel in chosen])
    for parcel, moment in zip(chosen, done, strict=True):
        parcel |= {"collected_s": there, "sorted_s": moment, "_ready": moment, "_lane": "A-H"}


def _linehaul(record: _Recorder, lane: str, parcels: list[dict[str, Any]]) -> None:
    """Every departure takes what is ready at its cut-off; the other end sorts it."""
    departures, drive, metres = DEPARTURES[lane]
    origin, destination = lane.split("-")
    sent: list[dict[str, Any]] = []
    for k, departure in enumerate(departures):
        chosen = [p for p in parcels if p not in sent and p.get("_ready", 1e9) <= departure - CUTOFF_S]
        truck, arrive = f"truck-{lane}", float(departure + drive)
        load = sum(p["weight_g"] for p in chosen), sum(p["volume_ml"] for p in chosen)
        moments = (float(departure), arrive, arrive + len(chosen))
        _leg(record, record.trips, 0, truck, origin, "linehaul", moments, metres, len(chosen), load, lane)
        record.add(
            "duties",
            vehicle=truck,
            vehicle_kind="truck",
            role="linehaul",
            site=origin,
            day=departure // 86_400,
            shift_start_s=departure - 1800.0,
            shift_end_s=arrive + 1800.0,
            busy_s=arrive - departure,
            overtime_s=0.0,
        ) if k == 0 or departure >= 86_400 else None
        for n, parcel in enumerate(chosen):
            record.move(parcel, f"site:{origin}", f"vehicle:{truck}", float(departure))
            record.move(parcel, f"vehicle:{truck}", f"site:{destination}", arrive)
            record.add(
                "containers",
                trip=record.trips,
                container=n // 40,
                kind="cage",
                parcel=parcel["parcel"],
                destination=destination,
            )
        done = record.stage(destination, "sort", [(arrive, parcel) for parcel in chosen])
        for parcel, moment in zip(chosen, done, strict=True):
            parcel["_ready"] = moment
            if destination != "H":
                parcel |= {"station_s": arrive, "ready_s": moment}
        record.trips += 1
        sent += chosen


def _round(record: _Recorder, station: str, wave: int, parcels: list[dict[str, Any]]) -> None:
    """One van takes all that is ready, by place; parcels 5 of 17 find nobody once, 7 of 50 never do."""
    chosen = [p for p in parcels if p["state"] == "open" and p.get("ready_s", 1e9) <= wave]
    chosen = [p for p in chosen if p["parcel"] != PARCELS - 2]  # the one that stays open
    van, now = f"van-{station}", float(wave)
    record.add(
        "duties",
        vehicle=van,
        vehicle_kind="van",
        role="delivery",
        site=station,
        day=wave // 86_400,
        shift_start_s=wave // 86_400 * 86_400 + 9.0 * HOUR,
        shift_end_s=wave // 86_400 * 86_400 + 22.0 * HOUR,
        busy_s=7.0 * HOUR,
        overtime_s=0.0,
    ) if wave % 86_400 == WAVES[0] else None
    on_board = list(chosen)
    for parcel in chosen:
        parcel["loaded_s"] = now
        record.move(parcel, f"site:{station}", f"vehicle:{van}", now)
    back = []
    places = sorted({p["place"] for p in chosen})
    for leg, place in enumerate([*places, None]):
        stop = [p for p in chosen if p["place"] == place]
        load = sum(p["weight_g"] for p in on_board), sum(p["volume_ml"] for p in on_board)
        moments = (now, now + 60, now + 60 + 40 * len(stop))
        _leg(
            record,
            record.trips,
            leg,
            van,
            station,
            "delivery",
            moments,
            400,
            len(on_board),
            load,
            None,
            place,
            stop,
        )
        now = moments[2]
        for parcel in stop:
            parcel["attempts"] += 1
            nobody = parcel["parcel"] % 50 == 7 or (parcel["parcel"] % 17 == 5 and parcel["attempts"] == 1)
            if parcel["attempts"] == 1:
                parcel["first_attempt"] = not nobody
            if nobody:
                back.append(parcel)
            else:
                on_board.remove(parcel)
                parcel |= {"state": "delivered", "final_s": now, "mode": "van"}
                record.move(parcel, f"vehicle:{van}", "customer", now)
    record.trips += 1
    for parcel in back:
        record.move(parcel, f"vehicle:{van}", f"site:{station}", now)
        if parcel["attempts"] == 2:
            record.move(parcel, f"site:{station}", "returned", now)
            parcel |= {"state": "returned", "final_s": now}


def _leg(
    record: _Recorder,
    trip: int,
    leg: int,
    vehicle: str,
    site: str,
    role: str,
    moments: tuple[float, float, float],
    metres: int,
    parcels: int,
    load: tuple[int, int],
    lane: str | None = None,
    place: int | None = None,
    stop: list[dict[str, Any]] | None = None,
) -> None:
    where = {"W": (120.0, 30.0), "H": (120.2, 30.2), "A": (120.3, 30.1), "B": (120.4, 30.4)}
    end = (stop[0]["lon"], stop[0]["lat"]) if stop else where[lane.split("-")[1]] if lane else where[site]
    linehaul = role == "linehaul"
    joules = (9000.0 if linehaul else 900.0) * metres
    start = where[site]
    if leg and record.rows["legs"]:
        before = record.rows["legs"][-1]
        start = before["destination_lon"], before["destination_lat"]
    record.add(
        "legs",
        trip=trip,
        leg=leg,
        vehicle=vehicle,
        vehicle_kind="truck" if linehaul else "van",
        role=role,
        lane=lane,
        site=site,
        origin_lon=start[0],
        origin_lat=start[1],
        destination_lon=end[0],
        destination_lat=end[1],
        place=place,
        depart_s=moments[0],
        arrive_s=moments[1],
        leave_s=moments[2],
        distance_m=metres,
        parcels=parcels,
        load_g=load[0],
        load_ml=load[1],
        capacity_g=900_000 if linehaul else 300_000,
        capacity_ml=9_000_000 if linehaul else 2_000_000,
        energy_j=joules,
        co2_g=joules / 3.6e6 * (250 if linehaul else 500),
    )
