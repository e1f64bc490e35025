"""Which ways vans may use: the tag conventions, case by case."""

from __future__ import annotations

import pytest

from logistics.roads.osm_rules import CLASS_KMH, blocks, directions, speed_kmh


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "residential"}, (30, 30)),
        ({"highway": "residential", "maxspeed": "50"}, (50, 50)),
        ({"highway": "primary", "oneway": "yes"}, (65, 0)),
        ({"highway": "primary", "oneway": "-1", "maxspeed": "80"}, (0, 80)),
        ({"highway": "motorway"}, (110, 0)),
        ({"highway": "motorway", "oneway": "no"}, (110, 110)),
        ({"highway": "tertiary", "junction": "roundabout"}, (45, 0)),
        ({"highway": "tertiary", "junction": "roundabout", "oneway": "no"}, (45, 45)),
        ({"highway": "secondary", "maxspeed": "60", "maxspeed:backward": "40"}, (60, 40)),
        ({"highway": "track", "motor_vehicle": "destination"}, (15, 15)),
        ({"highway": "service", "access": "no", "motor_vehicle": "delivery"}, (15, 15)),
        ({"highway": "service", "access": "agricultural;permissive"}, (15, 15)),
        ({"highway": "residential", "motor_vehicle": "unbekannt"}, (30, 30)),
        (
            {"highway": "residential", "motor_vehicle": "unbekannt", "access": "no"},
            "no access for motor vehicles",
        ),
        ({"highway": "service", "access": "yes", "motorcar": "no"}, "no access for motor vehicles"),
        ({"highway": "service", "access": "private"}, "no access for motor vehicles"),
        ({"highway": "service", "access": "agricultural;forestry"}, "no access for motor vehicles"),
        ({"highway": "service", "service": "emergency_access"}, "no access for motor vehicles"),
        ({"highway": "footway"}, "not a road for motor vehicles"),
        ({"highway": "cycleway", "access": "yes"}, "not a road for motor vehicles"),
        ({"highway": "track"}, "track or pedestrian way without permission"),
        ({"highway": "construction", "construction": "primary"}, "not open"),
        ({"highway": "service", "area": "yes"}, "area, not a way"),
        ({"highway": "primary", "oneway": "reversible"}, "direction changes over time"),
    ],
)
def test_directions(tags, expected):
    assert directions(tags) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, 42),
        ("50", 50),
        ("50 km/h", 50),
        ("30 mph", 48.28032),
        ("90;30;90", 30),
        ("walk", 7),
        ("DE:walk", 7),
        ("CH:urban", 50),
        ("AT:zone:30", 30),
        ("DE:zone30", 30),
        ("none", 42),
        ("signals", 42),
        ("0", 42),
        ("CH:elsewhere", 42),
        ("fast; 20", 20),
    ],
)
def test_speeds(text, expected):
    assert speed_kmh(text, 42) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"barrier": "bollard"}, True),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, False),
        ({"barrier": "gate"}, False),
        ({"barrier": "gate", "access": "private"}, True),
        ({"barrier": "lift_gate", "access": "no", "motor_vehicle": "permissive"}, False),
        ({"access": "no"}, False),
    ],
)
def test_barriers(tags, expected):
    assert blocks(tags) is expected


def test_every_class_has_a_sensible_speed():
    assert all(5 <= speed <= 130 for speed in CLASS_KMH.values())
