"""Roads: distances and departure-time-dependent travel between places.

>>> from logistics.roads import GreatCircleRoads
>>> roads = GreatCircleRoads(detour_factor=1.3, speeds_mps=8.0, start_second_of_day=8 * 3600)
>>> home, shop = roads.places([[120.15, 30.28], [120.17, 30.25]])
>>> metres, seconds = roads.leg(home, shop, depart_s=0)
>>> metres, round(seconds)
(5004, 626)
"""

from logistics.roads.base import Drive, PlaceArray, Roads, SnapReport
from logistics.roads.buildings import Buildings, read_buildings
from logistics.roads.factory import load_roads
from logistics.roads.great_circle import GreatCircleRoads
from logistics.roads.hourly_graph import HourlyGraphRoads
from logistics.roads.importer import RoadImport, import_roads
from logistics.roads.osm import OsmRoads

__all__ = [
    "Buildings",
    "Drive",
    "GreatCircleRoads",
    "HourlyGraphRoads",
    "OsmRoads",
    "PlaceArray",
    "RoadImport",
    "Roads",
    "SnapReport",
    "import_roads",
    "load_roads",
    "read_buildings",
]
