"""Scenarios to start from: one TOML file each, whose second line onwards explains itself."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from solvers.errors import Fault, InvalidInputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def templates() -> list[str]:
    """Names of the templates, ascending."""
    return sorted(
        file.name.removesuffix(".toml")
        for file in files(__package__).iterdir()
        if file.name.endswith(".toml")
    )


def init(name: str, template: str, folder: Path) -> Path:
    """Write `NAME.toml` made from a template into `folder` and return its path.

    Raises `InvalidInputError` for a name that can't be a file's, an unknown template, or a file that exists.
    """
    path = folder / f"{name}.toml"
    faults = []
    if not _NAME.fullmatch(name):
        faults.append(
            Fault(
                name, "name", name, "bad-name", "not a name for a scenario", "use letters, digits, . _ and -"
            )
        )
    elif path.exists():
        faults.append(
            Fault(str(path), "", "", "file-exists", "the file exists already", "choose another name")
        )
    if template not in templates():
        known = ", ".join(templates())
        faults.append(
            Fault(name, "--template", template, "unknown-template", "no such template", f"use {known}")
        )
    if faults:
        raise InvalidInputError(faults)
    text = (files(__package__) / f"{template}.toml").read_text(encoding="utf-8")
    path.write_text(
        text.replace('"NAME"', f'"{name}"').replace("NAME.toml", f"{name}.toml"), encoding="utf-8"
    )
    return path
