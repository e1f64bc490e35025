"""Whether sites, vehicles and lanes can play the part they are given."""

from __future__ import annotations

from logistics import controllers, drones
from logistics.catalogue import GENERAL
from logistics.checks.files import Tables
from logistics.checks.findings import Findings, check_equipment, meant
from logistics.checks.sorters import check_inside_disruptions, check_sorting
from logistics.scenario import SiteSection, VehicleSection
from logistics.schema_faults import Location
from logistics.storage import STORAGE_KINDS

_STAGES: dict[str, tuple[str, ...]] = {
    "warehouse": ("pick", "pack", "sort"),
    "hub": ("sort",),
    "station": ("sort",),
}
_LANE_ENDS = {
    "origin": ("supplier", "warehouse", "hub", "station"),
    "destination": ("warehouse", "hub", "station"),
}


def check_roles(findings: Findings) -> None:
    """Stages per kind of site, kinds at both ends of references, vehicles that can do their work."""
    for i, site in enumerate(findings.scenario.sites):
        _site(findings, i, site)
    check_inside_disruptions(findings)
    for i, area in enumerate(findings.scenario.areas):
        _kind(
            findings, ("areas", i, "station"), area.station, ("station",), "areas are delivered from stations"
        )
    _lanes(findings)
    _fleet(findings)
    _vehicles(findings)
    _roads(findings)
    _demand(findings)


def _site(findings: Findings, i: int, site: SiteSection) -> None:
    place: Location = ("sites", i)
    wanted = _STAGES.get(site.kind, ())
    names = [stage.name for stage in site.stages]
    missing = [name for name in wanted if name not in names]
    if missing:
        findings.add(
            (*place, "stages"),
            "missing-stage",
            f"a {site.kind} needs the stages {', '.join(wanted)}; missing: {', '.join(missing)}",
            f"add a [[sites.stages]] for {' and '.join(missing)} below this site",
        )
    for k, stage in enumerate(site.stages):
        where = (*place, "stages", k)
        if stage.name not in wanted:
            findings.add(
                where, "stage-not-for-kind", f"a {site.kind} has no such stage", "remove it", value=stage.name
            )
        elif stage.name in names[:k]:
            findings.add(
                where, "duplicate-stage", "this stage is given twice", "remove one", value=stage.name
            )
        if not any(shift.workers for shift in stage.shifts):
            findings.add(
                (*where, "shifts"), "no-workers", "nobody works here", "give a shift at least 1 worker"
            )
    _storage(findings, place, site)
    check_sorting(findings, place, site)
    if not missing and names != sorted(names, key=wanted.index if set(names) <= set(wanted) else str):
        findings.add(
            (*place, "stages"), "stage-order", "the stages are out of order", f"order: {', '.join(wanted)}"
        )
    if site.kind in ("locker", "merchant"):
        if site.station is None:
            findings.add(
                (*place, "station"), "missing-key", f"a {site.kind} needs a station", "add station = ..."
            )
        else:
            why = f"vans of a station come to a {site.kind}"
            _kind(findings, (*place, "station"), site.station, ("station",), why)
    elif site.station is not None:
        why = f"only lockers and merchants have one, a {site.kind} is connected by lanes"
        findings.add((*place, "station"), "key-not-for-kind", why, "remove it", value=site.station)
    if site.kind == "merchant" and site.pickup_window is None:
        findings.add(
            (*place, "pickup_window"),
            "missing-key",
            "a merchant needs a pickup window",
            'add pickup_window = ["14:00", "18:00"]',
        )
    if site.kind == "locker" and not site.space_parcels:
        findings.add(
            (*place, "space_parcels"),
            "missing-key",
            "a locker needs compartments",
            "add space_parcels = their number",
        )


