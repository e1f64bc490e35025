"""Writes docs/scenario-reference.md from the schema: `python -m logistics.reference docs/scenario-reference.md`.

A field's description is the comment beside it in `logistics.scenario`; its unit follows from its name, its type,
bounds and default from the schema, so that the reference cannot drift from the code.
"""

from __future__ import annotations

import ast
import inspect
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import logistics.scenario as schema
import logistics.sections as sections
import logistics.sorting as sorting
import logistics.storage as storage
from logistics.fault_codes import CODES
from logistics.scenario import ClockWindow, Scenario, Shift

HEAD = """# Scenario reference

Written by `python -m logistics.reference docs/scenario-reference.md` from the schema; don't edit it.

A scenario is one TOML file. `logistics init NAME --template small` writes one to start from, `logistics validate
NAME.toml` finds all its faults at once, and `--set KEY=VALUE` changes any field of it for one run:
`--set fleet_scale=0.8`, `--set sites.hub-1.docks=6`, `--set 'areas.*.weight=1'`. Elements of lists go by their id
or name, by number from 0, or `*` for all.

- **Clock times** are local and written `"HH:MM"`; past midnight count on: `"30:00"` is six in the morning of
  the next day. A **window** is `["HH:MM", "HH:MM"]`, a **shift** `["HH:MM", "HH:MM", workers]`. **Moments** are RFC
  3339 with an offset: `2026-03-02T00:00:00+01:00`.
- **Units** end the name of a field: {units}.
- **Hourly** lists have 24 numbers, for the hours from 0 to 23.
- **Paths** start at the scenario's folder; environment variables in them are expanded.
- **basis** marks every input as `"observed: …"`, `"derived: …"` or `"assumed: …"`. Its keys are dotted paths
  without list numbers (`basis.sites`, `basis."sites.docks"`); the longest that fits an input speaks for it.

"""

UNITS = {
    "s": "seconds",
    "m": "metres",
    "g": "grams",
    "ml": "millilitres",
    "kg": "kilograms",
    "j": "joules",
    "kmh": "km/h",
    "mps": "m/s",
    "minor": "minor currency units (cents, fen)",
}
_PER = {"per", "of"}


def reference() -> str:
    """The whole page in Markdown."""
    parts = [HEAD.format(units=", ".join(f"`_{key}` {name}" for key, name in UNITS.items()))]
    for name, model, is_list in _sections():
        brackets = f"`[[{name}]]`" if is_list else f"`[{name}]`" if name else "The file"
        parts.append(f"## {brackets}\n\n{inspect.cleandoc(model.__doc__ or '')}\n\n{_table(model)}\n")
    parts.append("## Codes of faults\n\n| code | meaning |\n|---|---|\n")
    parts += [f"| `{code}` | {_cell(meaning)} |\n" for code, meaning in CODES.items()]
    return "".join(parts)


def _sections() -> Iterator[tuple[str, type[BaseModel], bool]]:
    """Dotted name, model and whether a list, of the file and of every table below it, in order."""
    waiting: list[tuple[str, type[BaseModel], bool]] = [("", Scenario, False)]
    seen: set[type[BaseModel]] = set()
    while waiting:
        name, model, is_list = waiting.pop(0)
        if model in seen:
            continue
        seen.add(model)
        yield name, model, is_list
        below = []
        for field, info in model.model_fields.items():
            inner, many = _model_in(info.annotation)
            if inner is not None and inner not in (ClockWindow, Shift):
                below.append((f"{name}.{field}".lstrip("."), inner, many))
        waiting = below + waiting


