"""What the scenario schema finds wrong, as faults; and the draft of a scenario that is left without it.

The draft lets the cross-checks of `logistics.validate` run on the sound parts of a broken scenario, so that
one pass finds everything. A list element or section that can't be read is left out of it.
"""

from __future__ import annotations

import difflib
import json
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from logistics.scenario import Scenario
from logistics.units import wrong_unit
from solvers.errors import Fault

Location = tuple[str | int, ...]

_ROUNDS = 50  # of leaving out what can't be read; each round removes at least one part


@dataclass(slots=True)
class Draft:
    """The readable parts of a scenario document.

    `scenario` holds them, `absent` names the top-level keys that are missing or unreadable (their attribute
    is then an empty list or None). `faulty` are the locations of all schema faults in the document; `origin`
    leads from a list element's location in `scenario` to its location in the document.
    """

    document: dict[str, Any]
    scenario: Scenario
    absent: set[str] = field(default_factory=set)
    faulty: list[Location] = field(default_factory=list)
    origin: dict[Location, Location] = field(default_factory=dict)

    def place(self, location: Location) -> str:
        """A location in `scenario` as a place in the document, e.g. `sites[3] "hub-a".docks`."""
        return place(self.document, self.in_document(location))

    def in_document(self, location: Location) -> Location:
        for end in range(len(location), 0, -1):
            if location[:end] in self.origin:
                return self.origin[location[:end]] + location[end:]
        return location

    def spoilt(self, location: Location) -> bool:
        """Whether a schema fault sits at, above or below this location of the document."""
        return any(a[: len(b)] == b[: len(a)] for a in self.faulty for b in (location,))


def read_schema(document: dict[str, Any], file: str) -> tuple[list[Fault], Draft]:
    """All schema faults of a document, and the draft of its sound parts."""
    faults: list[Fault] = []
    parts: dict[str, Any] = {}
    draft = Draft(document, Scenario.model_construct())
    known = {info.alias or name: name for name, info in Scenario.model_fields.items()}
    for key in document:
        if key not in known:
            faults.append(_unknown_key(document, (key,), list(known), file)[0])
            draft.faulty.append((key,))
    for key, name in known.items():
        info = Scenario.model_fields[name]
        if key not in document:
            if info.is_required():
                draft.absent.add(key)
                if not any(f.repair.startswith(f'write "{key}"') for f in faults):
                    faults.append(_missing(document, (key,), file))
            continue
        errors, value, origin = _read(key, document[key], _adapter(info))
        found, locations = _faults(document, errors, file)
        faults += found
        draft.faulty += locations
        draft.origin |= origin
        if value is None:
            draft.absent.add(key)
        else:
            parts[name] = value
    for key in draft.absent:
        is_list = get_origin(_plain(Scenario.model_fields[known[key]].annotation)) is list
        parts[known[key]] = [] if is_list else None
    draft.scenario = Scenario.model_construct(**parts)
    return faults, draft


def _adapter(info: FieldInfo) -> TypeAdapter[Any]:
    annotation: Any = info.annotation
    return TypeAdapter(Annotated[annotation, *info.metadata] if info.metadata else annotation)


def _read(
    key: str, document: Any, adapter: TypeAdapter[Any]
) -> tuple[list[dict[str, Any]], Any, dict[Location, Location]]:
    """First errors of one top-level value, the value without what can't be read, and where its parts were."""
    first: list[dict[str, Any]] = []
    removed: set[Location] = set()
    for attempt in range(_ROUNDS):
        origin: dict[Location, Location] = {}
        value = _without(document, removed, (key,), (key,), origin)
        try:
            return first, adapter.validate_python(value), origin
        except ValidationError as error:
            errors: list[Any] = error.errors(include_url=False)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:  # from the bowels of a parser
            errors = [{"type": "unreadable", "loc": (), "msg": str(error), "ctx": {}}]
        for item in errors:
            item["loc"] = (key, *item["loc"])
        if attempt == 0:
            first = errors
        for item in errors:
            removed.add(_to_remove(value, item, origin))
        if (key,) in removed:
            break
    return first, None, {}


