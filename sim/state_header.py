"""The header of a run's state (state.json) as a schema: every damaged value is found before anything is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from solvers.errors import Fault

FORMAT = 1
AGAIN = "run the earlier scenario again with this version"

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Network(_Part):
    sites: dict[str, str]
    stages: dict[str, list[str]]
    areas: dict[str, str]
    services: list[str]


class _Deferred(_Part):
    site: str
    wave: str


class _Truck(_Part):
    name: str
    kind: str
    home: str
    at: str
    trips: _Count
    free_s: _Number


class _Dock(_Part):
    site: str
    from_s: _Number
    to_s: _Number


class _Goods(_Part):
    supplier: str
    warehouse: str
    arrives_s: _Number | None
    items: list[str]
    quantities: list[_Count]


class _Report(_Part):
    at_s: _Number
    vehicle: str
    failed: list[_Count]


class _Group(_Part):
    kind: str
    vehicles: list[str]
    earliest_s: int
    latest_s: int


class _Solve(_Part):
    solve: _Count
    site: str
    role: Literal["delivery", "collection"]
    depart_s: int
    asked_s: _Number
    answered_s: _Number
    groups: list[_Group]
    parcels: list[_Count]
    first: list[_Count]
    service_s: list[int]
    windows: list[Annotated[list[int], Field(min_length=2, max_length=2)]]
    solver: str
    iterations: Annotated[int, Field(ge=1)] | None
    parameters: dict[str, Any]
    seed: _Count
    charge_s: _Number


class Header(_Part):
    """What state.json holds; docs/run-folder.md explains it."""

    format: Literal[1]
    scenario: str
    start: Annotated[AwareDatetime, Field(strict=False)]
    cut_s: _Number
    network: _Network
    vehicles: dict[str, str]
    next_solve: _Count
    deferred: list[_Deferred]
    van_trips: dict[str, _Count]
    trucks: list[_Truck]
    handled_s: dict[str, _Number]
    docks: list[_Dock]
    goods: list[_Goods]
    lockers: dict[str, list[_Number]]
    reports: list[_Report]
    solves: list[_Solve]


def header_faults(values: Any, file: str) -> list[Fault]:
    """All that is damaged in the values of a state.json; nothing where a run can go on from them."""
    version = values.get("format") if isinstance(values, dict) else None
    if version != FORMAT:
        message = f"the state has another format than {FORMAT}, which this version reads"
        return [Fault(file, "format", repr(version)[:80], "other-version", message, AGAIN)]
    try:
        header = Header.model_validate(values)
    except ValidationError as error:
        return [
            Fault(
                file, ".".join(map(str, each["loc"])), repr(each["input"])[:80],
                "absent-key" if each["type"] == "missing" else "damaged-value", each["msg"], AGAIN,
            )
            for each in error.errors(include_url=False)
        ]  # fmt: skip
    return [
        Fault(file, place, repr(found)[:80], "damaged-value", message, AGAIN)
        for place, found, message in _contradictions(header)
    ]


def _contradictions(header: Header) -> Iterator[tuple[str, object, str]]:
    """Values that say something else than others of the same header: place, value, message."""
    named: list[tuple[str, str]] = [
        (f"deferred.{k}.site", each.site) for k, each in enumerate(header.deferred)
    ]
    for k, truck in enumerate(header.trucks):
        named += [(f"trucks.{k}.home", truck.home), (f"trucks.{k}.at", truck.at)]
        if truck.kind not in header.vehicles:
            yield f"trucks.{k}.kind", truck.kind, "not among the vehicles of this state"
    named += [(f"docks.{k}.site", dock.site) for k, dock in enumerate(header.docks)]
    for k, goods in enumerate(header.goods):
        named += [(f"goods.{k}.supplier", goods.supplier), (f"goods.{k}.warehouse", goods.warehouse)]
        if len(goods.items) != len(goods.quantities):
            yield f"goods.{k}.quantities", goods.quantities, "not one quantity for each item"
    named += [(f"lockers.{name}", name) for name in header.lockers]
    for k, solve in enumerate(header.solves):
        named.append((f"solves.{k}.site", solve.site))
        for j, group in enumerate(solve.groups):
            if group.kind not in header.vehicles:
                yield f"solves.{k}.groups.{j}.kind", group.kind, "not among the vehicles of this state"
        stops = len(solve.first) - 1
        if stops < 1 or solve.first != sorted(solve.first) or solve.first[-1] != len(solve.parcels):
            yield f"solves.{k}.first", solve.first, "does not divide the parcels into stops"
        elif not len(solve.windows) == len(solve.service_s) == stops:
            yield f"solves.{k}.windows", solve.windows, "not one window and service time for each stop"
    for place, site in named:
        if site not in header.network.sites:
            yield place, site, "no site of this state's network"
