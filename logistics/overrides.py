"""`--set key=value`: change single fields of a scenario document before it is checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from solvers.errors import Fault

SOURCE = "--set"
DEEPEST = 50  # parts of a key; the schema itself has fewer than ten levels


def parse_value(text: str) -> Any:
    """`text` read as a TOML value; anything that is none (a bare word, say) is taken as a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else text
    except (tomllib.TOMLDecodeError, ValueError, RecursionError, KeyError):
        return text


def apply_overrides(document: dict[str, Any], overrides: Mapping[str, str]) -> list[Fault]:
    """Set each dotted key in `document` (in place); list elements go by id, name, number or `*` for all.

    Keys of tables need not exist yet: whether they may is for the schema to say.
    """
    faults: list[Fault] = []
    for key, text in overrides.items():
        parts = key.split(".")
        deep = "the key has far more parts than any field"
        problem = deep if len(parts) > DEEPEST else _assign(document, parts, parse_value(text))
        if problem:
            repair = "name a field as in sites.hub-a.docks, list elements by id, number (from 0) or *"
            faults.append(Fault(SOURCE, key, text, "unknown-override", problem, repair))
    return faults


def _assign(node: Any, parts: list[str], value: Any) -> str:
    """Set the value; an empty string when done, else what was in the way."""
    if not all(parts):
        return "the key has an empty part"
    if isinstance(node, dict):
        return _assign_in_table(node, parts, value)
    if isinstance(node, list):
        return _assign_in_list(node, parts, value)
    return f"{'.'.join(parts)} lies below a plain value"


def _assign_in_table(node: dict[str, Any], parts: list[str], value: Any) -> str:
    # keys may hold dots themselves ("sites.docks" in basis), so the longest that is there wins
    for end in range(len(parts), 0, -1):
        key = ".".join(parts[:end])
        if key in node or end == 1:
            if end == len(parts):
                node[key] = value
                return ""
            return _assign(node.setdefault(key, {}), parts[end:], value)
    return "the key is empty"


def _assign_in_list(node: list[Any], parts: list[str], value: Any) -> str:
    for end in range(len(parts), 0, -1):
        chosen = _chosen(node, ".".join(parts[:end]))
        for index in chosen:
            if end == len(parts):
                node[index] = value
            elif problem := _assign(node[index], parts[end:], value):
                return problem
        if chosen:
            return ""
    names = [str(item.get("id", item.get("name", ""))) for item in node if isinstance(item, dict)]
    known = ", ".join(name for name in names[:8] if name)
    return f"no element {parts[0]!r}; there are {len(node)}" + (f": {known}" if known else "")


def _chosen(node: list[Any], name: str) -> list[int]:
    if name == "*":
        return list(range(len(node)))
    by_name = [
        index
        for index, item in enumerate(node)
        if isinstance(item, dict) and name in (item.get("id"), item.get("name"))
    ]
    if by_name:
        return by_name[:1]
    # at most nine digits: longer ones are no list positions, and int() refuses very long ones
    if name.isascii() and name.isdigit() and len(name) < 10 and int(name) < len(node):
        return [int(name)]
    return []