def _without(
    node: Any, removed: set[Location], here: Location, there: Location, origin: dict[Location, Location]
) -> Any:
    """A copy without the removed parts. `here` is the location in the document, `there` in the copy."""
    if isinstance(node, dict):
        return {
            key: _without(item, removed, (*here, key), (*there, key), origin)
            for key, item in node.items()
            if (*here, key) not in removed
        }
    if isinstance(node, list):
        kept = [index for index in range(len(node)) if (*here, index) not in removed]
        copy = []
        for position, index in enumerate(kept):
            origin[(*there, position)] = (*here, index)
            copy.append(_without(node[index], removed, (*here, index), (*there, position), origin))
        return copy
    return node


def _to_remove(value: Any, error: dict[str, Any], origin: dict[Location, Location]) -> Location:
    """Location in the document of the part to leave out because of this error."""
    location: Location = error["loc"]
    location = location[: 1 + _depth(value, location[1:])]
    if error["type"] == "missing" and location == error["loc"]:
        location = location[:-1]
    for end in range(len(location), 0, -1):
        if location[:end] in origin:
            return origin[location[:end]] + location[end:]
    return location


def _depth(node: Any, location: Location) -> int:
    """How far the location can be followed into the value."""
    for depth, part in enumerate(location):
        if (isinstance(node, dict) and part in node) or (
            isinstance(node, list) and isinstance(part, int) and part < len(node)
        ):
            node = node[part]  # type: ignore[index]
        else:
            return depth
    return len(location)


def place(document: Any, location: Location) -> str:
    """A location as text: list elements by number and, where they have one, by id."""
    text = ""
    node = document
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
            node = node[part] if isinstance(node, list) and part < len(node) else None
            label = (node.get("id") or node.get("name")) if isinstance(node, dict) else None
            if isinstance(label, str):
                text += f' "{label}"'
        else:
            text += f".{part}" if text else part
            node = node.get(part) if isinstance(node, dict) else None
    return text


