"""A package to start a solver from: it installs beside this one and is found by its entry point.

The files end in `.in`; `@package@`, `@name@` and `@Class@` in them stand for the new package's names.
"""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from solvers.errors import Fault, InvalidInputError
from solvers.registry import registered

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")

# template file -> its place in the new package
_FILES = {
    "pyproject.toml.in": "pyproject.toml",
    "README.md.in": "README.md",
    "solver.py.in": "@package@/__init__.py",
    "test_solver.py.in": "tests/test_solver.py",
}


def _installed(package: str) -> bool:
    spec = find_spec(package)
    return spec is not None and spec.origin is not None  # any folder at hand would do as a namespace


def write_package(name: str, folder: Path) -> Path:
    """Write a package NAME with a working solver of that name into `folder` and return its path.

    Raises `InvalidInputError` for a name that a package cannot have, that a solver or an installed package has
    already, or whose folder exists.
    """
    target, faults = folder / name, []
    if not _NAME.fullmatch(name):
        repair = "use lower-case letters, digits and single dashes, a letter first"
        faults.append(Fault(name, "name", name, "bad-name", "not a name for a package", repair))
    elif name.replace("-", "_") in registered() or _installed(name.replace("-", "_")):
        what = "a solver or an installed package has that name"
        faults.append(Fault(name, "name", name, "name-taken", what, "choose another name"))
    elif target.exists():
        faults.append(Fault(str(target), "", "", "file-exists", "it exists already", "choose another name"))
    if faults:
        raise InvalidInputError(tuple(faults))
    package = name.replace("-", "_")
    words = {
        "@package@": package,
        "@name@": package,
        "@project@": name,
        "@Class@": "".join(part.capitalize() for part in package.split("_")) + "Solver",
    }

    def filled(text: str) -> str:
        for mark, word in words.items():
            text = text.replace(mark, word)
        return text

    for source, place in _FILES.items():
        path = target / filled(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            filled(files(__package__).joinpath(source).read_text(encoding="utf-8")), encoding="utf-8"
        )
    return target
