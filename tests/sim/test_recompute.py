"""Delivery and conservation recomputed from a run folder's Parquet files with DuckDB and nothing of ours."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from logistics.templates import init
from logistics.validate import load_scenario
from sim.run import run_scenario
from sim.run_folder import write_run
from sim.twin import TwinOptions
from tests.sim.sample_run import finished

# what each move takes from one place and adds to another; row is the place in the order of events
CHANGES = """
WITH moves AS (
    SELECT * EXCLUDE file_row_number, file_row_number AS row
    FROM read_parquet('{folder}/moves.parquet', file_row_number = true)
),
changes AS (
    SELECT row, time_s, parcel, destination AS place, units FROM moves
    UNION ALL
    SELECT row, time_s, parcel, origin AS place, -units FROM moves WHERE origin IS NOT NULL
)
"""

# name -> query that counts violations
LAWS = {
    "moves are in the order of time": """
        SELECT count(*) FROM (SELECT time_s < lag(time_s) OVER (ORDER BY row) AS back FROM moves) WHERE back
    """,
    "a move takes units from where its parcel has them": """
        SELECT count(*) FROM (
            SELECT sum(units) OVER (PARTITION BY parcel, place ORDER BY row) AS held FROM changes
        ) WHERE held < 0
    """,
    "each move begins where the last one ended": """
        SELECT count(*) FROM (
            SELECT origin, lag(destination) OVER (PARTITION BY parcel ORDER BY row) AS was
            FROM moves
            WHERE NOT (destination = 'cancelled' AND units < (SELECT p.units FROM parcels p
                                                              WHERE p.parcel = moves.parcel))
        ) WHERE origin IS DISTINCT FROM was
    """,
    "no place holds less than nothing": """
        SELECT count(*) FROM (
            SELECT sum(units) OVER (PARTITION BY place ORDER BY row, units DESC) AS held FROM changes
        ) WHERE held < 0
    """,
    "every ordered unit came into the world once": """
        SELECT count(*) FROM parcels p LEFT JOIN (
            SELECT parcel, sum(units) AS units FROM moves WHERE origin IS NULL GROUP BY parcel
        ) AS born USING (parcel) WHERE p.units IS DISTINCT FROM born.units
    """,
    "every ordered unit is in one place at the end": """
        SELECT count(*) FROM parcels p LEFT JOIN (
            SELECT parcel, sum(units) AS units FROM changes GROUP BY parcel
        ) AS held USING (parcel) WHERE p.units IS DISTINCT FROM held.units
    """,
    "units end where the parcel's state says": """
        SELECT count(*) FROM (
            SELECT parcel, place, sum(units) AS held FROM changes GROUP BY parcel, place HAVING held <> 0
        ) AS last JOIN parcels p USING (parcel)
        WHERE CASE
            WHEN last.place = 'cancelled' THEN held <> p.units_cancelled
            WHEN p.state = 'delivered' THEN last.place <> 'customer'
            WHEN p.state = 'out_of_stock' THEN last.place <> 'out of stock'
            WHEN p.state = 'returned' THEN last.place <> 'returned'
            WHEN p.state = 'cancelled' THEN true
            ELSE last.place IN ('customer', 'out of stock', 'returned')
        END
    """,
    "cancelled units are cancelled": """
        SELECT count(*) FROM parcels p LEFT JOIN (
            SELECT parcel, sum(units) AS units FROM changes WHERE place = 'cancelled' GROUP BY parcel
        ) AS gone USING (parcel) WHERE p.units_cancelled <> coalesce(gone.units, 0)
    """,
    "delivered parcels reached the customer at their time": """
        SELECT count(*) FROM parcels p LEFT JOIN (
            SELECT parcel, max(time_s) AS handed_s FROM moves WHERE destination = 'customer' GROUP BY parcel
        ) AS handed USING (parcel)
        WHERE (p.state = 'delivered') <> (handed_s IS NOT NULL) OR (p.state = 'delivered' AND p.final_s <> handed_s)
    """,
}


def violations(folder: Path, law: str) -> int:
    head = CHANGES.format(folder=folder)
    parcels = f", parcels AS (SELECT * FROM read_parquet('{folder}/parcels.parquet'))"
    return int(duckdb.sql(head.rstrip() + parcels + LAWS[law]).fetchall()[0][0])


def figure(folder: Path, kpi: str, scope: str = "") -> float:
    query = f"SELECT value FROM '{folder}/kpis.parquet' WHERE kpi = '{kpi}' AND scope = '{scope}'"
    return float(duckdb.sql(query).fetchall()[0][0])


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recompute") / "run"
    scenario, tables, _ = finished()
    write_run(folder, scenario, tables, {"seed": 1})
    return folder


@pytest.mark.parametrize("law", LAWS)
def test_conservation_can_be_recomputed(run_folder: Path, law: str) -> None:
    assert violations(run_folder, law) == 0


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        (
            "SELECT time_s, parcel, units, origin, destination FROM moves WHERE destination <> 'site:H'",
            "a move takes units from where its parcel has them",
        ),
        (
            "SELECT time_s, parcel, units, origin, destination FROM moves WHERE destination <> 'site:H'",
            "each move begins where the last one ended",
        ),
        (
            "SELECT time_s, parcel, units, origin, destination FROM moves WHERE destination <> 'site:H'",
            "no place holds less than nothing",
        ),
        (
            "SELECT time_s, parcel, units, origin, destination FROM moves ORDER BY row DESC",
            "moves are in the order of time",
        ),
        (
            "SELECT time_s, parcel, units + (row = 0)::INT AS units, origin, destination FROM moves",
            "every ordered unit came into the world once",
        ),
        (
            "SELECT time_s, parcel, units + (row = 0)::INT AS units, origin, destination FROM moves",
            "every ordered unit is in one place at the end",
        ),
        (
            "SELECT time_s, parcel, units, origin, destination FROM moves WHERE destination <> 'customer'",
            "delivered parcels reached the customer at their time",
        ),
        (
            "SELECT time_s, parcel, units, origin, destination FROM moves WHERE destination <> 'customer'",
            "units end where the parcel's state says",
        ),
        (
            "SELECT time_s, parcel, units, origin, destination FROM moves WHERE destination <> 'cancelled'",
            "cancelled units are cancelled",
        ),
    ],
)
def test_a_false_book_is_found_out(run_folder: Path, tmp_path: Path, tampering: str, broken: str) -> None:
    (tmp_path / "parcels.parquet").write_bytes((run_folder / "parcels.parquet").read_bytes())
    query = CHANGES.format(folder=run_folder).rstrip() + tampering
    duckdb.sql(query).write_parquet(str(tmp_path / "moves.parquet"))
    assert violations(tmp_path, broken) > 0


def test_delivery_can_be_recomputed(run_folder: Path) -> None:
    parcels = f"'{run_folder}/parcels.parquet'"
    delivered, on_time, p95 = duckdb.sql(
        f"""
        SELECT count(*) FILTER (state = 'delivered'),
            100.0 * count(*) FILTER (state = 'delivered' AND final_s <= promise_s)
                / count(*) FILTER (state <> 'cancelled'),
            quantile_cont(final_s - placed_s, 0.95) FILTER (state = 'delivered')
        FROM {parcels} WHERE measured
        """
    ).fetchall()[0]
    assert delivered == figure(run_folder, "delivered")
    assert on_time == pytest.approx(figure(run_folder, "on_time_pct"), rel=1e-12)
    assert p95 == pytest.approx(figure(run_folder, "click_to_door_p95_s"), rel=1e-12)
    for service, share in duckdb.sql(
        f"""
        SELECT service, 100.0 * count(*) FILTER (state = 'delivered' AND final_s <= promise_s)
            / count(*) FILTER (state <> 'cancelled')
        FROM {parcels} WHERE measured GROUP BY service
        """
    ).fetchall():
        assert share == pytest.approx(figure(run_folder, "on_time_pct", f"service:{service}"), rel=1e-12)


def test_every_late_parcel_has_its_stage(run_folder: Path) -> None:
    wrong = duckdb.sql(
        f"""
        SELECT count(*) FROM '{run_folder}/parcels.parquet'
        WHERE (late_stage IS NOT NULL)
            <> (state <> 'cancelled' AND NOT (state = 'delivered' AND final_s <= promise_s))
        """
    ).fetchall()[0][0]
    assert wrong == 0


def test_cost_sums_to_the_total(run_folder: Path) -> None:
    ledger = f"'{run_folder}/ledger.parquet'"
    total = duckdb.sql(f"SELECT sum(amount_minor) FROM {ledger}").fetchall()[0][0]
    assert total / 100 == pytest.approx(figure(run_folder, "cost_total"), abs=1e-9)
    for column in ("kind", "site", "lane", "service"):
        parts = duckdb.sql(f"SELECT {column}, sum(amount_minor) FROM {ledger} GROUP BY 1").fetchall()
        assert sum(amount for _, amount in parts) == total
    # what was paid by kilometre is what was driven, at the scenario's rates
    rates = f"(SELECT unnest(vehicles, recursive := true) FROM read_json('{run_folder}/scenario.json'))"
    driven, due = duckdb.sql(
        f"""
        SELECT sum(distance_m) / 1000, sum(distance_m * km_minor) / 1000
        FROM '{run_folder}/legs.parquet' JOIN {rates} AS rates ON vehicle_kind = rates.id WHERE km_minor > 0
        """
    ).fetchall()[0]
    paid_km, paid, entries = duckdb.sql(
        f"SELECT sum(quantity), sum(amount_minor), count(*) FROM {ledger} WHERE kind = 'distance'"
    ).fetchall()[0]
    assert paid_km == pytest.approx(driven)
    assert paid == pytest.approx(due, abs=entries)  # each is rounded to whole minor units


def test_what_goes_wrong_on_a_sorter_costs_what_was_declared(tmp_path: Path) -> None:
    path = sorter_scenario(tmp_path)
    result = run_scenario(load_scenario(path), 3, options=TwinOptions(jobs=1))
    folder = tmp_path / "run"
    write_run(folder, result.scenario, result.tables, result.manifest)
    ledger, errors = (f"'{folder}/{name}.parquet'" for name in ("ledger", "sorting_errors"))
    for kind, column, rate in (("missort", "missorts", 70), ("damage", "damaged", 1500)):
        often, parcels = duckdb.sql(f"SELECT sum({column}), count(DISTINCT parcel) FROM {errors}").fetchall()[
            0
        ]
        entries = duckdb.sql(
            f"""
            SELECT service, site, quantity, amount_minor FROM {ledger} WHERE kind = '{kind}' ORDER BY service
            """
        ).fetchall()
        assert often > 5
        assert parcels > 5
        assert {site for _, site, _, _ in entries} == {"hub-1"}
        by_service = duckdb.sql(
            f"""
            SELECT p.service, 'hub-1', sum({column}), sum({column}) * {rate}
            FROM {errors} JOIN '{folder}/parcels.parquet' AS p USING (parcel)
            GROUP BY 1 HAVING sum({column}) > 0 ORDER BY 1
            """
        ).fetchall()
        assert entries == by_service
        assert sum(amount for *_, amount in entries) == often * rate
    figures = result.manifest["sorting"]["hub-1"]["kpis"]
    told = duckdb.sql(
        f"SELECT sum(amount_minor) FROM {ledger} WHERE kind IN ('missort', 'damage')"
    ).fetchall()
    assert told[0][0] == figures["missort_cost_minor"] + figures["damage_cost_minor"]
    passes = f"(SELECT count(*) FROM '{folder}/stages.parquet' WHERE site = 'hub-1' AND stage = 'sort')"
    wanted = duckdb.sql(
        f"""
        SELECT sum(missorts), 100.0 * sum(missorts) / {passes}, sum(missorts) * 0.70::DOUBLE,
               sum(damaged), 100.0 * sum(damaged) / {passes}, sum(damaged) * 15.00::DOUBLE FROM {errors}
        """
    ).fetchall()[0]
    names = ("missorts", "missorts_pct", "missort_cost", "damaged", "damaged_pct", "damage_cost")
    for scope in ("", "site:hub-1"):
        assert [figure(folder, name, scope) for name in names] == pytest.approx(wanted)
    for name in ("missorts", "damaged"):
        assert figure(folder, name, "sorter:hub-1") == figure(folder, name)


def sorter_scenario(folder: Path) -> Path:
    """The small template with a careless sorter in its hub."""
    path = init("town", "small", folder)
    kind = 'kind = "cross_belt", cross_belt = { length_m = 60, chutes = 20, inductions = 2 }'
    errors = "errors = { missort = 0.05, missort_minor = 70, damage = 0.03, damage_minor = 1500 }"
    mark = 'id = "hub-1"\nkind = "hub"\n'
    text = path.read_text(encoding="utf-8")
    assert mark in text
    path.write_text(text.replace(mark, f"{mark}sorting = {{ {kind}, {errors} }}\n"), encoding="utf-8")
    return path