def _storage(findings: Findings, place: Location, site: SiteSection) -> None:
    """Storage only in warehouses, with parameters of its own kind, and people in every zone and station."""
    storage = site.storage
    if storage is None:
        return
    where = (*place, "storage")
    if not check_equipment(findings, place, "storage", STORAGE_KINDS, ("warehouse",), "storage-not-for-kind"):
        return
    walk = storage.picker_to_parts
    if storage.kind == "picker_to_parts":
        for shift in walk.pickers:
            if shift.workers < walk.zones:
                findings.add(
                    (*where, "picker_to_parts", "pickers"),
                    "zone-without-picker",
                    f"{shift.workers} pickers cannot staff {walk.zones} zones",
                    f"give every shift at least {walk.zones}, or lower zones",
                    value=shift.workers,
                )
        if walk.zones > walk.aisles:
            findings.add(
                (*where, "picker_to_parts", "zones"),
                "zone-without-aisle",
                f"{walk.aisles} aisles cannot make {walk.zones} zones",
                f"write at most {walk.aisles}",
                value=walk.zones,
            )
    automated = storage.automated
    if storage.kind == "automated" and not any(shift.workers for shift in automated.shifts):
        findings.add(
            (*where, "automated", "shifts"),
            "no-workers",
            "nobody works here",
            "give a shift at least 1 worker",
        )
    robots = storage.goods_to_person
    if storage.kind == "goods_to_person":
        if not any(shift.workers for shift in robots.shifts):
            findings.add(
                (*where, "goods_to_person", "shifts"),
                "no-workers",
                "nobody works here",
                "give a shift at least 1 worker",
            )
        if robots.robots > robots.pods:
            findings.add(
                (*where, "goods_to_person", "robots"),
                "more-robots-than-pods",
                f"{robots.pods} pods can't occupy so many robots",
                f"write at most {robots.pods}",
                value=robots.robots,
            )
        for kind in controllers.BUILT_IN:
            name, known = getattr(robots, kind), list(controllers.registered(kind))
            if name not in known:
                findings.add(
                    (*where, "goods_to_person", kind),
                    "unknown-controller",
                    "no controller is registered under this name",
                    meant(name, known),
                    value=name,
                )


def _kind(findings: Findings, location: Location, name: str, kinds: tuple[str, ...], why: str) -> None:
    """Report a reference to a site of the wrong kind."""
    site = next((site for site in findings.scenario.sites if site.id == name), None)
    if site is None or site.kind in kinds:  # an unknown id is reported elsewhere
        return
    findings.broken.add(str(location[0]))
    repair = f"name a {' or '.join(kinds)}"
    findings.add(location, "wrong-kind", f"this is a {site.kind}; {why}", repair, value=name)


def _vehicle(findings: Findings, name: str) -> VehicleSection | None:
    return next((vehicle for vehicle in findings.scenario.vehicles if vehicle.id == name), None)


def _lanes(findings: Findings) -> None:
    for i, lane in enumerate(findings.scenario.lanes):
        for key, kinds in _LANE_ENDS.items():
            _kind(findings, ("lanes", i, key), getattr(lane, key), kinds, f"no lane has it as its {key}")
        if lane.origin == lane.destination:
            findings.broken.add("lanes")
            findings.add(
                ("lanes", i, "destination"),
                "lane-to-itself",
                "the lane ends where it begins",
                "name another site",
                value=lane.destination,
            )
        vehicle = _vehicle(findings, lane.vehicle)
        if vehicle is not None and vehicle.role != "linehaul":
            findings.add(
                ("lanes", i, "vehicle"),
                "wrong-role",
                f"lanes are driven by linehaul vehicles; this one is for {vehicle.role}",
                'name a vehicle with role = "linehaul"',
                value=lane.vehicle,
            )


