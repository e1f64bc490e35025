from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.demand import build_demand
from logistics.promises import promise_s
from logistics.scenario import Scenario
from logistics.tables import HOME, LOCKER, MERCHANT, Demand
from logistics.volumes import apportioned, read_volumes, volume_faults
from solvers.errors import InvalidInputError
from tests.logistics.demand_support import HOURLY, scenario, stream, streams

VOLUMES = "origin,area,service,hour,size_class,parcels\n"


def built(section: Scenario, folder: Path = Path(), seed: int = 1) -> Demand:
    return build_demand(section, streams(seed), folder)


def rows(demand: Demand) -> dict[str, tuple[object, ...]]:
    """Everything about each order, by reference."""
    lines: dict[int, list[tuple[int, int]]] = {}
    for parcel, item, units in zip(
        demand.lines.parcel.tolist(), demand.lines.item.tolist(), demand.lines.quantity.tolist(), strict=True
    ):
        lines.setdefault(int(demand.parcels.order[parcel]), []).append((item, units))
    size = dict(
        zip(
            demand.parcels.order.tolist(),
            zip(demand.parcels.weight_g.tolist(), demand.parcels.volume_ml.tolist(), strict=True),
            strict=True,
        )
    )
    return {
        str(reference): (
            int(demand.orders.placed_s[row]),
            float(demand.places.lon[demand.orders.place[row]]),
            int(demand.orders.service[row]),
            int(demand.orders.origin[row]),
            int(demand.orders.promise_s[row]),
            tuple(lines.get(row, [])) or size[row],
        )
        for row, reference in enumerate(demand.orders.reference)
    }