def _model_in(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model that a field holds, and whether it holds a list of it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    is_list = get_origin(annotation) is list
    for each in get_args(annotation):
        inner, many = _model_in(each)
        if inner is not None:
            return inner, many or is_list
    return None, False


def _table(model: type[BaseModel]) -> str:
    notes = comments(model)
    rows = ["| field | value | default | meaning |", "|---|---|---|---|"]
    for name, info in model.model_fields.items():
        key = info.alias or name
        rows.append(
            f"| `{key}` | {_cell(_value(info))} | {_cell(_default(info))} | {_cell(_meaning(name, notes))} |"
        )
    return "\n".join(rows) + "\n"


def _meaning(name: str, notes: dict[str, str]) -> str:
    unit = unit_of(name)
    return f"{unit}; {notes[name]}" if unit else notes[name]


def unit_of(name: str) -> str:
    """The unit that ends a field's name, "" for none: `km_minor` is in minor currency units."""
    words = name.split("_")
    for at in range(len(words) - 1, 0, -1):
        if words[at] in UNITS and (at == len(words) - 1 or words[at + 1] in _PER):
            return " ".join([UNITS[words[at]], *words[at + 1 :]])
    return ""


def comments(model: type[BaseModel]) -> dict[str, str]:
    """Field -> the comment at the end of its line in the schema's source; raises `KeyError` for one without."""
    found: dict[str, str] = {}
    nodes = [
        (node, lines)
        for source in map(inspect.getsource, (schema, sections, storage, sorting))
        for lines in [source.splitlines()]
        for node in ast.parse(source).body
    ]
    for node, lines in nodes:
        if isinstance(node, ast.ClassDef) and node.name == model.__name__:
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    line = lines[(item.end_lineno or item.lineno) - 1]
                    text = line.partition("  # ")[2]
                    parts = [part for part in text.split("  # ") if not part.startswith("type: ")]
                    if parts:
                        found[item.target.id] = parts[0]
    absent = [name for name in model.model_fields if name not in found]
    if absent:
        raise KeyError(f"{model.__name__}: no comment beside {', '.join(absent)}")
    return found


def _value(info: FieldInfo) -> str:
    whole: Any = info.annotation
    return _named(Annotated[whole, *info.metadata] if info.metadata else whole)


def _named(annotation: Any) -> str:
    """A type as planners read it."""
    for known, name in (
        (schema.ClockTime, '"HH:MM"'),
        (schema.Hourly, "24 numbers"),
        (schema.Identifier, "id"),
        (schema.Basis, "table"),
    ):
        if annotation == known:
            return name
    origin = get_origin(annotation)
    if origin is Annotated:
        kind, *metadata = get_args(annotation)
        if "A-Za-z0-9._:-" in repr(metadata):
            return "id"
        if any("_second_of_day" in repr(each) for each in metadata):
            return '"HH:MM"'
        bounds = _bounds(metadata)
        return f"{_named(kind)}{bounds}"
    if origin is Literal:
        return ", ".join(f"`{_text(value)}`" for value in get_args(annotation))
    if origin in (Union, types.UnionType):
        return " or ".join(_named(each) for each in get_args(annotation) if each is not type(None))
    if origin is list:
        return f"list of {_named(get_args(annotation)[0])}"
    if origin is dict:
        key, value = get_args(annotation)
        return f"table of {_named(key)} = {_named(value)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {"ClockWindow": "window", "Shift": "shift"}.get(annotation.__name__, "table")
    names = {int: "whole number", float: "number", str: "text", bool: "true or false", Any: "any"}
    return names.get(annotation, "moment" if "atetime" in str(annotation) else str(annotation))


def _bounds(metadata: list[Any]) -> str:
    parts = []
    flat = [inner for each in metadata for inner in getattr(each, "metadata", [each])]
    for each in flat:
        for name, sign in (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤")):
            bound = getattr(each, name, None)
            if bound is not None and bound != schema.LARGEST:
                parts.append(f"{sign} {bound:,}")
        if getattr(each, "min_length", None):
            parts.append(f"at least {each.min_length}")
        if getattr(each, "pattern", None):
            parts.append(f"like `{each.pattern}`")
    return f", {', '.join(parts)}" if parts else ""


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    value = info.default_factory() if info.default_factory else info.default  # type: ignore[call-arg]
    if value is PydanticUndefined or value is None:
        return "none"
    if isinstance(value, ClockWindow):
        return f'`["{_clock(value.opens)}", "{_clock(value.closes)}"]`'
    if isinstance(value, list) and value and all(isinstance(each, Shift) for each in value):
        return f"`[{', '.join(_shift(each) for each in value)}]`"
    if isinstance(value, BaseModel):
        return "its defaults"
    if _named(info.annotation) == '"HH:MM"' or any("_second_of_day" in repr(m) for m in info.metadata):
        return f'`"{_clock(value)}"`'
    return f"`{_text(value)}`"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _shift(shift: Shift) -> str:
    return f'["{_clock(shift.window.opens)}", "{_clock(shift.window.closes)}", {shift.workers}]'


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write the page to the file named, or to stdout."""
    if arguments:
        Path(arguments[0]).write_text(reference(), encoding="utf-8")
    else:
        sys.stdout.write(reference())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