def _fleet(findings: Findings) -> None:
    scenario = findings.scenario
    with_vans: set[str] = set()
    for i, fleet in enumerate(scenario.fleet):
        _kind(
            findings,
            ("fleet", i, "site"),
            fleet.site,
            ("station",),
            "delivery vehicles are based at stations",
        )
        vehicle = _vehicle(findings, fleet.vehicle)
        if vehicle is None:
            with_vans.add(fleet.site)  # it may be one
        elif vehicle.role == "linehaul":
            findings.add(
                ("fleet", i, "vehicle"),
                "wrong-role",
                "linehaul vehicles belong to lanes, not to the fleet of a station",
                'name a vehicle with role = "delivery" or "drone"',
                value=fleet.vehicle,
            )
        elif vehicle.role == "delivery" and fleet.count:
            with_vans.add(fleet.site)
    if not findings.sound("fleet"):
        return
    named: set[str] = set()
    for i, area in enumerate(scenario.areas):
        if (
            area.station not in with_vans
            and area.station not in named
            and area.station in findings.ids("sites")
        ):
            named.add(area.station)
            findings.add(
                ("areas", i, "station"),
                "no-vehicles",
                "no delivery vehicle is based at this station",
                f'add a [[fleet]] with site = "{area.station}"',
                value=area.station,
            )


def _vehicles(findings: Findings) -> None:
    scenario = findings.scenario
    if not any(vehicle.role == "delivery" for vehicle in scenario.vehicles):
        if findings.sound("vehicles"):
            findings.add(
                ("vehicles",), "no-vehicles", "no vehicle delivers", 'add one with role = "delivery"'
            )
    elif findings.sound("vehicles", "sites", "areas", "fleet", "lanes"):
        _large_parcels(findings)
    for i, vehicle in enumerate(scenario.vehicles):
        if vehicle.role == "drone" and not drones.within_range(vehicle, 1000.0, vehicle.capacity_g, 30.0):
            findings.add(
                ("vehicles", i, "capacity_g"),
                "drone-capacity",
                "fully loaded, the drone can't fly 1 km out and back and keep its reserve",
                "lower capacity_g, or raise battery_j",
                value=vehicle.capacity_g,
            )


def _large_parcels(findings: Findings) -> None:
    """Report sizes of parcels that no van of a station, or no truck of a lane, can carry."""
    scenario, demand = findings.scenario, findings.scenario.demand
    if demand is None:
        return
    kinds = {vehicle.id: vehicle for vehicle in scenario.vehicles}
    suppliers = {site.id for site in scenario.sites if site.kind == "supplier"}
    carriers = [
        (f"lane {lane.id}", [kinds[lane.vehicle]])
        for lane in scenario.lanes
        if lane.origin not in suppliers and kinds[lane.vehicle].role == "linehaul"
    ]
    for station in sorted({area.station for area in scenario.areas}):
        vans = [kinds[fleet.vehicle] for fleet in scenario.fleet if fleet.site == station]
        vans = [van for van in vans if van.role == "delivery"]
        if vans:
            carriers.append((f"station {station}", vans))
    for key, limit, capacity in (
        ("max_parcel_g", demand.max_parcel_g, "capacity_g"),
        ("max_parcel_ml", demand.max_parcel_ml, "capacity_ml"),
    ):
        room = {name: max(getattr(vehicle, capacity) for vehicle in fleet) for name, fleet in carriers}
        small = {name: most for name, most in room.items() if limit > most}
        if small:
            least = min(small.values())
            findings.add(
                ("demand", key),
                "parcel-too-large",
                f"a parcel of that size fits no vehicle of {', '.join(list(small)[:6])} (largest: {least})",
                f"write at most {least}, or give them a larger vehicle",
                value=limit,
            )