def test_stream_from_warehouses() -> None:
    section = scenario(
        {"streams": [stream(per_day=3000, lines_per_order=1.5, units_per_line=1.2, locker_share=0.3)]}
    )
    demand = built(section)
    orders = demand.orders
    assert len(orders) == 3000
    assert (np.diff(orders.placed_s) >= 0).all()
    assert set(orders.origin.tolist()) == {0, 1}
    assert (orders.origin == 1).mean() == pytest.approx(0.75, abs=0.03)
    assert (orders.service == 1).mean() == pytest.approx(0.8, abs=0.03)
    expected = np.array(HOURLY) / sum(HOURLY)
    hours = np.bincount(orders.placed_s // 3600, minlength=24) / 3000
    assert np.abs(hours - expected).max() < 0.02
    assert (hours[expected == 0] == 0).all()
    for row, service in enumerate(section.services):
        mine = orders.service == row
        assert (orders.promise_s[mine] == promise_s(service, orders.placed_s[mine], section.scenario)).all()
    assert len(demand.items) == 1000
    per_order = np.bincount(demand.parcels.order[demand.lines.parcel], weights=demand.lines.quantity)
    assert per_order.mean() == pytest.approx(1.5 * 1.2, rel=0.05)
    homes = demand.places.area[orders.place]
    assert (homes == 1).mean() == pytest.approx(0.5, abs=0.03)  # weights 1, 2, 1
    to_locker = demand.places.kind[orders.place] == LOCKER
    assert to_locker.mean() == pytest.approx(0.3 * 0.75, abs=0.03)  # the islands have no locker
    assert set(demand.places.kind.tolist()) == {HOME, LOCKER, MERCHANT}


def test_popular_items_are_ordered_more() -> None:
    section = scenario({"streams": [stream(per_day=4000)]}, catalogue={"items": 50, "zipf": 1.0})
    demand = built(section)
    units = np.bincount(demand.lines.item, minlength=50)
    assert units[0] > 2.5 * units[4] > 2.5 * units[49]


def test_origin_destination_parcels() -> None:
    section = scenario(
        {
            "streams": [
                stream(
                    origins={"mill": 1, "hub": 1},
                    per_day=4000,
                    sizes={"small": 3, "large": 1},
                    areas={"hills": 1},
                )
            ]
        }
    )
    demand = built(section)
    parcels = demand.parcels
    assert len(demand.orders) == len(parcels) == 4000
    assert len(demand.lines) == 0
    assert (parcels.units == 1).all()
    large = parcels.size_class == 1
    assert large.mean() == pytest.approx(0.25, abs=0.02)
    assert np.median(parcels.weight_g[~large]) == pytest.approx(400, rel=0.05)
    assert np.log(parcels.weight_g[~large]).std() == pytest.approx(0.3, rel=0.1)
    assert parcels.weight_g.max() == section.demand.max_parcel_g  # the tail is cut there
    assert set(demand.places.area[demand.orders.place].tolist()) == {1}


def test_lockers_are_the_nearest_of_the_station() -> None:
    section = scenario(
        {"streams": [stream(per_day=500, locker_share=1.0, areas={"old-town": 1, "hills": 1})]}
    )
    demand = built(section)
    sites = demand.places.site[demand.orders.place]
    assert set(sites.tolist()) <= {4, 5}
    assert (demand.places.area[demand.orders.place[sites == 4]] == 1).all()
    assert (demand.places.area[demand.orders.place[sites == 5]] == 0).all()
    assert (sites == 4).mean() == pytest.approx(0.5, abs=0.08)


@given(st.floats(0.0, 2.0), st.floats(0.0, 2.0))
def test_a_smaller_stream_is_part_of_a_larger(one: float, other: float) -> None:
    small, large = sorted((one, other))
    demands = [
        built(scenario({"scale": scale, "streams": [stream(per_day=60, lines_per_order=2.0)]}))
        for scale in (small, large)
    ]
    assert [len(demand.orders) for demand in demands] == [round(60 * small), round(60 * large)]
    few, many = rows(demands[0]), rows(demands[1])
    assert few.items() <= many.items()


def test_streams_and_areas_do_not_disturb_each_other() -> None:
    alone = built(scenario({"streams": [stream(per_day=50)]}))
    volumes = scenario(
        {"streams": [stream(per_day=50), stream(per_day=70, origins={"mill": 1}, sizes={"small": 1})]}
    )
    both = built(volumes)
    assert rows(alone).items() <= rows(both).items()
    fewer = scenario({"streams": [stream(per_day=50)]})
    fewer = fewer.model_copy(update={"areas": fewer.areas[1:]})
    first = built(fewer).places
    kept = alone.places.area == 1
    assert (first.lon[first.area == 0][:200] == alone.places.lon[kept][:200]).all()


def test_another_seed_gives_other_orders() -> None:
    section = scenario({"streams": [stream(per_day=50)]})
    assert rows(built(section, seed=1)) == rows(built(section, seed=1))
    assert rows(built(section, seed=1)) != rows(built(section, seed=2))


def test_two_thirds_of_the_places_lie_within_the_radius() -> None:
    section = scenario({})
    area = section.areas[0].model_copy(update={"places": 20_000})
    places = built(section.model_copy(update={"areas": [area]})).places
    homes = places.kind == HOME
    metres = 6_371_008.8 * np.radians(
        np.hypot((places.lon[homes] - area.lon) * np.cos(np.radians(area.lat)), places.lat[homes] - area.lat)
    )
    assert (metres <= area.radius_m).mean() == pytest.approx(2 / 3, abs=0.015)


def test_more_places_only_add_places() -> None:
    section = scenario({})
    larger = section.model_copy(update={"areas": [section.areas[0].model_copy(update={"places": 900})]})
    few, many = built(section).places, built(larger).places
    assert (few.lon[:300] == many.lon[:300]).all()


def test_streams_run_for_days_and_spread_fractions() -> None:
    demand = built(scenario({"streams": [stream(per_day=10.4, days=5)]}))
    day = demand.orders.placed_s // 86_400
    assert len(day) == 52
    assert set(np.bincount(day).tolist()) <= {10, 11}


def test_a_start_at_noon_moves_the_morning_to_the_next_day() -> None:
    section = scenario(
        {"streams": [stream(per_day=500)]},
        scenario={"name": "noon", "start": "2026-11-11T12:00:00+08:00", "timezone": "Asia/Shanghai"},
    )
    placed = built(section).orders.placed_s
    assert placed.min() >= 0
    assert placed.max() < 86_400
    hours = np.bincount((placed + 12 * 3600) // 3600 % 24, minlength=24)
    assert (hours[np.array(HOURLY) == 0] == 0).all()
    assert hours[8] > 0


# volumes


@pytest.fixture
def volumes(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        (tmp_path / "volumes.csv").write_text(VOLUMES + text)
        return tmp_path

    return write


ROWS = """mill,old-town,next,9,small,12
mill,hills,next,9,small,7.5
hub,hills,rush,23,large,3.5
station,islands,next,0,large,1
mill,old-town,next,9,small,4
"""


def test_volumes_are_exact(volumes: Callable[[str], Path]) -> None:
    folder = volumes(ROWS)
    section = scenario({"volumes": "volumes.csv"})
    demand = built(section, folder)
    assert len(demand.orders) == 28
    cells = {}
    for row in range(28):
        parcel = int(np.flatnonzero(demand.parcels.order == row)[0])
        key = (
            section.sites[demand.orders.origin[row]].id,
            section.areas[demand.places.area[demand.orders.place[row]]].id,
            section.services[demand.orders.service[row]].id,
            int(demand.orders.placed_s[row]) // 3600,
            section.demand.sizes[demand.parcels.size_class[parcel]].id,
        )
        cells[key] = cells.get(key, 0) + 1
    assert cells.pop(("mill", "old-town", "next", 9, "small")) == 16
    assert cells.pop(("station", "islands", "next", 0, "large")) == 1
    assert cells.pop(("mill", "hills", "next", 9, "small")) in (7, 8)
    assert cells.pop(("hub", "hills", "rush", 23, "large")) in (3, 4)
    assert not cells


@pytest.mark.parametrize(("small", "large"), [(0.3, 0.31), (0.5, 1.0), (1.0, 1.2), (1.2, 3.0)])
def test_a_smaller_volume_is_part_of_a_larger(
    volumes: Callable[[str], Path], small: float, large: float
) -> None:
    folder = volumes(ROWS)
    demands = [
        built(scenario({"volumes": "volumes.csv", "scale": scale}), folder) for scale in (small, large)
    ]
    assert [len(demand.orders) for demand in demands] == [round(28 * small), round(28 * large)]
    assert rows(demands[0]).items() <= rows(demands[1]).items()


@given(
    st.lists(st.integers(0, 400).map(lambda n: n / 8), min_size=1, max_size=30),
    st.lists(st.floats(0.0, 3.0), min_size=2, max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_apportioning(expected: list[float], scales: list[float], seed: int) -> None:
    counts = np.array(expected)
    offset = np.random.default_rng(seed).random(len(counts))
    before = np.zeros(len(counts))
    for scale in sorted(scales):
        now = apportioned(counts, scale, offset)
        assert now.sum() == round(float(counts.sum()) * scale)
        assert (now >= before).all()
        before = now
    whole = np.floor(counts)
    assert (apportioned(whole, 1.0, offset) == whole).all()


def test_apportioning_favours_no_row() -> None:
    offset = np.random.default_rng(5).random(3000)
    counts = apportioned(np.full(3000, 0.3), 1.0, offset)
    assert counts.sum() == 900
    assert set(counts.tolist()) == {0, 1}
    assert counts[:1500].sum() == pytest.approx(450, abs=60)


def test_all_faults_of_a_volume_table_in_one_pass(volumes: Callable[[str], Path]) -> None:
    folder = volumes(
        "moon,old-town,next,9,small,1\n"
        "north,nowhere,slow,24,huge,-3\n"
        "mill,hills,next,x,small,many\n"
        "maker,hills,next,5,small,nan\n"
        "mill,hills,next,7,small,2\n"
    )
    section = scenario({"volumes": "volumes.csv"})
    found = [(fault.place, fault.code) for fault in volume_faults(section, folder)]
    assert sorted(found) == sorted(
        [
            ("row 2, column origin", "unknown-origin"),
            ("row 3, column origin", "bad-origin"),
            ("row 3, column area", "unknown-area"),
            ("row 3, column service", "unknown-service"),
            ("row 3, column hour", "bad-hour"),
            ("row 3, column size_class", "unknown-size-class"),
            ("row 3, column parcels", "negative-demand"),
            ("row 4, column hour", "bad-hour"),
            ("row 4, column parcels", "bad-number"),
            ("row 5, column origin", "bad-origin"),
            ("row 5, column parcels", "bad-number"),
        ]
    )
    with pytest.raises(InvalidInputError):
        read_volumes(section, folder)


def test_absent_columns_and_files(tmp_path: Path) -> None:
    (tmp_path / "volumes.csv").write_text("origin,area\nmill,hills\n")
    faults = volume_faults(scenario({"volumes": "volumes.csv"}), tmp_path)
    assert [fault.code for fault in faults] == ["absent-column"] * 4
    faults = volume_faults(scenario({"volumes": "none.csv"}), tmp_path)
    assert [fault.code for fault in faults] == ["missing-file"]
    assert volume_faults(scenario({}), tmp_path) == []


def test_no_demand_at_all() -> None:
    demand = built(scenario({}))
    assert len(demand.orders) == 0
    assert len(demand.parcels) == 0
    assert len(demand.places) == 553


def test_catalogue_table_serves_streams(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(
        "code,category,weight_g,volume_ml,price_minor,handling\nmug,kitchen,350,900,799,fragile\n"
    )
    demand = built(scenario({"streams": [stream(per_day=20)]}, catalogue={"path": "items.csv"}), tmp_path)
    assert demand.items.code.tolist() == ["mug"]
    assert (demand.parcels.weight_g == 350 * demand.parcels.units).all()
