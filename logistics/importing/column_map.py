"""Column maps: which column of an order file holds what, and which of its lines are no merchandise."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from solvers.errors import Fault, InvalidInputError

REQUIRED = ("order", "item", "quantity", "time")


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_as_list)]  # alternatives: the first that the file has


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(_Section):
    """Names of the file's columns; several names are alternatives."""

    order: Names
    item: Names
    quantity: Names
    time: Names
    description: Names = []
    price: Names = []
    customer: Names = []
    lon: Names = []
    lat: Names = []

    @model_validator(mode="after")
    def _whole_coordinates(self) -> Columns:
        if bool(self.lon) != bool(self.lat):
            raise ValueError("give both lon and lat, or neither")
        return self


class Time(_Section):
    """How times are written: ISO 8601, or by a strftime `format`; without an offset they are local to `zone`."""

    zone: str = "UTC"
    format: str | None = None

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError('not an IANA time zone such as "Europe/London"')
        return value


class Price(_Section):
    minor_per_unit: Annotated[int, Field(ge=1)] = 100


class Cancellations(_Section):
    """What marks a line that takes units back; any of these. Its quantity counts without its sign."""

    order_prefix: str | None = None
    column: str | None = None  # not empty (or one of `values`) on such lines
    values: list[str] = []
    negative_quantity: bool = False


class NotMerchandise(_Section):
    """Lines that no parcel carries; case is ignored."""

    order_prefixes: list[str] = []
    codes: list[str] = []
    patterns: list[str] = []  # regular expressions of the whole item code

    @field_validator("patterns")
    @classmethod
    def _compile(cls, value: list[str]) -> list[str]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {pattern!r}: {error}") from None
        return value


class Duplicates(_Section):
    keep: bool = False  # exact copies of a line are real


class Customers(_Section):
    """Lines without a customer are delivered by default: somebody ordered and paid them, only the account is
    not recorded. Their orders get a place of their own, and nothing can be matched to them."""

    required: bool = False


class Text(_Section):
    """For CSV files."""

    encoding: str = "utf-8-sig"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","


class ColumnMap(_Section):
    """How to read one kind of order file."""

    columns: Columns
    time: Time = Time()
    price: Price = Price()
    cancellations: Cancellations = Cancellations()
    not_merchandise: NotMerchandise = NotMerchandise()
    duplicates: Duplicates = Duplicates()
    customers: Customers = Customers()
    text: Text = Text()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time.zone)


def built_in_maps() -> list[str]:
    """Names of the maps that come with the package."""
    folder = resources.files("logistics.importing") / "maps"
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def load_map(name: str, folder: Path = Path()) -> ColumnMap:
    """A built-in map by name, or the one in a TOML file (relative to `folder`).

    Raises `InvalidInputError` with every fault of the file.
    """
    if name in built_in_maps():
        text = (resources.files("logistics.importing") / "maps" / f"{name}.toml").read_text(encoding="utf-8")
        return ColumnMap.model_validate(tomllib.loads(text))
    path = folder / name
    file = str(path)
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError:
        repair = f"name a TOML file or one of the built-in maps: {', '.join(built_in_maps())}"
        raise InvalidInputError(
            [Fault(file, "", name, "missing-file", "there is no such column map", repair)]
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInputError(
            [Fault(file, "", "", "toml-syntax", f"not TOML: {error}", "mend the syntax")]
        ) from None
    try:
        return ColumnMap.model_validate(document)
    except ValidationError as error:
        raise InvalidInputError(
            [
                Fault(
                    file,
                    ".".join(str(part) for part in found["loc"]),
                    "" if found["type"] == "missing" else repr(found["input"])[:80],
                    "bad-column-map",
                    found["msg"],
                    "see the built-in map uci-online-retail for an example",
                )
                for found in error.errors()
            ]
        ) from None
