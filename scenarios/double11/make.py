"""Writes double11.toml, one million parcels in a day: python scenarios/double11/make.py

The network is invented: 200 delivery stations on a grid of 12 km over a province, four pairs of a warehouse and
a hub, each serving a quarter of the stations. Capacities follow from the volume below.
"""

from __future__ import annotations

from pathlib import Path

PARCELS = 1_000_000
STATIONS = 200
REGIONS = 4
# orders by hour: the sale opens at midnight, a second peak comes in the evening
HOURLY = [160, 90, 40, 20, 12, 10, 14, 22, 34, 42, 48, 48, 44, 42, 42, 42, 40, 38, 40, 50, 62, 66, 60, 50]
PEAK_PER_S = PARCELS * max(HOURLY) / sum(HOURLY) / 3600
MEAN_PER_S = PARCELS / 86_400

HEAD = f"""# One million parcels in a day, with a surge at midnight. Written by double11/make.py.
schema = 1

scenario.name = "double11"
scenario.description = "{PARCELS:,} parcels in a day over {STATIONS} stations, with a surge at midnight"
scenario.start = 2026-11-11T00:00:00+08:00
scenario.timezone = "Asia/Shanghai"
scenario.horizon_days = 6
scenario.currency = "CNY"

[basis]
roads = "assumed: as in hangzhou-day"
sites = "assumed: invented grid of sites"
areas = "assumed: one area a station"
vehicles = "assumed: round figures of electric vans and 18 t trucks"
fleet = "assumed: a van for every 130 parcels of the day"
lanes = "assumed: hourly trucks to the hubs, six departures a day to the stations"
containers = "assumed: common cage"
sort_plan = "derived: least scheduled time over the lanes"
services = "assumed: next-day promise, two days at the peak"
demand = "assumed: volume of a peak day; shape by hour with the surge at midnight"
catalogue = "assumed: invented shares of goods"
stock = "assumed: built up before the sale"
dispatch = "assumed: three delivery waves"
delivery = "assumed: common figures of the trade"

[roads]
kind = "great-circle"
detour_factor = 1.35
speeds_kmh = [38, 38, 38, 38, 38, 36, 32, 24, 20, 22, 25, 26, 27, 27, 26, 25, 23, 19, 20, 24, 28, 31, 34, 37]
linehaul_speeds_kmh = [72, 72, 72, 72, 70, 66, 60, 52, 50, 54, 58, 60, 60, 60, 58, 56, 52, 48, 50, 56, 62, 66, 70, 72]
slowdown_cv = 0.15
"""

TAIL = f"""
containers = [{{ id = "cage", capacity_ml = 1500000, capacity_g = 400000 }}]

services = [
  {{ id = "next-day", promise_day = 1, promise_clock = "21:00", order_cutoff = "12:00", priority = 1, late_minor_per_parcel = 100, late_minor_per_hour = 5 }},
]

vehicles = [
  {{ id = "van", role = "delivery", capacity_g = 900000, capacity_ml = 7000000, day_minor = 15000, km_minor = 30, wage_minor_per_hour = 3500, energy_j_per_m = 900, energy_minor_per_kwh = 80, co2_g_per_kwh = 570 }},
  {{ id = "truck", role = "linehaul", capacity_g = 12000000, capacity_ml = 60000000, day_minor = 60000, km_minor = 120, wage_minor_per_hour = 4500, energy_j_per_m = 9000, energy_minor_per_kwh = 75, co2_g_per_kwh = 265 }},
]

[sort_plan]
container = "cage"

[stock]
initial_days = 4

[delivery]
parking_s = 60
per_stop_s = 45
per_parcel_s = 10
cv = 0.3
failure = 0.03
window = ["08:00", "21:00"]
failed_minor = 80

[dispatch]
solver = "savings"
iterations = 300
solve_time = {{ floor_s = 5, per_stop_s = 0.05, ceiling_s = 120 }}
max_stops = 2500
warehouse_waves = [{{ every_s = 1800 }}]
delivery_waves = [{{ at = ["07:45", "12:30", "16:30"] }}]

[catalogue]
items = 2000
rules = [
  {{ match = "[0-5]$", category = "fashion", weight_g = 420, volume_ml = 2400 }},
  {{ match = "[67]$", category = "household", weight_g = 900, volume_ml = 4200 }},
  {{ match = ".*", category = "electronics", weight_g = 650, volume_ml = 1900, handling = "fragile" }},
]

[[demand.streams]]
origins = {{ {", ".join(f"wh-{r} = 1" for r in range(REGIONS))} }}
per_day = {PARCELS}
hourly = {HOURLY}
services = {{ next-day = 1 }}
lines_per_order = 1.3
units_per_line = 1.1
"""