def check_containers(findings: Findings, tables: Tables) -> None:
    """Report containers of the sort plan too small for a usual parcel of any size class or kind of item.

    A larger parcel fills a container by itself, so some may be; where all are, the container is a slip. Items
    of tables and order files may be of any size.
    """
    scenario, demand, catalogue = findings.scenario, findings.scenario.demand, findings.scenario.catalogue
    sound = findings.sound("containers", "sort_plan", "demand", "catalogue")
    if not sound or demand is None or catalogue is None or scenario.sort_plan is None:
        return
    if demand.order_file is not None or catalogue.path is not None:
        return
    usual = [(size.weight_g, size.volume_ml) for size in demand.sizes]
    usual += [(rule.weight_g, rule.volume_ml) for rule in catalogue.rules or [GENERAL]]
    rows = [*scenario.sort_plan.rows, *tables.plan]
    used = {row.container for row in rows} | {scenario.sort_plan.container}
    if scenario.sort_plan.derive and scenario.sort_plan.container is None:
        used |= {container.id for container in scenario.containers}
    for i, container in enumerate(scenario.containers):
        least = (min(weight for weight, _ in usual), min(volume for _, volume in usual))
        for key, room, most in zip(
            ("capacity_g", "capacity_ml"), (container.capacity_g, container.capacity_ml), least, strict=True
        ):
            if container.id in used and room < most:
                findings.add(
                    ("containers", i, key),
                    "container-too-small",
                    f"the smallest usual parcel has {most:g}: each would fill a container by itself",
                    f"write at least {most:g}, or another container into the sort plan",
                    value=room,
                )


def _roads(findings: Findings) -> None:
    roads = findings.scenario.roads
    if roads is None:
        return
    if roads.kind == "great-circle" and roads.speeds_kmh is None:
        findings.add(
            ("roads", "speeds_kmh"),
            "missing-key",
            "great-circle roads need speeds",
            "add speeds_kmh = a list of 24 speeds",
        )
    if roads.kind != "great-circle" and roads.path is None:
        findings.add(("roads", "path"), "missing-key", f"{roads.kind} roads need a file", 'add path = "..."')
    for key in ("speeds_kmh", "linehaul_speeds_kmh"):
        for hour, speed in enumerate(getattr(roads, key) or ()):
            if speed == 0:
                findings.add(
                    ("roads", key, hour),
                    "zero-speed",
                    f"nothing would ever arrive that drives from {hour:02d}:00 to {hour + 1:02d}:00",
                    "write a speed above 0",
                    value=speed,
                )


def _demand(findings: Findings) -> None:
    demand = findings.scenario.demand
    if demand is None:
        return
    if not demand.streams and demand.volumes is None and demand.order_file is None:
        findings.add(
            ("demand",), "no-demand", "nothing is ordered", "add [[demand.streams]], volumes or an order_file"
        )
    kinds = {site.id: site.kind for site in findings.scenario.sites}
    for i, stream in enumerate(demand.streams):
        place: Location = ("demand", "streams", i)
        for name in stream.origins:
            why = "parcels start at warehouses, merchants, hubs or stations"
            allowed = ("warehouse", "merchant", "hub", "station")
            _kind(findings, (*place, "origins", name), name, allowed, why)
        if any(kinds.get(name, "warehouse") != "warehouse" for name in stream.origins) and not stream.sizes:
            findings.add(
                (*place, "sizes"),
                "missing-key",
                "parcels that don't come from a warehouse need size classes",
                "add sizes = { id of demand.sizes = weight }",
            )
        for key in ("origins", "services", "sizes", "areas", "hourly"):
            weights = getattr(stream, key)
            given = list(weights.values()) if isinstance(weights, dict) else list(weights)
            if stream.per_day > 0 and not sum(given) and (given or key in ("origins", "services")):
                findings.add(
                    (*place, key),
                    "no-weight",
                    "nothing has a weight above 0",
                    "give one a weight",
                    value=weights,
                )
        area_weights = [area.weight for area in findings.scenario.areas]
        if stream.per_day > 0 and not stream.areas and area_weights and not sum(area_weights):
            findings.add(
                (*place, "areas"), "no-weight", "no area has a weight above 0", "give areas their weights"
            )
    if demand.order_file is not None:
        place = ("demand", "order_file")
        name = demand.order_file.warehouse
        _kind(findings, (*place, "warehouse"), name, ("warehouse",), "orders are packed in a warehouse")
        if demand.order_file.places == "buildings" and demand.order_file.buildings_path is None:
            findings.add(
                (*place, "buildings_path"),
                "missing-key",
                'places = "buildings" needs a file with buildings',
                "add buildings_path = an .osm.pbf",
            )
