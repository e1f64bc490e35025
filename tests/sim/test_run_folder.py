"""Run folders: equal content is equal bytes, what is written is read back, faults are named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.roads import GreatCircleRoads
from sim.columns import distinct, distinct_names, encoded_names, names
from sim.routes import routes_geojson
from sim.run_folder import conform, read_run, write_run
from sim.tables import SCHEMAS
from solvers.errors import InvalidInputError
from tests.sim.sample_run import complete, finished, recorded, scenario

WORDS = st.lists(st.sampled_from(["a", "b", "c", "é", "", None]), max_size=20)


def shuffled(table: pa.Table) -> pa.Table:
    """The same content in other chunks, with dictionaries in another order and names that do not occur."""
    cut = table.num_rows // 3
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_dictionary(field.type):
            words = ["not here", *sorted(filter(None, set(column.to_pylist())), reverse=True)]
            if "" in column.to_pylist():
                words.append("")
            rows = [None if word is None else words.index(word) for word in column.to_pylist()]
            parts = [
                pa.DictionaryArray.from_arrays(pa.array(part, pa.int32()), pa.array(words, pa.string()))
                for part in (rows[:cut], rows[cut:])
            ]
            columns.append(pa.chunked_array(parts))
        else:
            flat = column.combine_chunks()
            columns.append(pa.chunked_array([flat.slice(0, cut), flat.slice(cut)]))
    return pa.table(columns, schema=table.schema)


def test_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    made, tables, _ = finished()
    write_run(tmp_path / "one", made, tables, {"seed": 1})
    again, _ = complete(scenario(), recorded())
    write_run(
        tmp_path / "two", scenario(), {name: shuffled(table) for name, table in again.items()}, {"seed": 1}
    )
    written = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(written) == len(SCHEMAS) + 4
    for name in written:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    made, tables, _ = finished()
    write_run(tmp_path, made, tables, {"seed": 1})
    run = read_run(tmp_path)
    for name, schema in SCHEMAS.items():
        assert run.tables[name].schema.equals(schema)
        assert run.tables[name].to_pylist() == tables[name].to_pylist()
    assert run.manifest == {"seed": 1}
    assert run.scenario["scenario"]["name"] == "sample"
    assert set(read_run(tmp_path, names=("kpis",)).tables) == {"kpis"}


def test_a_file_carries_no_time_or_machine(tmp_path: Path) -> None:
    made, tables, _ = finished()
    write_run(tmp_path, made, tables, {"seed": 1})
    for name in SCHEMAS:
        metadata = pq.read_metadata(tmp_path / f"{name}.parquet")
        assert set(metadata.metadata or {}) <= {b"ARROW:schema"}


def test_faults_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    made, tables, _ = finished()
    broken = {
        **tables,
        "legs": tables["legs"].drop_columns(["trip"]).append_column("x", tables["legs"]["leg"]),
    }
    with pytest.raises(InvalidInputError) as caught:
        write_run(tmp_path / "run", made, broken, {})
    assert [(fault.place, fault.code) for fault in caught.value.faults] == [
        ("trip", "absent-column"),
        ("x", "unknown-column"),
    ]
    with pytest.raises(InvalidInputError) as caught:
        write_run(tmp_path / "run", made, {}, {})
    assert len(caught.value.faults) == len(SCHEMAS)
    with pytest.raises(InvalidInputError) as caught:
        conform("kpis", tables["kpis"].set_column(2, "value", pa.array(["x"] * tables["kpis"].num_rows)))
    assert [fault.code for fault in caught.value.faults] == ["bad-type"]
    assert not (tmp_path / "run").exists()


def test_a_folder_without_a_run_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_run(tmp_path, names=("kpis",))
    assert [fault.place for fault in caught.value.faults] == [
        "kpis.parquet",
        "manifest.json",
        "scenario.json",
    ]


def test_every_damaged_file_is_named(tmp_path: Path) -> None:
    made, tables, _ = finished()
    write_run(tmp_path, made, tables, {"seed": 1})
    (tmp_path / "legs.parquet").write_bytes(b"")
    (tmp_path / "moves.parquet").write_bytes((tmp_path / "kpis.parquet").read_bytes())
    (tmp_path / "ledger.parquet").unlink()
    (tmp_path / "manifest.json").write_text("[]")
    (tmp_path / "scenario.json").write_text('{"schema": 1}')
    with pytest.raises(InvalidInputError) as caught:
        read_run(tmp_path)
    assert {(Path(fault.file).name, fault.code) for fault in caught.value.faults} == {
        ("legs.parquet", "unreadable-file"),
        ("moves.parquet", "bad-column"),
        (tmp_path.name, "missing-file"),
        ("manifest.json", "unreadable-file"),
        ("scenario.json", "unreadable-file"),
    }


@given(parts=st.lists(WORDS, min_size=1, max_size=4))
def test_names_are_decoded_as_they_were(parts: list[list[str | None]]) -> None:
    chunks = [pa.array(part, pa.string()).dictionary_encode() for part in parts]
    column = pa.chunked_array(chunks, type=pa.dictionary(pa.int32(), pa.string()))
    table = pa.table({"name": column})
    words = [word for part in parts for word in part]
    found = names(table, "name")
    assert [None if code < 0 else found.names[code] for code in found.codes] == words
    assert found.names == sorted({word for word in words if word is not None})
    assert encoded_names(column).to_pylist() == words
    rows = np.arange(len(words)) % 2 == 0
    assert distinct_names(table, "name", rows) == len({word for word in words[::2] if word is not None})


def test_a_dictionary_that_repeats_a_name_is_mended() -> None:
    twice = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 1], pa.int32()), pa.array(["b", "a", "b"]))
    assert encoded_names(pa.chunked_array([twice])).dictionary.to_pylist() == ["a", "b"]
    assert encoded_names(pa.chunked_array([twice])).to_pylist() == ["b", "a", "b", "a"]


@given(values=st.lists(st.integers(-5, 5), max_size=20))
def test_distinct_values(values: list[int]) -> None:
    assert distinct(np.array(values, dtype=np.int64)).tolist() == sorted(set(values))


def test_routes_have_one_line_per_trip() -> None:
    _, tables, _ = finished()
    legs = tables["legs"].to_pylist()
    for roads in (None, GreatCircleRoads(1.3, 10.0)):
        features = json.loads(routes_geojson(tables["legs"], roads))["features"]
        assert [each["properties"]["trip"] for each in features] == sorted({leg["trip"] for leg in legs})
        for each in features:
            own = sorted(
                (leg for leg in legs if leg["trip"] == each["properties"]["trip"]), key=lambda leg: leg["leg"]
            )
            corners = [(own[0]["origin_lon"], own[0]["origin_lat"])]
            corners += [(leg["destination_lon"], leg["destination_lat"]) for leg in own]
            assert np.allclose(each["geometry"]["coordinates"], corners, atol=1e-6)
            assert each["properties"]["distance_m"] == sum(leg["distance_m"] for leg in own)
            assert each["properties"]["parcels_max"] == max(leg["parcels"] for leg in own)
            assert each["properties"]["lane"] == own[0]["lane"]


class _Streets:
    """Roads whose every way takes a corner half-way."""

    def places(self, points: np.ndarray) -> np.ndarray:
        self.points = points
        return np.arange(len(points), dtype=np.int32)

    def path(self, origin: int, destination: int, depart_s: float) -> np.ndarray:
        start, end = self.points[origin], self.points[destination]
        return np.array([start, [start[0], end[1]], end])


def test_routes_follow_the_streets_where_there_are_any() -> None:
    _, tables, _ = finished()
    straight = json.loads(routes_geojson(tables["legs"]))["features"]
    streets = json.loads(routes_geojson(tables["legs"], _Streets()))["features"]
    for before, after in zip(straight, streets, strict=True):
        legs = before["properties"]["legs"]
        assert len(after["geometry"]["coordinates"]) == 3 * legs
        assert after["geometry"]["coordinates"][-1] == before["geometry"]["coordinates"][-1]
