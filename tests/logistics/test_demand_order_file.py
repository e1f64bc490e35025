from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from logistics.demand import build_demand
from logistics.order_file import AFTER_END, BEFORE_START, order_file_faults
from logistics.places import nearest_point
from logistics.scenario import Scenario
from logistics.tables import Demand
from solvers.errors import InvalidInputError
from tests.logistics.demand_support import scenario, streams

HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID"
ROWS = """1,22001,RED MUG,5,2010-11-01 10:00:00,2.00,7
1,22002,GLASS JAR,3,2010-11-01 10:00:00,8.00,7
2,22001,RED MUG,40,2010-11-03 09:30:00,2.00,8
3,22001,RED MUG,1,2010-11-05 09:30:00,2.00,7
4,22003,TEA POT,1,2010-11-05 18:45:00,4.00,
C5,22001,RED MUG,-2,2010-11-04 08:00:00,2.00,7
C6,22001,RED MUG,-39,2010-11-06 20:00:00,2.00,8
C7,22009,NEVER,-1,2010-11-06 20:00:00,2.00,8
"""
RULES = [
    {"match": "glass", "category": "fragile", "weight_g": 900, "volume_ml": 2000, "handling": "fragile"},
    {"category": "home", "weight_g": 1000, "volume_ml": 3000},
]


def of_file(
    folder: Path, text: str = ROWS, *, scale: float = 1.0, header: str = HEADER, **changes: Any
) -> Scenario:
    (folder / "orders.csv").write_text(f"{header}\n{text}")
    section = {"path": "orders.csv", "warehouse": "south", "service": "next", "one_day": True, **changes}
    return scenario(
        {"order_file": section, "scale": scale, "max_parcel_g": 20_000}, catalogue={"rules": RULES}
    )


def built(section: Scenario, folder: Path, seed: int = 1) -> Demand:
    return build_demand(section, streams(seed), folder)


def test_orders_are_laid_on_one_day(tmp_path: Path) -> None:
    demand = built(of_file(tmp_path), tmp_path)
    orders = demand.orders
    assert orders.reference.tolist() == ["2", "3", "1", "4"]
    assert orders.placed_s.tolist() == [34_200, 34_200, 36_000, 67_500]
    assert set(orders.origin.tolist()) == {1}
    assert orders.promise_s.tolist() == [45 * 3600] * 3 + [69 * 3600]  # the last came after the cut-off
    assert demand.items.code.tolist() == ["22001", "22002", "22003"]
    assert demand.items.weight_g.tolist() == [1000, 900, 1000]
    assert demand.items.price_minor.tolist() == [200, 800, 400]
    assert np.bincount(demand.parcels.order).tolist() == [2, 1, 1, 1]  # 40 kg go as two parcels
    assert demand.lines.quantity.sum() == 50
    assert demand.cleaning is not None
    assert (demand.cleaning.lines_read, demand.cleaning.lines_kept) == (8, 7)


def test_cancellations_apply_at_their_time_but_after_the_order(tmp_path: Path) -> None:
    demand = built(of_file(tmp_path), tmp_path)
    taken = demand.cancellations
    order = demand.parcels.order[demand.lines.parcel[taken.line]]
    found = list(
        zip(demand.orders.reference[order], taken.at_s.tolist(), taken.quantity.tolist(), strict=True)
    )
    # C5 at 08:00 takes back what order 1 (10:00) brought; C6 takes whole parcels, the last one first
    assert found == [("1", 36_001, 2), ("2", 72_000, 20), ("2", 72_000, 19)]


def test_real_times_from_the_start_on(tmp_path: Path) -> None:
    section = of_file(tmp_path, one_day=False)
    general = section.scenario.model_dump() | {
        "start": "2010-11-03T00:00:00+00:00",
        "timezone": "Europe/London",
    }
    later = section.model_copy(update={"scenario": type(section.scenario).model_validate(general)})
    demand = built(later, tmp_path)
    assert demand.orders.reference.tolist() == ["2", "3", "4"]
    assert demand.orders.placed_s.tolist() == [34_200, 2 * 86_400 + 34_200, 2 * 86_400 + 67_500]
    assert demand.cleaning is not None
    assert demand.cleaning.dropped[BEFORE_START] == 3  # two lines and the cancellation of one of them
    assert demand.cleaning.adds_up


def test_orders_beyond_the_horizon_are_left_out(tmp_path: Path) -> None:
    """They would never be delivered, and make the mean demand that stock is set for too small."""
    section = of_file(tmp_path, one_day=False)
    general = section.scenario.model_dump() | {
        "start": "2010-11-03T00:00:00+00:00",
        "timezone": "Europe/London",
        "horizon_days": 2,
    }
    short = section.model_copy(update={"scenario": type(section.scenario).model_validate(general)})
    demand = built(short, tmp_path)
    assert demand.orders.reference.tolist() == ["2"]
    assert demand.cleaning is not None
    assert demand.cleaning.dropped[AFTER_END] > 0
    assert demand.cleaning.adds_up


def test_customers_stay_where_they_live(tmp_path: Path) -> None:
    whole = built(of_file(tmp_path), tmp_path)
    place = dict(zip(whole.orders.reference.tolist(), whole.orders.place.tolist(), strict=True))
    assert place["1"] == place["3"]
    assert len({place["1"], place["2"], place["4"]}) == 3
    fewer = built(of_file(tmp_path, "\n".join(ROWS.splitlines()[2:4]) + "\n"), tmp_path)
    assert {reference: place[reference] for reference in ("2", "3")} == dict(
        zip(fewer.orders.reference.tolist(), fewer.orders.place.tolist(), strict=True)
    )
    assert (
        dict(zip(whole.orders.reference, built(of_file(tmp_path), tmp_path, 2).orders.place, strict=True))
        != place
    )


