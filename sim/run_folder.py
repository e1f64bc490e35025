"""The run folder: Parquet tables, manifest, scenario and GeoJSON, written so that equal content is equal
bytes.

docs/run-folder.md describes the files. Tables are brought into the form `sim.tables` declares, dictionaries
are sorted and stripped, and the writer's settings are fixed; nothing that differs between two runs of the
same scenario and seed (wall clock, machine) goes anywhere but the manifest.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from logistics.roads import Roads
from logistics.scenario import Scenario
from sim.columns import encoded_names
from sim.routes import network_geojson, routes_geojson
from sim.state import RunState, write_state
from sim.tables import SCHEMAS
from solvers.errors import Fault, InvalidInputError

ROW_GROUP_ROWS = 1 << 20
AGAIN = "run the scenario again"
MANIFEST, SCENARIO, NETWORK, ROUTES = "manifest.json", "scenario.json", "network.geojson", "routes.geojson"


@dataclass(frozen=True, slots=True)
class Run:
    """A run read back: tables by name, the manifest, and the scenario as plain JSON values."""

    folder: Path
    tables: dict[str, pa.Table]
    manifest: dict[str, Any]
    scenario: dict[str, Any]


def conform(name: str, table: pa.Table) -> pa.Table:
    """The table with exactly the declared columns and types, in one chunk, in a form equal for equal content.

    Raises `InvalidInputError` naming every column that is absent, unknown or of another type.
    """
    schema = SCHEMAS[name]
    faults = [
        Fault(f"{name}.parquet", column, "", "absent-column", "the column is absent", "add it")
        for column in schema.names
        if column not in table.column_names
    ] + [
        Fault(f"{name}.parquet", column, "", "unknown-column", "the column is unknown", "leave it out")
        for column in table.column_names
        if column not in schema.names
    ]
    if faults:
        raise InvalidInputError(faults)
    columns: list[pa.Array] = []
    for field in schema:
        column = table[field.name]
        try:
            if pa.types.is_dictionary(field.type):
                columns.append(encoded_names(column))
            else:
                cast = column.cast(field.type).combine_chunks()
                columns.append(cast.combine_chunks() if isinstance(cast, pa.ChunkedArray) else cast)
        except pa.ArrowInvalid as error:
            faults.append(
                Fault(f"{name}.parquet", field.name, str(column.type), "bad-type", str(error), "cast it")
            )
    if faults:
        raise InvalidInputError(faults)
    return pa.Table.from_arrays(columns, schema=schema)


@contextmanager
def staged(folder: Path, overwrite: bool = False) -> Iterator[Path]:
    """A place to write in; what stands there at the end moves into `folder`, after an error or Ctrl-C nothing.

    The place lies beside `folder`, so that each file moves in one step; the manifest goes last, and an old one
    leaves first: a folder with a manifest is whole. Other files in `folder` stay. Raises `InvalidInputError` at
    once where `folder` can't be written or, without `overwrite`, has content.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise _unusable(folder, "folder-exists", "it exists and is no folder", "name another")
        if not overwrite and folder.exists() and any(folder.iterdir()):
            raise _unusable(
                folder, "folder-exists", "it exists and is not empty", "name another or add --overwrite"
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise _unusable(
            folder,
            "unwritable-folder",
            f"cannot write there: {error.strerror}",
            "name a folder that can be written",
        ) from None
    try:
        yield place
        try:
            folder.mkdir(exist_ok=True)
            (folder / MANIFEST).unlink(missing_ok=True)
            for file in sorted(place.iterdir(), key=lambda each: each.name == MANIFEST):
                goal = folder / file.name
                if goal.is_dir():  # the state of an earlier run: a folder replaces no folder with content
                    shutil.rmtree(goal)
                file.replace(goal)
        except OSError as error:
            raise _unusable(
                folder,
                "unwritable-folder",
                f"cannot write there: {error}",
                "name a folder that can be written",
            ) from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _unusable(folder: Path, code: str, message: str, repair: str) -> InvalidInputError:
    return InvalidInputError([Fault(str(folder), "--out", "", code, message, repair)])


def _write_table(path: Path, table: pa.Table) -> None:
    """Write one table that conforms; equal content gives equal bytes with the same version of pyarrow."""
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=1,
        row_group_size=ROW_GROUP_ROWS,
        version="2.6",
        data_page_version="1.0",
        use_dictionary=[field.name for field in table.schema if pa.types.is_dictionary(field.type)],
        write_statistics=True,
    )


