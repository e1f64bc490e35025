"""Writes three-hubs.toml and three-hubs/volumes.csv: python scenarios/three-hubs/make.py"""

from __future__ import annotations

import csv
from pathlib import Path

HERE = Path(__file__).parent
# city -> (lon, lat of the hub, parcels a day that its merchants send); centres from public maps
CITIES = {
    "hangzhou": (120.24, 30.33, 1500),
    "shanghai": (121.25, 31.20, 2000),
    "nanjing": (118.83, 31.98, 1000),
}
STATIONS = {"north": (-0.05, 0.09), "south": (0.04, -0.09)}  # degrees from the hub
MERCHANTS = {
    "north": ((-0.03, 0.02), (0.03, 0.03)),
    "south": ((0.02, -0.03), (-0.02, 0.01)),
}  # from the station
PULL = {"hangzhou": 3, "shanghai": 5, "nanjing": 2}  # share of parcels that go to each city
HOURS = {9: 1, 10: 2, 11: 2, 12: 1, 13: 2, 14: 3, 15: 3}
SIZES = {"small": 6, "medium": 3, "large": 1}

HEAD = """# Parcels between merchants and customers of three cities: collected by vans, sorted at the origin's hub and at
# the destination's hub, delivered the next day. No stock. Written by three-hubs/make.py with volumes.csv.
schema = 1

[scenario]
name = "three-hubs"
description = "Origin-destination parcels between Hangzhou, Shanghai and Nanjing through two sorts"
start = 2026-04-14T00:00:00+08:00
timezone = "Asia/Shanghai"
horizon_days = 6
currency = "CNY"

[basis]
roads = "assumed: detour factor and speeds usual between and in cities"
sites = "assumed: invented sites near the cities' logistics areas"
"sites.lon" = "observed: city positions on public maps, to some kilometres"
"sites.lat" = "observed: see sites.lon"
areas = "assumed: one area a station"
vehicles = "assumed: round figures of electric vans and 18 t trucks"
fleet = "assumed: sized for the day"
lanes = "assumed: an evening, a night and a morning departure"
containers = "assumed: common cage"
sort_plan = "assumed: every parcel passes the hub of its origin and of its destination"
services = "assumed: next-day promise"
demand = "assumed: invented volumes, larger cities send and receive more"
dispatch = "assumed: two collection waves and two delivery waves"
delivery = "assumed: common figures of the trade"

[roads]
kind = "great-circle"
detour_factor = 1.3
#              0   1   2   3   4   5   6   7   8   9  10  11  12  13  14  15  16  17  18  19  20  21  22  23
speeds_kmh = [38, 38, 38, 38, 38, 36, 32, 24, 20, 22, 25, 26, 27, 27, 26, 25, 23, 19, 20, 24, 28, 31, 34, 37]
linehaul_speeds_kmh = [
  75, 75, 75, 75, 74, 72, 66, 58, 55, 60, 64, 65, 66, 66, 65, 64, 60, 54, 56, 62, 68, 72, 74, 75,
]
slowdown_cv = 0.1
"""

TAIL = """
[[vehicles]]
id = "van"
role = "delivery"
capacity_g = 900000
capacity_ml = 7000000
day_minor = 15000
km_minor = 30
wage_minor_per_hour = 3500
energy_j_per_m = 900
energy_minor_per_kwh = 80
co2_g_per_kwh = 570

[[vehicles]]
id = "truck"
role = "linehaul"
capacity_g = 9000000
capacity_ml = 45000000
day_minor = 60000
km_minor = 120
wage_minor_per_hour = 4500
energy_j_per_m = 9000
energy_minor_per_kwh = 75
co2_g_per_kwh = 265

[[containers]]
id = "cage"
capacity_ml = 1000000
capacity_g = 300000

[[services]]
id = "next-day"
promise_day = 1
promise_clock = "21:00"
order_cutoff = "16:00"
priority = 1
late_minor_per_parcel = 300
late_minor_per_hour = 10

[demand]
volumes = "three-hubs/volumes.csv"
sizes = [
  { id = "small", weight_g = 500, volume_ml = 2500 },
  { id = "medium", weight_g = 1500, volume_ml = 8000 },
  { id = "large", weight_g = 5000, volume_ml = 30000, sigma = 0.4 },
]

[delivery]
parking_s = 75
per_stop_s = 60
per_parcel_s = 4
cv = 0.3
failure = 0.04
window = ["08:00", "21:00"]
failed_minor = 80

[dispatch]
solver = "savings"
iterations = 2000
warehouse_waves = [{ every_s = 3600 }]
collection_waves = [{ at = ["13:00", "16:15"] }]
delivery_waves = [{ at = ["08:15", "13:00", "17:00"] }]
"""