MANY = "".join(
    f"{k},22001,MUG,{1 + k % 3},2010-11-{1 + k % 28:02d} {8 + k % 10:02d}:{k % 60:02d}:00,2,{k % 37}\n"
    f"C{k},22001,MUG,-1,2010-11-{1 + k % 28:02d} {19 + k % 4:02d}:00:00,2,{k % 37}\n"
    for k in range(200)
)


@pytest.mark.parametrize("scales", [(0.4, 1.0), (1.0, 1.5), (1.5, 3.0)])
def test_scale_keeps_shared_orders(tmp_path: Path, scales: tuple[float, float]) -> None:
    found = []
    for scale in scales:
        demand = built(of_file(tmp_path, MANY, scale=scale), tmp_path)
        orders = demand.orders
        assert len(orders) == round(200 * scale)
        assert len(set(orders.reference)) == len(orders)
        taken = demand.cancellations
        of = demand.parcels.order[demand.lines.parcel[taken.line]]
        assert (taken.at_s > orders.placed_s[of]).all()
        cancelled = np.bincount(of, weights=taken.quantity, minlength=len(orders))
        units = np.bincount(demand.parcels.order, weights=demand.parcels.units)
        assert (cancelled <= units).all()
        copies = np.array(["+" in reference for reference in orders.reference])
        assert copies.sum() == max(0, len(orders) - 200)
        found.append(
            {
                reference: (
                    int(orders.placed_s[row]),
                    int(orders.place[row]),
                    int(units[row]),
                    int(cancelled[row]),
                )
                for row, reference in enumerate(orders.reference)
            }
        )
    assert found[0].items() <= found[1].items()


def test_coordinates_of_the_file_are_places(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        '[columns]\norder = "o"\nitem = "i"\nquantity = "q"\ntime = "t"\nlon = "x"\nlat = "y"\n'
    )
    rows = "1,a,1,2010-11-01T10:00:00Z,120.31,30.41\n2,a,1,2010-11-01T11:00:00Z,120.31,30.41\n3,a,1,2010-11-01,,\n"
    section = of_file(tmp_path, rows, header="o,i,q,t,x,y", map="map.toml")
    demand = built(section, tmp_path)
    place = demand.orders.place
    by = dict(zip(demand.orders.reference.tolist(), place.tolist(), strict=True))
    assert by["1"] == by["2"] != by["3"]
    assert (demand.places.lon[by["1"]], demand.places.lat[by["1"]]) == (120.31, 30.41)
    assert demand.places.area[by["1"]] == 1
    assert by["3"] < 550  # a generated address
    assert len(demand.places) == 554


def test_faults_of_order_files(tmp_path: Path) -> None:
    assert order_file_faults(of_file(tmp_path), tmp_path) == []
    assert order_file_faults(scenario({}), tmp_path) == []
    nothing = of_file(tmp_path, from_time="2011-01-01T00:00:00")
    assert [fault.code for fault in order_file_faults(nothing, tmp_path)] == ["no-orders"]
    with pytest.raises(InvalidInputError, match="no-orders"):
        built(nothing, tmp_path)
    unknown = of_file(tmp_path, map="unknown.toml")
    assert [fault.code for fault in order_file_faults(unknown, tmp_path)] == ["missing-file"]
    bare = of_file(tmp_path)
    bare = bare.model_copy(update={"catalogue": bare.catalogue.model_copy(update={"rules": []})})
    assert [fault.code for fault in order_file_faults(bare, tmp_path)] == ["undescribed-item"] * 3
    homeless = of_file(tmp_path, places="buildings")
    with pytest.raises(InvalidInputError, match="buildings_path"):
        built(homeless, tmp_path)


def test_real_orders_at_real_buildings(data_dir: Callable[[str], Path]) -> None:
    root = data_dir("orders/uci-online-retail-2010.parquet").parents[1]
    data_dir("roads/osm")
    section = scenario(
        {
            "order_file": {
                "path": "orders/uci-online-retail-2010.parquet",
                "warehouse": "south",
                "service": "next",
                "from_time": "2010-11-01T00:00:00",
                "to_time": "2010-12-01T00:00:00",
                "one_day": True,
                "places": "buildings",
                "buildings_path": "roads/osm/liechtenstein.osm.pbf",
            }
        },
        catalogue={"rules": [{"category": "gifts", "weight_g": 150, "volume_ml": 700, "per_price": True}]},
    )
    demand = built(section, root)
    cleaning = demand.cleaning
    assert cleaning is not None
    assert cleaning.lines_read == 525_461
    assert cleaning.adds_up
    places = demand.places
    used = np.unique(demand.orders.place)
    assert 9.4 < places.lon[used].min() < places.lon[used].max() < 9.7
    assert 47.0 < places.lat[used].min() < places.lat[used].max() < 47.3
    assert (
        places.area[used]
        == nearest_point(
            np.stack([places.lon[used], places.lat[used]], axis=1),
            np.array([[area.lon, area.lat] for area in section.areas]),
        )
    ).all()
    assert demand.parcels.units.sum() == demand.lines.quantity.sum()
    small = demand.parcels.units > 1
    assert (demand.parcels.weight_g[small] <= section.demand.max_parcel_g).all()
    hours = demand.orders.placed_s // 3600
    assert set(hours.tolist()) <= set(range(7, 20))
    assert len(demand.cancellations) > 100