def write_run(
    folder: Path,
    scenario: Scenario,
    tables: Mapping[str, pa.Table],
    manifest: Mapping[str, Any],
    roads: Roads | None = None,
    state: RunState | None = None,
) -> None:
    """Write a run into `folder` (made if absent; files of the same names are replaced).

    `tables` holds every table of `sim.tables`. With `roads` that have streets, routes follow them; with `state`,
    another run can start from the folder. Raises
    `InvalidInputError` before anything is written where a table is absent or does not conform.
    """
    absent = [name for name in SCHEMAS if name not in tables]
    if absent:
        raise InvalidInputError(
            [
                Fault(f"{name}.parquet", "", "", "absent-table", "the table is absent", "pass it")
                for name in absent
            ]
        )
    ready = {name: conform(name, tables[name]) for name in SCHEMAS}
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in ready.items():
        _write_table(folder / f"{name}.parquet", table)
    if state is not None:
        write_state(folder, state)
    as_json = scenario.model_dump(mode="json", by_alias=True)
    _write_json(folder / SCENARIO, as_json)
    _write_json(folder / NETWORK, network_geojson(scenario))
    (folder / ROUTES).write_text(routes_geojson(ready["legs"], roads), encoding="utf-8")
    _write_json(folder / MANIFEST, dict(manifest))


def read_run(folder: Path, names: tuple[str, ...] = tuple(SCHEMAS)) -> Run:
    """Read a run folder, or only the tables named.

    Raises `InvalidInputError` naming every file of these that the folder lacks or that is damaged.
    """
    paths = {name: folder / f"{name}.parquet" for name in names}
    check_run(folder, names)
    return Run(
        folder,
        {name: pq.read_table(path) for name, path in paths.items()},
        read_json(folder / MANIFEST),
        read_json(folder / SCENARIO),
    )


def check_run(folder: Path, names: tuple[str, ...] = tuple(SCHEMAS)) -> None:
    """Raise `InvalidInputError` naming every file of a run that is absent or damaged, without reading its rows."""
    wanted = [f"{name}.parquet" for name in names] + [MANIFEST, SCENARIO]
    faults = [
        Fault(str(folder), file, "", "missing-file", "the run folder lacks this file", AGAIN)
        for file in wanted
        if not (folder / file).is_file()
    ]
    for name in names:
        path = folder / f"{name}.parquet"
        if path.is_file():
            faults += _table_faults(path, SCHEMAS[name])
    for path in (folder / MANIFEST, folder / SCENARIO):
        if path.is_file():
            try:
                found = read_json(path)
                if path.name == SCENARIO:
                    Scenario.of_dump(found)
            except InvalidInputError as error:
                faults += error.faults
            except ValidationError as error:
                first = error.errors()[0]
                where, message = (
                    ".".join(map(str, first["loc"])),
                    f"no scenario of this version: {first['msg']}",
                )
                faults.append(Fault(str(path), where, "", "unreadable-file", message, AGAIN))
    if faults:
        raise InvalidInputError(faults)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a run folder. Raises `InvalidInputError` where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInputError(
            [Fault(str(path), "", "", "unreadable-file", f"cannot read it as JSON: {error}", AGAIN)]
        ) from None
    if not isinstance(found, dict):
        message = "this is no JSON object"
        raise InvalidInputError([Fault(str(path), "", str(found)[:80], "unreadable-file", message, AGAIN)])
    return found


def _table_faults(path: Path, schema: pa.Schema) -> list[Fault]:
    try:
        found = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        return [Fault(str(path), "", "", "unreadable-file", f"not a Parquet table: {error}", AGAIN)]
    wrong = [field for field in schema if found.get_field_index(field.name) < 0]
    wrong += [field for field in schema if field not in wrong and found.field(field.name).type != field.type]
    message = "the column is absent or not of type"
    return [
        Fault(str(path), field.name, "", "bad-column", f"{message} {field.type}", AGAIN) for field in wrong
    ]


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
