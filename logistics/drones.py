"""Flight times and battery energy of a delivery drone that flies out with one load and back empty.

Power follows the multirotor model used with the multi-drone instances of Murray and Raj (2020), "The multiple
flying sidekicks traveling salesman problem": thrust, induced, profile and parasitic power with the aircraft
constants published there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from logistics.scenario import VehicleSection

GRAVITY = 9.8  # m/s², as in the source
LIFT = 0.0279  # N per (m/s)², at 10 degrees angle of attack
DRAG = 0.0296  # N per (m/s)²
INDUCED = 0.8554
DISC = 0.3051  # √N per (m/s), from disc area and air density
PROFILE = 0.3177  # W per N^1.5
TILT = math.cos(math.radians(10))


def thrust_n(mass_kg: float, speed_mps: float) -> float:
    """Thrust that holds the aircraft's weight at a horizontal speed, in newton."""
    lift = mass_kg * GRAVITY - LIFT * (speed_mps * TILT) ** 2
    return math.hypot(lift, DRAG * speed_mps**2)


def power_w(mass_kg: float, speed_mps: float, vertical_mps: float = 0.0) -> float:
    """Power at a horizontal speed (or in climb or descent at `vertical_mps`), in watt."""
    thrust = thrust_n(mass_kg, speed_mps)
    half = vertical_mps / 2
    induced = INDUCED * thrust * (half + math.sqrt(half**2 + thrust / DISC**2))
    return induced + PROFILE * thrust * math.sqrt(thrust) + DRAG * speed_mps**3


@dataclass(frozen=True, slots=True)
class Sortie:
    """A flight out and back: seconds until the hand-over begins, seconds in all, joules taken."""

    out_s: float
    total_s: float
    energy_j: float


def sortie(drone: VehicleSection, distance_m: float, load_g: float, service_s: float) -> Sortie:
    """Flight with `load_g` to a place `distance_m` away in a straight line, hand-over in hover, and back."""
    climb_s = drone.altitude_m / drone.vertical_mps
    cruise_s = distance_m / drone.cruise_mps
    laden, empty = drone.empty_mass_kg + load_g / 1000, drone.empty_mass_kg
    energy = 0.0
    for mass in (laden, empty):
        energy += climb_s * power_w(mass, 0.0, drone.vertical_mps)
        energy += cruise_s * power_w(mass, drone.cruise_mps)
        energy += climb_s * power_w(mass, 0.0, drone.vertical_mps)
    energy += service_s * power_w(empty, 0.0)
    out = drone.launch_s + 2 * climb_s + cruise_s
    return Sortie(out, out + service_s + 2 * climb_s + cruise_s + drone.recovery_s, energy)


def within_range(drone: VehicleSection, distance_m: float, load_g: float, service_s: float) -> bool:
    """Whether the load is light enough and the flight leaves the reserve in the battery."""
    usable = drone.battery_j * (1 - drone.reserve_share)
    return load_g <= drone.capacity_g and sortie(drone, distance_m, load_g, service_s).energy_j <= usable
