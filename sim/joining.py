"""Joins what an earlier run left open with the demand of the run that goes on: one `Demand` for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from logistics.network import rows
from logistics.scenario import Scenario
from logistics.tables import (
    NOBODY,
    Cancellations,
    Demand,
    Items,
    Lines,
    Orders,
    Parcels,
    Places,
    RowArray,
)
from sim.draws import KeyArray, parcel_keys
from sim.state import RunState
from solvers.errors import Fault, InvalidInputError


@dataclass(frozen=True, slots=True)
class Joined:
    """Carried parcels first, then those of the new demand that come at or after `begins_s`."""

    demand: Demand
    keys: KeyArray
    carried: int  # parcels
    earlier_orders: int  # of the new demand, placed before the moment of the state: left to the earlier run
    begins_s: float


def join(scenario: Scenario, new: Demand, state: RunState) -> Joined:
    """The demand of a run that goes on from a state.

    Raises `InvalidInputError` where there is nothing to go on with.
    """
    shift = state.shift_s(scenario)
    begins_s = max(0.0, float(state.header["cut_s"]) + shift)
    kept = new.orders.placed_s >= (begins_s if begins_s > 0 else -np.inf)
    fresh = _selected(new, kept)
    table = state.columns("parcels")
    count = len(table["key"])
    if not count and not len(fresh.parcels):
        raise InvalidInputError(
            [
                Fault(
                    "", "scenario.start", scenario.scenario.start.isoformat(), "nothing-to-run",
                    f"nothing was left open at {state.moment.isoformat()}, and no order comes after it",
                    "set scenario.start to that moment or later",
                )
            ]
        )  # fmt: skip
    sites, services = rows(scenario.sites), rows(scenario.services)
    areas, sizes = rows(scenario.areas), rows(scenario.demand.sizes)
    place, places = _places(new.places, table, sites, areas)
    first_parcel = np.flatnonzero(np.diff(table["order"], prepend=-1))
    reference = _told_apart(table["reference"][first_parcel], fresh, state.header["start"])
    orders = Orders(
        reference=_chained(reference, fresh.orders.reference),
        placed_s=_chained(table["placed_s"][first_parcel] + shift, fresh.orders.placed_s),
        place=_chained(place[first_parcel], fresh.orders.place),
        service=_chained(coded(table["service"][first_parcel], services), fresh.orders.service),
        promise_s=_chained(table["promise_s"][first_parcel] + shift, fresh.orders.promise_s),
        origin=_chained(coded(table["origin"][first_parcel], sites), fresh.orders.origin),
    )
    lines = state.columns("lines")
    per_parcel = np.bincount(lines["parcel"], minlength=count)
    bounds = np.concatenate([[0], np.cumsum(per_parcel)]).astype(np.int64)
    parcels = Parcels(
        order=_chained(table["order"], fresh.parcels.order + len(first_parcel)),
        weight_g=_chained(table["weight_g"], fresh.parcels.weight_g),
        volume_ml=_chained(table["volume_ml"], fresh.parcels.volume_ml),
        units=_chained(table["units"], fresh.parcels.units),
        first_line=_chained(bounds[:-1], fresh.parcels.first_line + bounds[-1]),
        size_class=_chained(coded(table["size_class"], sizes), fresh.parcels.size_class),
    )
    items = _items(new.items, state.columns("items"))
    item = {code: row for row, code in enumerate(items.code.tolist())}
    demand = Demand(
        places,
        orders,
        parcels,
        Lines(
            parcel=_chained(lines["parcel"], fresh.lines.parcel + count),
            item=_chained(coded(lines["item"], item), fresh.lines.item),
            quantity=_chained(lines["quantity"], fresh.lines.quantity),
        ),
        items,
        _cancellations(state.columns("cancellations"), shift, fresh.cancellations, len(lines["parcel"])),
        new.cleaning,
    )
    keys = parcel_keys(fresh, round(scenario.scenario.start.timestamp()))
    return Joined(demand, _chained(table["key"], keys), count, int((~kept).sum()), begins_s)


def _selected(demand: Demand, kept: Any) -> Demand:
    """The demand of some of its orders; places and items stay."""
    if kept.all():
        return demand
    orders, parcels, lines = demand.orders, demand.parcels, demand.lines
    parcel = kept[parcels.order]
    line = parcel[lines.parcel]
    cancelled = line[demand.cancellations.line]
    per_parcel = np.diff(parcels.first_line)[parcel]
    return Demand(
        demand.places,
        Orders(**{name: getattr(orders, name)[kept] for name in Orders.__slots__}),
        Parcels(
            order=_renumbered(kept)[parcels.order[parcel]],
            weight_g=parcels.weight_g[parcel],
            volume_ml=parcels.volume_ml[parcel],
            units=parcels.units[parcel],
            first_line=np.concatenate([[0], np.cumsum(per_parcel)]).astype(np.int64),
            size_class=parcels.size_class[parcel],
        ),
        Lines(_renumbered(parcel)[lines.parcel[line]], lines.item[line], lines.quantity[line]),
        demand.items,
        Cancellations(
            demand.cancellations.at_s[cancelled],
            _renumbered(line)[demand.cancellations.line[cancelled]],
            demand.cancellations.quantity[cancelled],
        ),
        demand.cleaning,
    )


def _told_apart(reference: Any, fresh: Demand, start: str) -> Any:
    """References of carried orders; those that new orders bear too get the earlier run's start behind an "@"."""
    taken = set(fresh.orders.reference.tolist())
    told = [f"{name}@{start}" if name in taken else name for name in reference.tolist()]
    result = np.empty(len(told), dtype=object)
    result[:] = told
    return result


