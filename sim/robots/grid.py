"""Floor maps for robots: the octile grid format shared by movingai.com and the League of Robot Runners."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from solvers.errors import Fault, InvalidInputError

EAST, SOUTH, WEST, NORTH = 0, 1, 2, 3
"""Headings in clockwise order; a robot turning clockwise (`R`) adds one modulo four."""

ROW_STEP: Final = (0, 1, 0, -1)
COLUMN_STEP: Final = (1, 0, -1, 0)
FREE_SYMBOLS: Final = frozenset(".GES")
BLOCKED_SYMBOLS: Final = frozenset("@OTW")
STATION_SYMBOLS: Final = frozenset("ES")
TILE_ROWS, TILE_COLUMNS = 4, 8
"""Cells whose entries of a distance table, two bytes each, are a cache line of 64 bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A rectangular floor of unit cells, 4-connected.

    Locations are `row * width + column`. Free cells also carry a dense index, which is what kernels use: their
    rank among the free cells, taken tile by tile of `TILE_ROWS` by `TILE_COLUMNS`, in reading order within tiles
    and among them. What is known of cells that are neighbours so lies close together in memory, both ways.

    Attributes:
        width, height: cells.
        free: bool (height * width,), whether a robot may stand there.
        station: bool (height * width,), emitter (`E`) or service (`S`) points, where errands end.
        cells: int32 (n_free,), location of each dense index.
        index: int32 (height * width,), dense index of each location, -1 where blocked.
        neighbours: int32 (n_free, 4), dense index of the next cell East, South, West, North, or -1.
    """

    width: int
    height: int
    free: NDArray[np.bool_]
    station: NDArray[np.bool_]
    cells: NDArray[np.int32]
    index: NDArray[np.int32]
    neighbours: NDArray[np.int32]

    @property
    def n_free(self) -> int:
        return len(self.cells)

    @classmethod
    def from_rows(cls, rows: list[str]) -> Grid:
        """Grid of text rows of equal length made of map symbols (`.` free, `@` blocked, `E`, `S` stations).

        >>> Grid.from_rows([".@", "E."]).neighbours.tolist()
        [[-1, 1, -1, -1], [2, -1, -1, 0], [-1, -1, 1, -1]]
        """
        height, width = len(rows), len(rows[0])
        symbols = np.array([list(row) for row in rows])
        free = np.isin(symbols, list(FREE_SYMBOLS))
        station = np.isin(symbols, list(STATION_SYMBOLS))
        row, column = np.divmod(np.flatnonzero(free), width)
        tiled = np.lexsort((column, row, column // TILE_COLUMNS, row // TILE_ROWS))
        row, column = row[tiled], column[tiled]
        cells = (row * width + column).astype(np.int32)
        index = np.full(height * width, -1, np.int32)
        index[cells] = np.arange(len(cells), dtype=np.int32)
        padded = np.full((height + 2, width + 2), -1, np.int32)
        padded[1:-1, 1:-1] = index.reshape(height, width)
        neighbours = np.stack(
            [padded[row + 1 + dr, column + 1 + dc] for dr, dc in zip(ROW_STEP, COLUMN_STEP, strict=True)],
            axis=1,
        )
        return cls(width, height, free.ravel(), station.ravel(), cells, index, neighbours.astype(np.int32))


def read_map(path: Path) -> Grid:
    """Read a `.map` file.

    Raises:
        InvalidInputError: every fault found, each with its line number.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError([unreadable(path, error)]) from error
    faults: list[Fault] = []

    def fault(line: int, value: str, code: str, message: str, repair: str) -> None:
        faults.append(Fault(str(path), f"line {line}", value, code, message, repair))

    if not lines or lines[0].split() != ["type", "octile"]:
        fault(1, lines[0] if lines else "", "map-type", "not an octile map", "start with `type octile`")
    size = {"height": 0, "width": 0}
    for number, key in ((2, "height"), (3, "width")):
        words = lines[number - 1].split() if len(lines) >= number else []
        if len(words) == 2 and words[0] == key and words[1].isdecimal() and int(words[1]) > 0:
            size[key] = int(words[1])
        else:
            fault(number, " ".join(words), "map-size", f"no {key}", f"write `{key} N` with N at least 1")
    if len(lines) < 4 or lines[3].strip() != "map":
        found = lines[3] if len(lines) >= 4 else ""
        fault(4, found, "map-header", "rows are not announced", "write `map` on line 4")
    rows = [line.rstrip() for line in lines[4:]]
    while rows and not rows[-1]:
        rows.pop()
    if size["height"] and len(rows) != size["height"]:
        fault(
            len(rows) + 4,
            f"{len(rows)} rows",
            "map-rows",
            f"the header promises {size['height']} rows",
            "add or remove rows, or correct the height",
        )
    known = FREE_SYMBOLS | BLOCKED_SYMBOLS
    for number, row in enumerate(rows, start=5):
        if size["width"] and len(row) != size["width"]:
            fault(
                number,
                f"{len(row)} symbols",
                "map-row-width",
                f"the header promises {size['width']} symbols",
                "complete the row or correct the width",
            )
        strange = sorted(set(row) - known)
        if strange:
            repair = f"use one of {''.join(sorted(known))}"
            fault(number, "".join(strange), "map-symbol", "unknown map symbol", repair)
    if not faults and not any(symbol in FREE_SYMBOLS for row in rows for symbol in row):
        fault(5, "", "map-no-free-cell", "no cell is free", "mark cells where robots drive with `.`")
    if faults:
        raise InvalidInputError(faults)
    return Grid.from_rows(rows)


def unreadable(path: Path, error: Exception) -> Fault:
    """The fault of a file that is missing or not UTF-8 text."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
    return Fault(str(path), "", "", "file-unreadable", reason, "give an existing, readable text file")
