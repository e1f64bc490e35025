"""The state in which a run ended, as files another run can start from: docs/run-folder.md describes them.

Tables in Parquet and a header in JSON. Everything is named by the scenario's identifiers, and open parcels are
numbered from 0 in the order in which they were placed, so that a scenario with other vehicles, workers or demand
can go on from it. Times are seconds from the start of the run that wrote it (`start` in the header).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from logistics.scenario import Scenario
from sim.state_header import AGAIN, header_faults
from sim.world import STAMPS
from solvers.errors import Fault, InvalidInputError

FOLDER, HEADER = "state", "state.json"

_row, _time, _count, _text = pa.int32(), pa.float64(), pa.int64(), pa.string()

STATE_SCHEMAS: dict[str, pa.Schema] = {
    # open parcels: those of orders taken in, then those that still wait for it
    "parcels": pa.schema(
        {
            "key": pa.uint64(),  # names the parcel in draws of luck
            "order": _row,  # number of its order; parcels of an order follow one another
            "reference": _text,
            "placed_s": _count,
            "promise_s": _count,
            "service": _text,
            "origin": _text,  # site
            "lon": _time,
            "lat": _time,
            "place": _row,  # address number in that run
            "place_kind": _row,
            "place_site": _text,  # locker or merchant, else null
            "area": _text,
            "weight_g": _count,
            "volume_ml": _count,
            "units": _count,  # still in it
            "size_class": _text,
            "custody": _text,  # where it is; null: not taken in yet
            "attempts": _count,
            "first_attempt": _row,
            "mode": _row,
            **dict.fromkeys(STAMPS, _time),
            "status": _row,  # in the dispatcher's book, as the next two
            "book_attempts": _row,
            "postponed": _row,
            "pool_site": _text,
            "rank": _row,
        }
    ),
    "lines": pa.schema({"parcel": _row, "item": _text, "quantity": _count}),
    # work at sites not begun (`finish_s` null) or not ended (the other times null)
    "work": pa.schema(
        {
            "site": _text,
            "stage": _text,
            "parcel": _row,
            "priority": _row,
            "arrive_s": _time,
            "service_s": _time,
            "finish_s": _time,
        }
    ),
    # sorted and waiting for a truck
    "outbound": pa.schema({"site": _text, "next": _text, "parcel": _row, "ready_s": _time}),
    "stock": pa.schema(
        {"warehouse": _text, "item": _text, "on_hand": _count, "reserved": _count, "on_order": _count}
    ),
    # what stock and parcels refer to
    "items": pa.schema(
        {
            "item": _text,
            "category": _text,
            "weight_g": _count,
            "volume_ml": _count,
            "price_minor": _count,
            "handling": _text,
        }
    ),
    "backorders": pa.schema({"parcel": _row, "deadline_s": _time}),  # in the order of their asking
    "cancellations": pa.schema({"at_s": _count, "line": _row, "quantity": _count}),  # still to come
}


@dataclass(frozen=True, slots=True)
class RunState:
    """Header (plain JSON values, `sim.state_header`) and tables (`STATE_SCHEMAS`)."""

    header: dict[str, Any]
    tables: dict[str, pa.Table]

    @property
    def moment(self) -> datetime:
        """When the run was cut."""
        start: datetime = datetime.fromisoformat(self.header["start"])
        return start + timedelta(seconds=float(self.header["cut_s"]))

    def columns(self, name: str) -> dict[str, Any]:
        """A table's columns as numpy arrays: names as objects with None for null, null times as NaN."""
        table = self.tables[name]
        columns = {}
        for field in table.schema:
            if field.type == _text:
                column = np.empty(table.num_rows, dtype=object)
                column[:] = table[field.name].to_pylist()
            else:
                column = table[field.name].to_numpy()
            columns[field.name] = column
        return columns

    def shift_s(self, scenario: Scenario) -> int:
        """What to add to times of the state to have seconds from another scenario's start."""
        start = datetime.fromisoformat(self.header["start"])
        return round((start - scenario.scenario.start).total_seconds())


