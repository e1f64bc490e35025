"""Reading text files line by line while collecting every fault with its line number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solvers.errors import Fault, InvalidInputError

LARGEST = 1e11  # of a number in a file; in units of any rounding it stays below `UNLIMITED`


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank: its number in the file, from 1, and its words."""

    number: int
    text: str
    words: tuple[str, ...]


def is_number(word: str) -> bool:
    """Whether the word is read as a number, finite or not."""
    try:
        float(word)
    except ValueError:
        return False
    return True


class Faults:
    """Faults of one file; `check` raises them all together."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: list[Fault] = []

    def add(self, line: int | None, value: object, code: str, message: str, repair: str) -> None:
        place = "" if line is None else f"line {line}"
        self._found.append(Fault(str(self.path), place, str(value), code, message, repair))

    def at(self, field: str, value: object, code: str, message: str, repair: str) -> None:
        """A fault at a field of a structured file."""
        self._found.append(Fault(str(self.path), field, str(value), code, message, repair))

    def check(self) -> None:
        if self._found:
            raise InvalidInputError(tuple(self._found))

    def number(
        self, line: int, word: str, what: str, *, least: float | None = None, most: float = LARGEST
    ) -> float:
        """`word` as a finite number from `least` on, of a size up to `most`; a fault and 0 otherwise."""
        try:
            value = float(word)
        except ValueError:
            self.add(line, word, "bad-number", f"{what} is not a number", "write a number")
            return 0.0
        if not math.isfinite(value):
            self.add(line, word, "bad-number", f"{what} is not finite", "write a finite number")
            return 0.0
        if least is not None and value < least:
            self.add(line, word, "negative", f"{what} is below {least:g}", f"use {least:g} or more")
            return max(0.0, least)
        if abs(value) > most:
            self.add(line, word, "too-large", f"{what} is beyond {most:.0f}", "use a smaller number or unit")
            return max(0.0, least or 0.0)
        return value

    def integer(
        self, line: int, word: str, what: str, *, least: int | None = None, most: float = LARGEST
    ) -> int:
        """`word` as a whole number, at least `least`, at most `most`; a fault and 0 otherwise."""
        value = self.number(line, word, what, least=least, most=most)
        if value != int(value):
            self.add(line, word, "not-whole", f"{what} is not a whole number", "write a whole number")
        return int(value)

    def index(self, line: int, word: str, what: str) -> int | None:
        """`word` as a whole number; a fault and None otherwise, as what is no number is no wrong number as well."""
        before = len(self._found)
        value = self.integer(line, word, what)
        return value if len(self._found) == before else None

    def depot_demand(self, line: int, demand: float) -> None:
        """A depot's demand that is not 0: the numbers may be of another node."""
        message, repair = "a depot has a demand, which nobody would serve", "set it to 0"
        self.add(line, f"{demand:g}", "depot-demand", message, repair)

    def row(self, line: Line, columns: int, what: str) -> Sequence[str] | None:
        """The line's words if there are exactly `columns`; a fault and None otherwise."""
        if len(line.words) == columns:
            return line.words
        found = len(line.words)
        self.add(line.number, found, "wrong-columns", f"{what}: {columns} columns expected", "mend the row")
        return None


def read_lines(path: Path) -> list[Line]:
    """The lines of a UTF-8 text file that are not blank; raises `InvalidInputError` if it cannot be read."""
    faults = Faults(path)
    text = ""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        faults.add(None, "", "unreadable", f"the file cannot be read: {error.strerror}", "check the path")
    except UnicodeDecodeError as error:
        faults.add(None, "", "not-text", f"byte {error.start} is not UTF-8 text", "give a text file")
    faults.check()
    numbered = enumerate(text.splitlines(), start=1)
    lines = [Line(i, raw.strip(), tuple(raw.split())) for i, raw in numbered if raw.strip()]
    if not lines:
        faults.add(None, "", "empty-file", "the file is empty", "give an instance file")
        faults.check()
    return lines