def servers(seconds: float, per_s: float, slack: float) -> int:
    return round(seconds * per_s * slack) + 1


def stage(name: str, service_s: float, count: int, wage: int = 2800, extra: str = "") -> str:
    return f'{{ name = "{name}", service_s = {service_s}, {extra}cv = 0.3, shifts = [["00:00", "24:00", {count}]], wage_minor_per_hour = {wage} }}'


def toml() -> str:
    per_region, per_station = MEAN_PER_S / REGIONS, PARCELS / STATIONS
    sites, areas, fleet, lanes = [], [], [], []
    columns = 20
    place = [(118.6 + 0.125 * (k % columns), 29.6 + 0.11 * (k // columns)) for k in range(STATIONS)]
    for r in range(REGIONS):
        own = [place[k] for k in range(STATIONS) if k % columns // 5 == r]
        lon = sum(p[0] for p in own) / len(own)
        lat = sum(p[1] for p in own) / len(own)
        stages = ", ".join(
            (
                stage("pick", 25, servers(38, per_region, 1.3), 3000, "per_line_s = 10, "),
                stage("pack", 30, servers(30, per_region, 1.35), 3000),
                stage("sort", 4, servers(4, per_region, 1.6)),
            )
        )
        sites.append(
            f'{{ id = "wh-{r}", kind = "warehouse", lon = {lon:.3f}, lat = {lat:.3f}, docks = 60, handling_minor_per_parcel = 15, space_minor_per_day = 2000000, stages = [{stages}] }}'
        )
        sites.append(
            f'{{ id = "hub-{r}", kind = "hub", lon = {lon + 0.05:.3f}, lat = {lat + 0.04:.3f}, docks = 80, unload_s_per_parcel = 0.1, load_s_per_parcel = 0.1, handling_minor_per_parcel = 8, stages = [{stage("sort", 3, servers(3, per_region, 2.0))}] }}'
        )
        for other in range(REGIONS):
            times = ", ".join(f'"{h:02d}:20"' for h in range(24))
            lanes.append(
                f'{{ id = "wh-{r}:hub-{other}", origin = "wh-{r}", destination = "hub-{other}", vehicle = "truck", cutoff_s = 600, trucks = 6, departures = [{times}] }}'
            )
    for k, (lon, lat) in enumerate(place):
        region = k % columns // 5
        name = f"st-{k:03d}"
        sites.append(
            f'{{ id = "{name}", kind = "station", lon = {lon:.3f}, lat = {lat:.3f}, docks = 3, unload_s_per_parcel = 0.5, handling_minor_per_parcel = 10, stages = [{stage("sort", 5, servers(5, per_station / 86_400, 4.0))}] }}'
        )
        areas.append(
            f'{{ id = "a-{k:03d}", station = "{name}", lon = {lon:.3f}, lat = {lat:.3f}, radius_m = 3500, places = {round(per_station * 0.55)} }}'
        )
        fleet.append(
            f'{{ site = "{name}", vehicle = "van", count = {round(per_station / 130)}, shift = ["07:30", "20:30"] }}'
        )
        lanes.append(
            f'{{ id = "hub-{region}:{name}", origin = "hub-{region}", destination = "{name}", vehicle = "truck", cutoff_s = 600, trucks = 3, departures = ["02:00", "04:30", "06:00", "10:00", "14:00", "20:00"] }}'
        )

    def array(name: str, rows: list[str]) -> str:
        return f"{name} = [\n  " + ",\n  ".join(rows) + ",\n]\n"

    head, _, tables = HEAD.partition("[basis]")
    lists, _, rest = TAIL.partition("[sort_plan]")
    body = "\n".join(
        (array("sites", sites), array("areas", areas), array("fleet", fleet), array("lanes", lanes))
    )
    return f"{head}{body}{lists}\n[basis]{tables}\n[sort_plan]{rest}"


if __name__ == "__main__":
    (Path(__file__).parents[1] / "double11.toml").write_text(toml(), encoding="utf-8")