def network_of(scenario: Scenario) -> dict[str, Any]:
    """What two scenarios must have in common for the one to go on where the other stopped."""
    return {
        "sites": {site.id: site.kind for site in scenario.sites},
        "stages": {site.id: [stage.name for stage in site.stages] for site in scenario.sites},
        "areas": {area.id: area.station for area in scenario.areas},
        "services": [service.id for service in scenario.services],
    }


def write_state(folder: Path, state: RunState) -> None:
    """Write a state into the folder of its run; equal states are equal bytes."""
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    for name, table in state.tables.items():
        pq.write_table(table, target / f"{name}.parquet", compression="zstd", use_dictionary=True)
    text = json.dumps(state.header, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (target / HEADER).write_text(text + "\n", encoding="utf-8")


def read_state(folder: Path) -> RunState:
    """The state that a run left in its folder.

    Raises `InvalidInputError` where files are absent or broken, or of another version.
    """
    source = folder / FOLDER
    missing = [name for name in (HEADER, *_files()) if not (source / name).is_file()]
    if missing:
        raise InvalidInputError(
            [
                Fault(
                    str(folder), f"{FOLDER}/{name}", "", "missing-file",
                    "the run folder lacks this file of its final state", "run the earlier scenario again",
                )
                for name in missing
            ]
        )  # fmt: skip
    header = _read_header(source / HEADER)
    tables, faults = {}, []
    for name, schema in STATE_SCHEMAS.items():
        path = source / f"{name}.parquet"
        try:
            table = pq.read_table(path)
        except (pa.ArrowException, OSError) as error:
            message = f"not a Parquet table: {error}"
            faults.append(
                Fault(str(path), "", "", "unreadable-file", message, "run the earlier scenario again")
            )
            continue
        wrong = [field for field in schema if field.name not in table.column_names]
        wrong += [f for f in schema if f not in wrong and table.schema.field(f.name).type != f.type]
        faults += [
            Fault(
                str(path), field.name, "", "bad-column", f"the column is absent or not of type {field.type}",
                "run the earlier scenario again",
            )
            for field in wrong
        ]  # fmt: skip
        tables[name] = table
    if not faults:
        count = tables["parcels"].num_rows
        numbers = [n for each in header["reports"] for n in each["failed"]]
        numbers += [n for each in header["solves"] for n in each["parcels"]]
        faults += [
            Fault(str(source / HEADER), "parcel", str(n), "damaged-value", "no such parcel", AGAIN)
            for n in numbers
            if n >= count
        ]
    if faults:
        raise InvalidInputError(faults)
    return RunState(header, {name: tables[name].select(STATE_SCHEMAS[name].names) for name in tables})


def check_state(state: RunState, scenario: Scenario, folder: str) -> None:
    """Raise `InvalidInputError`, naming every reason why the scenario can't go on from the state."""
    faults = list(_differences(state.header["network"], network_of(scenario), folder))
    kinds = {vehicle.id: vehicle.role for vehicle in scenario.vehicles}
    faults += [
        Fault(
            folder, f"vehicles.{name}", "", "other-fleet",
            "vehicles of this kind are in use, and the scenario has none", f"declare the vehicle {name}",
        )
        for name, role in sorted(state.header["vehicles"].items())
        if kinds.get(name) != role
    ]  # fmt: skip
    if faults:
        raise InvalidInputError(faults)


def _differences(theirs: dict[str, Any], ours: dict[str, Any], folder: str) -> Iterator[Fault]:
    repair = "start from a run of the same network, or run without --from"
    for part, values in theirs.items():
        mine = ours[part]
        if isinstance(values, list):
            values, mine = {name: name for name in values}, {name: name for name in mine}
        for name in sorted({*values, *mine}):
            if values.get(name) != mine.get(name):
                yield Fault(
                    folder, f"{part}.{name}", repr(values.get(name)), "other-network",
                    f"the state is of another network: the scenario has {mine.get(name)!r} here", repair,
                )  # fmt: skip


def _read_header(path: Path) -> dict[str, Any]:
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            [Fault(str(path), "", "", "unreadable-file", f"not JSON: {error}", AGAIN)]
        ) from None
    if faults := header_faults(header, str(path)):
        raise InvalidInputError(faults)
    return dict(header)


def _files() -> list[str]:
    return [f"{name}.parquet" for name in STATE_SCHEMAS]
