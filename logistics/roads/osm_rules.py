"""Which OpenStreetMap ways a delivery van may use, in which direction and how fast.

After the tag conventions of wiki.openstreetmap.org (Key:highway, Key:access, Key:oneway, Key:maxspeed).
Speeds are free-flow: the posted limit where tagged, else `CLASS_KMH`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

CLASS_KMH: dict[str, float] = {
    "motorway": 110,
    "motorway_link": 60,
    "trunk": 90,
    "trunk_link": 50,
    "primary": 65,
    "primary_link": 45,
    "secondary": 55,
    "secondary_link": 40,
    "tertiary": 45,
    "tertiary_link": 35,
    "unclassified": 40,
    "residential": 30,
    "road": 30,
    "service": 15,
    "living_street": 10,
}
# Open to vans only where a tag says so.
CLASS_KMH_ON_PERMISSION: dict[str, float] = {"track": 15, "pedestrian": 8}
NOT_OPEN = frozenset({"construction", "proposed", "planned", "abandoned", "disused", "razed"})

# From the most specific key to the least: the first one tagged decides.
ACCESS_KEYS = ("motorcar", "goods", "motor_vehicle", "vehicle", "access")
ALLOWED = frozenset({"yes", "designated", "permissive", "destination", "delivery", "customers", "permit"})
DENIED = frozenset(
    {"no", "private", "agricultural", "forestry", "military", "emergency", "psv", "bus", "use_sidepath"}
)
BLOCKING_BARRIERS = frozenset(
    {
        "bollard",
        "block",
        "cycle_barrier",
        "kissing_gate",
        "motorcycle_barrier",
        "jersey_barrier",
        "log",
        "stile",
    }
)

ONEWAY_FORWARD = frozenset({"yes", "true", "1"})
ONEWAY_BACKWARD = frozenset({"-1", "reverse"})

ZONE_KMH = {"urban": 50.0, "rural": 80.0, "trunk": 100.0, "motorway": 120.0, "living_street": 10.0}
WALK_KMH = 7.0
KM_PER_MILE = 1.609344


def directions(tags: Mapping[str, str]) -> tuple[float, float] | str:
    """(km/h along the way, km/h against it), 0 where not allowed; or the reason why vans may not use it."""
    highway = tags.get("highway", "")
    if highway in NOT_OPEN:
        return "not open"
    access = _access(tags)
    if access is False:
        return "no access for motor vehicles"
    default = CLASS_KMH.get(highway)
    if default is None:
        default = CLASS_KMH_ON_PERMISSION.get(highway)
        if default is None:
            return "not a road for motor vehicles"
        if access is None:
            return "track or pedestrian way without permission"
    if tags.get("area") == "yes":
        return "area, not a way"
    if tags.get("service") == "emergency_access":
        return "no access for motor vehicles"
    oneway = tags.get("oneway")
    if oneway in ("reversible", "alternating"):
        return "direction changes over time"
    both = speed_kmh(tags.get("maxspeed"), default)
    forward = speed_kmh(tags.get("maxspeed:forward"), both)
    backward = speed_kmh(tags.get("maxspeed:backward"), both)
    if oneway is None and (highway == "motorway" or tags.get("junction") in ("roundabout", "circular")):
        oneway = "yes"
    if oneway in ONEWAY_FORWARD:
        return forward, 0.0
    if oneway in ONEWAY_BACKWARD:
        return 0.0, backward
    return forward, backward


def blocks(tags: Mapping[str, str]) -> bool:
    """Whether a node stops motor vehicles: a bollard and its like, or a gate that is closed to them."""
    if "barrier" not in tags:
        return False
    access = _access(tags)
    return access is False or (access is None and tags["barrier"] in BLOCKING_BARRIERS)


def speed_kmh(maxspeed: str | None, default: float) -> float:
    """The limit of a `maxspeed` value in km/h, the lowest of a list; `default` where it states no number."""
    if not maxspeed:
        return default
    limits = [limit for part in maxspeed.split(";") if (limit := _limit_kmh(part.strip().lower()))]
    return min(limits, default=default)


def _limit_kmh(text: str) -> float | None:
    if text == "walk" or text.endswith(":walk"):
        return WALK_KMH
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph)?", text)
    if number:
        value = float(number[1]) * (KM_PER_MILE if number[2] == "mph" else 1.0)
        return value if 0 < value < math.inf else None
    zone = re.fullmatch(r"[a-z]{2}:(?:zone:?)?(\w+)", text)
    if zone:
        return float(zone[1]) if zone[1].isdigit() and int(zone[1]) else ZONE_KMH.get(zone[1])
    return None


def _access(tags: Mapping[str, str]) -> bool | None:
    """True or False where the most specific access tag decides, None where nothing is said."""
    for key in ACCESS_KEYS:
        if key in tags:
            values = {part.strip() for part in tags[key].split(";")}
            if values & ALLOWED:
                return True
            if values <= DENIED:
                return False
    return None