def toml() -> str:
    parts = [HEAD]
    stage = '{{ name = "sort", service_s = {s}, cv = 0.2, shifts = [["00:00", "24:00", {n}]], wage_minor_per_hour = 2800 }}'
    lanes, fleet, areas, rows = [], [], [], []

    def lane(origin: str, destination: str, *times: str) -> None:
        at = ", ".join(f'"{time}"' for time in times)
        lanes.append(
            f'\n[[lanes]]\nid = "{origin}:{destination}"\norigin = "{origin}"\ndestination = "{destination}"\n'
            f'vehicle = "truck"\ndepartures = [{at}]\ncutoff_s = 900\ntrucks = 2'
        )

    for city, (lon, lat, _) in CITIES.items():
        hub = f"hub-{city}"
        sort = stage.format(s=4, n=4)
        parts.append(
            f'\n[[sites]]\nid = "{hub}"\nkind = "hub"\nlon = {lon}\nlat = {lat}\ndocks = 6\nstages = [{sort}]'
        )
        for side, (dx, dy) in STATIONS.items():
            station, x, y = f"st-{city}-{side}", round(lon + dx, 3), round(lat + dy, 3)
            sort = stage.format(s=6, n=2)
            parts.append(
                f'\n[[sites]]\nid = "{station}"\nkind = "station"\nlon = {x}\nlat = {y}\nstages = [{sort}]'
            )
            for k, (mx, my) in enumerate(MERCHANTS[side], 1):
                parts.append(
                    f'\n[[sites]]\nid = "shop-{city}-{side}-{k}"\nkind = "merchant"\nstation = "{station}"\n'
                    f'lon = {round(x + mx, 3)}\nlat = {round(y + my, 3)}\npickup_window = ["13:00", "19:00"]'
                )
            areas.append(
                f'\n[[areas]]\nid = "{city}-{side}"\nstation = "{station}"\nlon = {x}\nlat = {y}\n'
                f"radius_m = 5000\nweight = {PULL[city]}\nplaces = 3000"
            )
            count = 4 + 2 * PULL[city]
            fleet.append(
                f'\n[[fleet]]\nsite = "{station}"\nvehicle = "van"\ncount = {count}\nshift = ["08:00", "20:00"]'
            )
            lane(station, hub, "18:00", "20:30", "22:30")
            lane(hub, station, "03:30", "05:30", "10:30", "15:00")
            for other in CITIES:
                if other != city:
                    for area in STATIONS:
                        rows.append(
                            f'  {{ site = "{hub}", area = "{other}-{area}", next = "hub-{other}", container = "cage" }},'
                        )
            for area_city in CITIES:
                for area in STATIONS:
                    if (area_city, area) != (city, side):
                        rows.append(
                            f'  {{ site = "{station}", area = "{area_city}-{area}", next = "{hub}", container = "cage" }},'
                        )
        for other in CITIES:
            if other != city:
                lane(hub, f"hub-{other}", "21:30", "23:45")
    plan = "\n\n[sort_plan]\nderive = true\nrows = [\n" + "\n".join(dict.fromkeys(rows)) + "\n]"
    return "\n".join([*parts, *areas, *fleet, *lanes]) + plan + "\n" + TAIL


def volumes() -> list[tuple[str, str, str, int, str, int]]:
    rows = []
    for city, (_, _, parcels) in CITIES.items():
        shops = [f"shop-{city}-{side}-{k}" for side in STATIONS for k in (1, 2)]
        for shop in shops:
            for other, pull in PULL.items():
                for side in STATIONS:
                    for hour, share in HOURS.items():
                        for size, part in SIZES.items():
                            exact = parcels / len(shops) * pull / 10 / 2 * share / 14 * part / 10
                            if round(exact):
                                rows.append((shop, f"{other}-{side}", "next-day", hour, size, round(exact)))
    return rows


if __name__ == "__main__":
    (HERE.parent / "three-hubs.toml").write_text(toml(), encoding="utf-8")
    with (HERE / "volumes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("origin", "area", "service", "hour", "size_class", "parcels"))
        writer.writerows(volumes())
