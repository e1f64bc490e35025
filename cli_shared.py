"""What the commands of the command line share: exit codes, options, progress on stderr, output on stdout."""

from __future__ import annotations

import atexit
import importlib.util
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

CORES = os.cpu_count() or 1
INVALID, INTERNAL, INCOMPLETE, INTERRUPTED = 1, 2, 3, 130


class FiniteRange(click.FloatRange):
    """A range of numbers; click lets "nan" and, without an upper bound, "inf" pass for numbers."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
overrides = click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Override a scenario field; may be repeated."
)
seed_option = click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace the folder's files if it exists.")
processes_option = click.option(
    "--jobs",
    default=CORES,
    show_default=True,
    type=click.IntRange(1, CORES, clamp=True),
    help="Processes, at most one a core.",
)
rounding_option = click.option(
    "--rounding", type=click.Choice(["round", "dimacs", "exact"]), help="Of VRPLIB and Solomon files."
)


def ensure_kernel_cache() -> None:
    """Give numba a folder for compiled kernels where neither the packages nor the user's cache can be written.

    numba refuses to compile cached functions otherwise. The folder is new and private: a shared one could hold
    code of other users.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    spec = importlib.util.find_spec("solvers")
    places = [Path(place) for place in (spec.submodule_search_locations if spec else None) or []]
    places.append(Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()))
    for place in places:
        there = next(each for each in (place, *place.parents) if each.exists())
        if os.access(there, os.W_OK):
            return
    folder = tempfile.mkdtemp(prefix="logistics-kernels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = folder
    note("no folder for compiled code can be written, so every run compiles anew; set NUMBA_CACHE_DIR to one")


def parse_changes(pairs: tuple[str, ...]) -> Mapping[str, str]:
    """The KEY=VALUE pairs of --set."""
    changes = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="--set")
        changes[key.strip()] = value.strip()
    return changes


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def note(text: str) -> None:
    """A message on stderr."""
    click.echo(text, err=True)


def number(value: float | None, sign: str = "") -> str:
    """A figure as people read it: whole numbers without decimals, a dash for none."""
    if value is None or value != value:
        return "–"
    return f"{value:{sign},.0f}" if float(value).is_integer() else f"{value:{sign},.2f}"


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table on stdout, as wide as its content where stdout is no terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else 400
    Console(width=width).print(table)


@contextmanager
def spinner() -> Iterator[Callable[[str], None]]:
    """Progress on stderr: what is being done now; silent when stderr is not a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("") as status:
        yield lambda text: status.update(text)


@contextmanager
def progress_bar(what: str, total: int, done: int = 0) -> Iterator[Callable[[], None]]:
    """A bar on stderr that is advanced one by one; silent when stderr is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total, completed=done)
        yield lambda: bar.advance(task)
