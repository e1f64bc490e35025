"""The Parquet tables of a run folder: names, columns, types and units, declared once.

Times are seconds from the scenario's start; a time that never came is null. Names of sites, services, areas,
stages and vehicles are dictionary-encoded strings. README of the run folder: docs/run-folder.md.
"""

from __future__ import annotations

import pyarrow as pa

_name = pa.dictionary(pa.int32(), pa.string())
_row = pa.int32()
_time = pa.float64()
_count = pa.int64()
_real = pa.float64()

SCHEMAS: dict[str, pa.Schema] = {
    # one row per parcel
    "parcels": pa.schema(
        {
            "parcel": _row,
            "order": _name,  # the order's reference
            "service": _name,
            "kind": _name,  # fulfilment | origin-destination
            "origin": _name,  # warehouse or merchant
            "area": _name,
            "station": _name,  # delivers it
            "place": _row,  # address number; same place, same stop
            "place_kind": _name,  # home | locker
            "lon": _real,
            "lat": _real,
            "weight_g": _count,
            "volume_ml": _count,
            "units": _count,  # ordered
            "units_cancelled": _count,
            "measured": pa.bool_(),  # placed inside the measuring window
            "placed_s": _time,
            "promise_s": _time,
            "accepted_s": _time,  # taken in by the dispatcher
            "reserved_s": _time,  # stock reserved (fulfilment)
            "collected_s": _time,  # on board at the merchant (origin–destination)
            "released_s": _time,  # wave released to the warehouse floor
            "picked_s": _time,
            "packed_s": _time,
            "sorted_s": _time,  # first sort finished
            "station_s": _time,  # arrived at the delivering station
            "ready_s": _time,  # sorted there, open for delivery
            "loaded_s": _time,  # on its (last) van or drone
            "final_s": _time,  # delivered, cancelled, returned or given up
            "state": _name,  # delivered | cancelled | out_of_stock | returned | open
            "attempts": _row,  # at the door
            "first_attempt": pa.bool_(),  # delivered at the first attempt; null when never attempted
            "mode": _name,  # van | drone | null
            "late_stage": _name,  # stage that made a late or undelivered parcel late, else null
        }
    ),
    # one row per item in a parcel; origin–destination parcels have none
    "lines": pa.schema(
        {
            "parcel": _row,
            "item": _name,
            "category": _name,
            "handling": _name,  # standard | fragile | cold | bulky
            "quantity": _count,  # ordered
            "quantity_withdrawn": _count,  # by the customer, in time
        }
    ),
    # one row per parcel and step of work at a site, in the order of start_s
    "stages": pa.schema(
        {
            "parcel": _row,
            "site": _name,
            "stage": _name,  # pick | pack | sort
            "arrive_s": _time,
            "start_s": _time,
            "finish_s": _time,
        }
    ),
    # every movement of units from one place to another, in the order of time; the chain of custody
    "moves": pa.schema(
        {
            "time_s": _time,
            "parcel": _row,
            "units": _count,
            "origin": _name,  # place names as below
            "destination": _name,  # order book | site:ID | vehicle:ID | customer | cancelled | ...
        }
    ),
    # one row per vehicle movement between two stops
    "legs": pa.schema(
        {
            "trip": _row,
            "leg": _row,  # 0, 1, ... within the trip
            "vehicle": _name,  # one physical vehicle
            "vehicle_kind": _name,
            "role": _name,  # linehaul | delivery | collection | drone
            "lane": _name,  # linehaul only
            "site": _name,  # base: origin site of a truck, station of a van or drone
            "solve": _row,  # the plan that a van carries out; null for trucks and drones
            "origin_lon": _real,
            "origin_lat": _real,
            "destination_lon": _real,
            "destination_lat": _real,
            "place": _row,  # place reached; null for sites
            "depart_s": _time,
            "arrive_s": _time,
            "leave_s": _time,  # end of service or unloading there
            "distance_m": _count,
            "parcels": _row,  # on board while driving
            "load_g": _count,
            "load_ml": _count,
            "capacity_g": _count,
            "capacity_ml": _count,
            "energy_j": _real,
            "co2_g": _real,
        }
    ),
    # one row per parcel and container it rode in between two sites
    "containers": pa.schema(
        {"trip": _row, "container": _row, "kind": _name, "parcel": _row, "destination": _name}
    ),
    # one row per vehicle and day on duty
    "duties": pa.schema(
        {
            "vehicle": _name,
            "vehicle_kind": _name,
            "role": _name,
            "site": _name,
            "day": _row,
            "shift_start_s": _time,
            "shift_end_s": _time,
            "busy_s": _time,  # on trips inside or beyond the shift
            "overtime_s": _time,
        }
    ),
    # one row per routing problem solved
    "solves": pa.schema(
        {
            "solve": _row,
            "site": _name,
            "role": _name,  # delivery | collection
            "asked_s": _time,
            "answered_s": _time,  # after the charged solve time
            "solver": _name,
            "stops": _row,
            "parcels": _row,
            "vehicles": _row,
            "routes": _row,
            "unserved": _row,  # stops
            "cost": _count,  # minor units times the problem's cost scale
            "distance_m": _count,
        }
    ),
    # one row per parcel left out of a plan, and for each parcel that waits at the end of the run
    "unassigned": pa.schema(
        {
            "time_s": _time,
            "site": _name,
            "parcel": _row,
            "reason": _name,
            "detail": pa.string(),
            "final": pa.bool_(),  # the parcel waited at the end of the run, for this reason
        }
    ),
    # one row per parcel that fell into a wrong chute or was damaged on a site's sorter
    "sorting_errors": pa.schema({"parcel": _row, "site": _name, "missorts": _count, "damaged": _count}),
    # one row per thing that happened inside a storage or sorter beyond its usual work
    "incidents": pa.schema(
        {
            "time_s": _time,
            "site": _name,
            "what": _name,
            "number": _count,  # of the station, zone, robot, chute or induction
            "parcel": _row,
            "item": _name,
            "detail": pa.string(),
        }
    ),
    # one row per site, stage and half hour; stage is null for the building as a whole
    "sites": pa.schema(
        {
            "site": _name,
            "stage": _name,
            "from_s": _time,
            "arrivals": _count,  # offered load
            "finishes": _count,  # throughput
            "queue_mean": _real,
            "queue_peak": _count,
            "busy_server_s": _real,
            "server_s": _real,  # servers on shift times seconds
            "headroom": _count,  # parcels that idle servers could have done
            "space_mean": _real,  # parcels in the building
            "space_peak": _count,
            "space_limit": _count,
        }
    ),
    # cost entries; they sum to the total
    "ledger": pa.schema(
        {
            "kind": _name,  # stage_wage | driver_wage | piece | vehicle_day | distance | toll | energy | ...
            "site": _name,
            "lane": _name,
            "service": _name,
            "quantity": _real,
            "unit": _name,
            "rate_minor": _real,
            "amount_minor": _count,
        }
    ),
    # key figures, each for a scope: "" whole run, "service:ID", "site:ID", "lane:ID", "vehicle:KIND",
    # "stage:SITE/STAGE", "fleet:SITE/KIND", "cost:LEDGER KIND", "late_stage:STAGE", "reason:REASON"
    "kpis": pa.schema({"kpi": _name, "scope": _name, "value": _real, "unit": _name}),
}