def _renumbered(kept: Any) -> RowArray:
    """New row numbers of the rows that are kept."""
    return (np.cumsum(kept) - 1).astype(np.int32)


def _places(
    new: Places, table: Mapping[str, Any], sites: Mapping[str, int], areas: Mapping[str, int]
) -> tuple[RowArray, Places]:
    """The place of each carried parcel, and all places: an address that both runs know is one place."""
    site, area = coded(table["place_site"], sites), coded(table["area"], areas)
    known: dict[tuple[Any, ...], int] = {}
    columns = (new.lon, new.lat, new.kind, new.site, new.area)
    for row, values in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        known.setdefault(values, row)
    place = np.empty(len(site), dtype=np.int32)
    added: list[tuple[Any, ...]] = []
    carried = (table["lon"], table["lat"], table["place_kind"], site, area)
    for k, values in enumerate(zip(*(column.tolist() for column in carried), strict=True)):
        same = int(table["place"][k])  # two customers may live at one point: then the number tells which
        if same < len(new) and all(values[i] == columns[i][same] for i in range(len(columns))):
            place[k] = same
            continue
        if values not in known:
            known[values] = len(new) + len(added)
            added.append(values)
        place[k] = known[values]
    more = list(zip(*added, strict=True)) if added else [()] * 5
    return place, Places(
        lon=_chained(new.lon, np.array(more[0], dtype=np.float64)),
        lat=_chained(new.lat, np.array(more[1], dtype=np.float64)),
        kind=_chained(new.kind, np.array(more[2], dtype=np.int32)),
        site=_chained(new.site, np.array(more[3], dtype=np.int32)),
        area=_chained(new.area, np.array(more[4], dtype=np.int32)),
    )


def _items(new: Items, table: Mapping[str, Any]) -> Items:
    """The new run's items, and those that only the earlier one knew."""
    known = set(new.code.tolist())
    other = np.array([code not in known for code in table["item"].tolist()], dtype=np.bool_)
    return Items(
        code=_chained(new.code, table["item"][other]),
        category=_chained(new.category, table["category"][other]),
        weight_g=_chained(new.weight_g, table["weight_g"][other]),
        volume_ml=_chained(new.volume_ml, table["volume_ml"][other]),
        price_minor=_chained(new.price_minor, table["price_minor"][other]),
        handling=_chained(new.handling, table["handling"][other]),
    )


def _cancellations(table: Mapping[str, Any], shift: int, fresh: Cancellations, lines: int) -> Cancellations:
    at_s = _chained(table["at_s"] + shift, fresh.at_s)
    order = np.argsort(at_s, kind="stable")
    return Cancellations(
        at_s[order],
        _chained(table["line"], fresh.line + lines)[order],
        _chained(table["quantity"], fresh.quantity)[order],
    )


def coded(names: Any, numbers: Mapping[str, int]) -> RowArray:
    """Numbers of names, NOBODY for null and for names that this scenario lacks."""
    return np.array([numbers.get(name, NOBODY) for name in names], dtype=np.int32)


def _chained(first: Any, second: Any) -> Any:
    """One array of two, of the type of the second, which the new demand's builder chose."""
    return np.concatenate([np.asarray(first).astype(second.dtype), second])
