"""Demand: all that is ordered in a run, from volumes, streams and an order file, as one set of tables."""

from __future__ import annotations

from pathlib import Path

from logistics.catalogue import joined, made_up_items, no_items, read_catalogue
from logistics.order_file import OrdersOfFile, file_orders
from logistics.orders import assembled, joined_batches
from logistics.paths import resolve
from logistics.places import Random, addresses
from logistics.scenario import Scenario
from logistics.streams import stream_orders
from logistics.tables import Demand, Items
from logistics.volumes import read_volumes, volume_orders


def build_demand(scenario: Scenario, random: Random, data_root: Path) -> Demand:
    """The demand of one run.

    `random(entity, purpose)` gives a generator of its own for each pair, the same one for the same seed and
    replication. Paths in the scenario are relative to `data_root`, its folder. The draws are arranged for
    common random numbers: places belong to their area, and a scaled demand keeps the orders it shares.

    Raises `InvalidInputError` with the faults of the files that the scenario names.
    """
    homes = addresses(scenario, random)
    places = homes.places
    batches = []
    items = no_items()
    cleaning = None
    if scenario.demand.order_file is not None:
        of_file: OrdersOfFile = file_orders(scenario, homes, random, data_root)
        batches.append(of_file.batch)
        items, places, cleaning = of_file.items, of_file.places, of_file.cleaning
    if scenario.demand.streams:
        first = len(items)
        offered = stream_items(scenario, random, data_root)
        items = joined(items, offered)
        for number, stream in enumerate(scenario.demand.streams):
            batches.append(stream_orders(number, stream, scenario, homes, offered, random, first_item=first))
    if scenario.demand.volumes is not None:
        batches.append(volume_orders(read_volumes(scenario, data_root), scenario, homes, random))
    orders, parcels, lines, cancellations = assembled(
        joined_batches(batches), items, scenario.demand.max_parcel_g, scenario.demand.max_parcel_ml
    )
    return Demand(places, orders, parcels, lines, items, cancellations, cleaning)


def stream_items(scenario: Scenario, random: Random, root: Path) -> Items:
    """What streams order: the table, else made-up items; none where nothing leaves a warehouse."""
    warehouses = {site.id for site in scenario.sites if site.kind == "warehouse"}
    if not any(warehouses & stream.origins.keys() for stream in scenario.demand.streams):
        return no_items()
    if scenario.catalogue.path is not None:
        return read_catalogue(resolve(scenario.catalogue.path, root))
    return made_up_items(scenario.catalogue, random("catalogue", "items"))
