"""The exception tree. Every error the project raises on purpose descends from `LogisticsError`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: where, what was found, why it is wrong and how to mend it.

    `file` is the path as the user gave it, `place` a line (`line 7`), row (`row 12, column qty`) or field
    (`sites[2].docks`), `code` a stable identifier that scripts may match.
    """

    file: str
    place: str
    value: str
    code: str
    message: str
    repair: str

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.file, self.place) if part)
        found = f" (found {self.value})" if self.value else ""
        return f"{where}: {self.message}{found}; {self.repair} [{self.code}]"

    def as_dict(self) -> dict[str, str]:
        return {
            "file": self.file,
            "place": self.place,
            "value": self.value,
            "code": self.code,
            "message": self.message,
            "repair": self.repair,
        }


class LogisticsError(Exception):
    """Root of all errors raised by `solvers`, `logistics` and `sim`. `code` is stable across versions."""

    code = "error"


@dataclass(eq=False)
class InvalidInputError(LogisticsError):
    """An input has faults; all those found in one pass are in `faults`. Exit code 1 on the command line."""

    faults: Sequence[Fault] = field(default_factory=tuple)
    code = "invalid-input"

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class UnsupportedFeatureError(LogisticsError):
    """A solver was given a problem with a feature that it does not declare."""

    code = "unsupported-feature"


class UnknownSolverError(LogisticsError):
    """No solver is registered under that name."""

    code = "unknown-solver"


class BrokenSolverError(LogisticsError):
    """A solver of another package cannot be made."""

    code = "broken-solver"


class MissingExtraError(LogisticsError):
    """An optional package is needed; the message names the extra that brings it."""

    code = "missing-extra"
