"""The header of a CSV file: columns that a table must not have twice."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from solvers.errors import Fault


def doubled_columns(
    path: Path, columns: Iterable[str], *, encoding: str = "utf-8-sig", delimiter: str = ","
) -> list[Fault]:
    """A fault for each of `columns` that the header names more than once: which one counts would be a guess.

    Raises OSError, ValueError or csv.Error where the header cannot be read.
    """
    with path.open(encoding=encoding, newline="") as stream:
        header = next(csv.reader(stream, delimiter=delimiter), [])
    times = Counter(name.strip() for name in header)
    return [
        Fault(
            str(path),
            "header",
            name,
            "duplicate-column",
            f"the column {name} is there {times[name]} times",
            "keep one of them, or rename the others",
        )
        for name in columns
        if times[name] > 1
    ]
