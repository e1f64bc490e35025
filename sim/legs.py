"""Records of vehicle movements, the same for trucks, vans and drones."""

from __future__ import annotations

from logistics.scenario import VehicleSection
from sim.world import World

JOULES_PER_KWH = 3.6e6
Point = tuple[float, float]


def site_point(world: World, site: int) -> Point:
    section = world.scenario.sites[site]
    return section.lon, section.lat


def place_point(world: World, place: int) -> Point:
    places = world.demand.places
    return float(places.lon[place]), float(places.lat[place])


def record_leg(
    world: World,
    *,
    trip: int,
    leg: int,
    vehicle: str,
    kind: VehicleSection,
    role: str,
    lane: str | None,
    site: str,
    origin: Point,
    destination: Point,
    place: int | None,
    depart_s: float,
    arrive_s: float,
    leave_s: float,
    distance_m: int,
    parcels: int,
    load: tuple[int, int],
    energy_j: float | None = None,
) -> None:
    """One row of the legs table. Energy is by distance unless given (drones)."""
    energy = kind.energy_j_per_m * distance_m if energy_j is None else energy_j
    world.record.row(
        "legs",
        trip=trip,
        leg=leg,
        vehicle=vehicle,
        vehicle_kind=kind.id,
        role=role,
        lane=lane,
        site=site,
        origin_lon=origin[0],
        origin_lat=origin[1],
        destination_lon=destination[0],
        destination_lat=destination[1],
        place=place,
        depart_s=depart_s,
        arrive_s=arrive_s,
        leave_s=leave_s,
        distance_m=distance_m,
        parcels=parcels,
        load_g=load[0],
        load_ml=load[1],
        capacity_g=kind.capacity_g,
        capacity_ml=kind.capacity_ml,
        energy_j=energy,
        co2_g=energy / JOULES_PER_KWH * kind.co2_g_per_kwh,
    )
