"""What pydantic finds wrong with a JSON file, as faults with their fields or, where it is no JSON, their line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from solvers.errors import Fault

if TYPE_CHECKING:
    from pydantic import ValidationError


def json_faults(path: Path, error: ValidationError, usual: str) -> tuple[Fault, ...]:
    """One fault for each field that is wrong; `usual` says how to repair what has no better advice."""
    found = []
    for item in error.errors(include_url=False):
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"]).lstrip(
            "."
        )
        value = "" if isinstance(item["input"], dict | list | bytes) else str(item["input"])[:80]
        code, repair = item["type"].replace("_", "-"), usual
        if code == "extra-forbidden":
            repair = "remove it or correct its name"
        elif code == "json-invalid":
            repair = "mend the JSON; is the file cut off?"
            if line := re.search(r"at line (\d+)", item["msg"]):
                place = f"line {line[1]}"
        found.append(Fault(str(path), place, value, code, item["msg"], repair))
    return tuple(found)
