"""Origin–destination parcels: collected in the merchants' windows, sorted at two hubs between cities."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from logistics.validate import load_scenario
from sim.run import run_scenario
from sim.run_folder import write_run
from tests.sim.test_recompute import LAWS, violations

SCENARIO = Path(__file__).parents[2] / "scenarios" / "three-hubs.toml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("three-hubs") / "run"
    result = run_scenario(load_scenario(SCENARIO), 7)
    write_run(path, result.scenario, result.tables, result.manifest, result.roads)
    return path


def one(folder: Path, query: str) -> object:
    return duckdb.sql(query.replace("{", f"'{folder}/").replace("}", ".parquet'")).fetchall()[0][0]


def test_nearly_all_are_delivered(folder: Path) -> None:
    assert one(folder, "SELECT avg((state = 'delivered')::INT) FROM {parcels}") > 0.98  # type: ignore[operator]


def test_parcels_between_cities_are_sorted_at_two_hubs(folder: Path) -> None:
    query = """
        SELECT count(*) FROM (
            SELECT parcel, count(*) FILTER (site LIKE 'hub-%') AS hubs FROM {stages} GROUP BY parcel
        ) JOIN {parcels} USING (parcel)
        WHERE split_part(origin, '-', 2) <> split_part(area, '-', 1) AND state = 'delivered' AND hubs <> 2
    """
    assert one(folder, query) == 0


def test_merchants_are_visited_in_their_windows(folder: Path) -> None:
    query = "SELECT count(*) FROM {parcels} WHERE (collected_s % 86400) NOT BETWEEN 13 * 3600 AND 20 * 3600"
    assert one(folder, query) == 0


@pytest.mark.parametrize("law", LAWS)
def test_conservation_can_be_recomputed_from_a_real_run(folder: Path, law: str) -> None:
    assert violations(folder, law) == 0
