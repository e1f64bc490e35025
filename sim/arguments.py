"""Command lines of `python -m sim.warehouse` and `python -m sim.sorting`: bounds of numbers, faults in one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

INVALID, INTERRUPTED = 1, 130


class Parser(argparse.ArgumentParser):
    """Refuses what it cannot read with exit code 1, as `logistics` does."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(INVALID, f"{self.prog}: {message}\n")


def whole(least: int) -> Callable[[str], int]:
    """Reads a whole number from `least` up."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} up")
        return value

    return read


def above_zero(text: str) -> float:
    """Reads a finite number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def leave(main: Callable[[], int]) -> NoReturn:
    """Exit with what `main` returns; Ctrl-C is no failure of the program."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(INTERRUPTED)