def show(value: Any) -> str:
    """A value as the user wrote it, more or less, and never long."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."


def _faults(document: Any, errors: list[dict[str, Any]], file: str) -> tuple[list[Fault], list[Location]]:
    faults: list[Fault] = []
    locations: list[Location] = []
    meant: set[Location] = set()  # keys that were given under a wrong name: not missing as well
    for error in errors:
        if error["type"] == "extra_forbidden":
            location = error["loc"]
            fault, wanted = _unknown_key(document, location, _keys_at(location[:-1]), file)
            faults.append(fault)
            locations.append(location)
            if wanted:
                meant.add((*location[:-1], wanted))
    for error in errors:
        location = error["loc"]
        if error["type"] == "extra_forbidden":
            continue
        if error["type"] == "missing":
            locations.append(location)
            if location not in meant:
                faults.append(_missing(document, location, file))
            continue
        location = location[: _depth(document, location)]
        locations.append(location)
        value = show(error["loc"][-2] if error["loc"][-1] == "[key]" else _value(document, location))
        code, message, repair = _explain(error)
        faults.append(Fault(file, place(document, location), value, code, message, repair))
    return faults, locations


def _value(node: Any, location: Location) -> Any:
    for part in location:
        node = node[part]
    return node


def _missing(document: Any, location: Location, file: str) -> Fault:
    name = str(location[-1])
    where = "" if len(location) == 1 else " here"
    if len(location) == 1:
        info = Scenario.model_fields.get("schema_version" if name == "schema" else name)
        annotation = _plain(info.annotation) if info else None
        if name == "schema":
            repair = "add schema = 1 at the top"
        elif get_origin(annotation) is list:
            repair = f"add at least one [[{name}]]"
        else:
            repair = f"add a [{name}] section"
    else:
        repair = f"add {name} = ..."
    return Fault(file, place(document, location), "", "missing-key", f'"{name}" is missing{where}', repair)


def _unknown_key(document: Any, location: Location, known: list[str], file: str) -> tuple[Fault, str | None]:
    """The fault of a key that the schema has not, and the key that was probably meant."""
    key = str(location[-1])
    value = _value(document, location)
    unit = wrong_unit(key, value, known)
    if unit is not None:
        wanted, message, repair = unit
        return Fault(file, place(document, location), show(value), "wrong-unit", message, repair), wanted
    close = difflib.get_close_matches(key, known, 1, 0.6)
    if close:
        repair = f'write "{close[0]}" (did you mean that?) or remove the key'
    else:
        repair = f"remove it; known here: {', '.join(sorted(known))}" if known else "remove it"
    message = f'unknown key "{key}"'
    fault = Fault(file, place(document, location), show(value), "unknown-key", message, repair)
    return fault, close[0] if close else None


def _explain(error: dict[str, Any]) -> tuple[str, str, str]:
    """Code, message and repair of a pydantic error."""
    kind: str = error["type"]
    context: dict[str, Any] = error.get("ctx") or {}
    if "repair" in context:
        return kind, context["message"], context["repair"]
    message = str(error["msg"])
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"):
        limit = message.removeprefix("Input should be ")
        wanted_value = limit if kind == "finite_number" else f"a value {limit}"
        return "out-of-range", "the value is out of range", f"write {wanted_value}"
    if kind == "literal_error":
        expected = str(context["expected"])
        choices = [item.strip("'") for item in expected.replace(" or ", ", ").split(", ")]
        close = difflib.get_close_matches(str(error["input"]), choices, 1)
        hint = f' (did you mean "{close[0]}"?)' if close else ""
        return "unknown-choice", "no such choice", f"write one of {', '.join(choices)}{hint}"
    if kind == "string_pattern_mismatch":
        if "observed" in str(context.get("pattern")):
            return "bad-mark", "not a mark", 'start it with "observed", "derived" or "assumed"'
        if "{3}" in str(context.get("pattern")):
            return (
                "bad-currency",
                "not a currency code",
                'write three capital letters (ISO 4217), as in "EUR"',
            )
        return "bad-identifier", "not an identifier", "use letters, digits and . _ : - only"
    if kind in ("too_short", "too_long"):
        wanted = context.get("min_length") if kind == "too_short" else context.get("max_length")
        least = "at least" if kind == "too_short" else "at most"
        wrong = f"the list has {context.get('actual_length')} elements"
        exact = context.get("field_type") == "List" and wanted == 24
        return "wrong-length", wrong, f"give {'exactly' if exact else least} {wanted}"
    if kind.startswith(("datetime", "timezone")):
        repair = "write a moment with its offset from UTC, as in 2026-06-18T00:00:00+08:00"
        return "bad-moment", message.removeprefix("Input should be ").capitalize(), repair
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return "wrong-type", "this must be a table", "write it as a table: { key = value, ... }"
    if kind.endswith(("_type", "_parsing", "_from_float")) or kind == "int_parsing_size":
        wanted_type = message.removeprefix("Input should be a valid ").split(",")[0]
        return "wrong-type", "the value has the wrong type", f"write a valid {wanted_type}"
    return "invalid-value", message, "see docs/scenario-reference.md for what may stand here"


def _plain(annotation: Any) -> Any:
    """An annotation without `Annotated` and without `| None`."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
        else:
            return annotation


def _keys_at(location: Location) -> list[str]:
    """The keys the schema knows at a location."""
    annotation: Any = Scenario
    for part in location:
        annotation = _plain(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            info = annotation.model_fields.get(str(part))
            annotation = info.annotation if info else None
        elif get_origin(annotation) is list:
            annotation = get_args(annotation)[0]
        else:
            return []
    annotation = _plain(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [info.alias or name for name, info in annotation.model_fields.items()]
    return []


def schema_paths() -> Iterator[str]:
    """Every dotted path of the schema without list numbers: `sites.stages.service_s` and so on."""
    yield from _paths(Scenario, "")


def _paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, info in model.model_fields.items():
        path = f"{prefix}{info.alias or name}"
        yield path
        inner = _plain(info.annotation)
        while get_origin(inner) is list:
            inner = _plain(get_args(inner)[0])
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _paths(inner, f"{path}.")
