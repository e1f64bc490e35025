"""Loading and checking scenario files: all faults in one pass, each with place, value and repair."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from logistics.checks import cross_check
from logistics.order_file import order_file_faults
from logistics.overrides import DEEPEST, apply_overrides
from logistics.scenario import Scenario
from logistics.schema_faults import read_schema
from solvers.errors import Fault, InvalidInputError

_NO_OVERRIDES: Mapping[str, str] = {}


def load_scenario(path: Path | str, overrides: Mapping[str, str] = _NO_OVERRIDES) -> Scenario:
    """The scenario in a TOML file, with `--set` overrides (dotted key -> TOML text) applied.

    Raises `InvalidInputError` with all faults of the file, the overrides and the files it names.
    """
    scenario, faults = _load(Path(path), overrides)
    if scenario is None or faults:
        raise InvalidInputError(faults)
    return scenario


def validate(path: Path | str, overrides: Mapping[str, str] = _NO_OVERRIDES) -> list[Fault]:
    """All faults of a scenario file and of the files it names; an empty list when it is sound.

    Goes further than loading: roads and buildings are read, and an order file is cleaned, as a run would.
    """
    scenario, faults = _load(Path(path), overrides, thorough=True)
    return order_file_faults(scenario, scenario.folder) if scenario is not None else faults


def _load(
    path: Path, overrides: Mapping[str, str], thorough: bool = False
) -> tuple[Scenario | None, list[Fault]]:
    document, fault = _read_toml(path)
    if document is None:
        return None, [fault] if fault else []
    written = {key: _leaves(value) for key, value in document.items()}
    faults = apply_overrides(document, overrides)
    found, draft = read_schema(document, str(path))
    faults += found
    draft.scenario._folder = path.parent
    faults += cross_check(draft, written, str(path), thorough)
    if faults:
        return None, faults
    try:
        scenario = Scenario.model_validate(document)
    except ValidationError as error:
        return None, [Fault(str(path), "", "", "invalid-value", str(error), "mend the scenario")]
    scenario._folder = path.parent
    return scenario, []


def _read_toml(path: Path) -> tuple[dict[str, Any] | None, Fault | None]:
    file = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")  # with or without a byte order mark
    except FileNotFoundError:
        return None, Fault(file, "", "", "missing-file", "there is no such file", "check the path")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        found = repr(error.object[error.start : error.start + 4])
        repair = "save the file as UTF-8"
        return None, Fault(file, f"line {line}", found, "not-utf8", "this is not UTF-8 text", repair)
    except (OSError, ValueError) as error:  # a folder, no permission, a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot read it: {reason}"
        return None, Fault(file, "", "", "unreadable-file", message, "name a readable file")
    try:
        document = tomllib.loads(text)
        if _deeper(document, DEEPEST):
            message = f"tables within tables, more than {DEEPEST} deep"
            return None, Fault(file, "", "", "nested-too-deep", message, "a scenario needs no such tables")
        return document, None
    except tomllib.TOMLDecodeError as error:
        return None, _syntax_fault(file, text, str(error))
    except (ValueError, RecursionError) as error:  # e.g. the 31st of February, nesting without end
        return None, Fault(file, "", "", "toml-syntax", f"not TOML: {error}", "mend the syntax")


def _syntax_fault(file: str, text: str, message: str) -> Fault:
    position = re.search(r"\(at line (\d+), column (\d+)\)", message)
    lines = text.splitlines() or [""]
    number = int(position[1]) if position else len(lines)
    column = f", column {position[2]}" if position else ""
    found = lines[min(number, len(lines)) - 1].strip()[:80]
    reason = f"not TOML: {message.split(' (at ')[0]}"
    return Fault(file, f"line {number}{column}", found, "toml-syntax", reason, "mend that line")


def _deeper(document: dict[str, Any], levels: int) -> bool:
    """Whether tables and lists lie in one another more than so many levels deep."""
    nodes: list[Any] = [document]
    for _ in range(levels):
        nodes = [
            item
            for node in nodes
            for item in (node.values() if isinstance(node, dict) else node)
            if isinstance(item, (dict, list))
        ]
    return bool(nodes)


def _leaves(node: Any, prefix: str = "") -> set[str]:
    """Dotted paths of all values below a node, without list numbers."""
    if isinstance(node, dict):
        return set().union(*(_leaves(item, f"{prefix}.{key}") for key, item in node.items()))
    if isinstance(node, list) and any(isinstance(item, dict) for item in node):
        return set().union(*(_leaves(item, prefix) for item in node))
    return {prefix}
