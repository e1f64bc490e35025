"""Solvers with their parameters as a command line names them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solvers.errors import Fault, InvalidInputError
from solvers.registry import make, parameter_names, registered


@dataclass(frozen=True)
class SolverSpec:
    """A registered solver's name, its parameters, and the label that tables call it by."""

    label: str
    name: str
    parameters: dict[str, Any] = field(default_factory=dict)


def parse_spec(text: str) -> SolverSpec:
    """`genetic`, `genetic:minimum=30,elite=4`, `genetic:tuned.toml`, or with a label `small=genetic:…`.

    Values are TOML (`true`, `3`, `0.5`, `"text"`); what is none is taken as text. A TOML file's keys may stand
    at its top or in a table of the solver's name. Raises `InvalidInputError` or `UnknownSolverError`.
    """
    head, _, rest = text.partition(":")
    label, _, name = head.rpartition("=")
    parameters: dict[str, Any] = {}
    for piece in filter(None, (p.strip() for p in rest.split(","))):
        key, given, value = piece.partition("=")
        if given:
            parameters[key.strip()] = toml_value(value.strip())
        elif piece.endswith(".toml"):
            parameters |= parameters_of(Path(piece), name)
        else:
            what = "neither key=value nor a .toml file"
            raise InvalidInputError(
                (Fault("--solver", name, piece, "bad-parameter", what, "write key=value"),)
            )
    make(name, parameters)  # unknown solvers and parameters are told now
    return SolverSpec(label or text, name, parameters)


def parameters_of(path: Path, solver: str) -> dict[str, Any]:
    """A solver's parameters in a TOML file: its top-level keys, and those of a table named like the solver.

    Tables of other solvers are theirs. Raises `InvalidInputError` for a file that cannot be read and for each table
    that is neither a solver's nor a parameter.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise InvalidInputError((Fault(str(path), "", "", "unreadable", what, "check the path"),)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            (Fault(str(path), "", "", "bad-toml", str(error), "mend the file"),)
        ) from None
    own = content.pop(solver, {})
    own = own if isinstance(own, dict) else {solver: own}
    known = parameter_names(solver)
    others = {key for key, value in content.items() if isinstance(value, dict) and key not in known}
    if strange := sorted(others.difference(registered())):
        what, repair = "a table of no solver", f"there are: {', '.join(registered())}"
        raise InvalidInputError(
            tuple(Fault(str(path), f"[{key}]", "", "unknown-table", what, repair) for key in strange)
        )
    return {key: value for key, value in content.items() if key not in others} | own


def toml_value(text: str) -> Any:
    """The TOML value, or the text itself where it is none."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text
