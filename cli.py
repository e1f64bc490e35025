"""The command line: parsing, progress and output; all logic lives in the packages.

Data goes to stdout, progress and messages to stderr. Exit codes: 0 success, 1 invalid input, 2 internal
failure, 3 unserved visits or violations (`run` only with --strict), 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sim.run import RunResult

INVALID, INTERNAL, INCOMPLETE, INTERRUPTED = 1, 2, 3, 130

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
overrides = click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Override a scenario field; may be repeated."
)
seed_option = click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Threads for solvers; all cores by default."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="logistics-engine")
def logistics() -> None:
    """Simulate and optimize parcel networks, from order to doorstep."""


# --- scenarios --------------------------------------------------------------------------------------------


@logistics.command()
@click.argument("name")
@click.option("--template", default="small", show_default=True, help="What to start from; see --list.")
@click.option("--list", "list_them", is_flag=True, is_eager=True, help="List the templates.")
def init(name: str, template: str, list_them: bool) -> None:
    """Write a new scenario NAME.toml to edit."""
    from logistics.templates import init as write
    from logistics.templates import templates

    if list_them:
        click.echo("\n".join(templates()))
        return
    click.echo(write(name, template, Path.cwd()))


@logistics.command()
@click.argument("scenario", type=click.Path())
@overrides
@as_json
def validate(scenario: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Check a scenario and everything it refers to; report all faults at once."""
    from logistics.validate import validate as find_faults

    faults = find_faults(scenario, _changes(changes))
    if as_json:
        _print_json([fault.as_dict() for fault in faults])
    else:
        for fault in faults:
            click.echo(str(fault))
        _note("no faults" if not faults else f"{len(faults)} fault{'s' * (len(faults) > 1)}")
    sys.exit(INVALID if faults else 0)


@logistics.command()
@click.argument("scenario", type=click.Path())
@seed_option
@click.option("--out", help="Run folder; runs/NAME by default.")
@click.option("--overwrite", is_flag=True, help="Replace the run folder if it exists.")
@click.option("--strict", is_flag=True, help="Exit with 3 unless every parcel was delivered or cancelled.")
@click.option("--measured-solve-time", is_flag=True, help="Charge wall-clock solve times (not reproducible).")
@jobs_option
@overrides
@as_json
def run(
    scenario: str,
    seed: int,
    out: str | None,
    overwrite: bool,
    strict: bool,
    measured_solve_time: bool,
    jobs: int | None,
    changes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Simulate a scenario and write a run folder with tables, routes and a report."""
    from logistics.validate import load_scenario
    from sim.report import render_report
    from sim.run import folder_of, run_scenario
    from sim.run_folder import write_run
    from sim.twin import TwinOptions

    loaded = load_scenario(scenario, _changes(changes))
    folder = folder_of(out, loaded)
    _refuse_existing(folder, overwrite)
    with _spinner() as progress:
        result = run_scenario(
            loaded,
            seed,
            options=TwinOptions(jobs=jobs, measured_solve_time=measured_solve_time),
            progress=progress,
        )
        progress("writing")
        write_run(folder, loaded, result.tables, result.manifest, result.roads)
        report = render_report(folder)
    if as_json:
        _print_json({**result.manifest, "folder": str(folder), "report": str(report)})
    else:
        _print_kpis(result)
        click.echo(f"\nReport: {report}")
    unfinished = result.kpis["parcels"] - result.kpis["delivered"] - result.kpis["cancelled"]
    sys.exit(INCOMPLETE if strict and unfinished else 0)


@logistics.command()
@click.argument("scenarios", nargs=-1, required=True, type=click.Path())
@click.option("--solver", "solver_names", multiple=True, help="Compare solvers; give two or more.")
@click.option("--replications", default=5, show_default=True, type=click.IntRange(min=2))
@click.option("--level", default=0.95, show_default=True, type=click.FloatRange(0.5, 0.9999))
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(min=1), help="Processes.")
@seed_option
@overrides
@as_json
def compare(
    scenarios: tuple[str, ...],
    solver_names: tuple[str, ...],
    replications: int,
    level: float,
    jobs: int,
    seed: int,
    changes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compare variants under common random numbers, each with the first one.

    One SCENARIO with --set: the scenario as it is against the changed one. Two SCENARIOS, or one with several
    --solver: each against the first; --set then changes them all.
    """
    from logistics.validate import load_scenario
    from sim.comparing import Variant, compare_variants

    sets = _changes(changes)
    if len(scenarios) == 1 and len(solver_names) > 1:
        variants = [
            Variant(name, load_scenario(scenarios[0], {**sets, "dispatch.solver": f'"{name}"'}))
            for name in solver_names
        ]
    elif len(scenarios) > 1 and not solver_names:
        variants = [Variant(path, load_scenario(path, sets)) for path in scenarios]
    elif len(scenarios) == 1 and sets and not solver_names:
        changed = ", ".join(changes)
        variants = [
            Variant("as given", load_scenario(scenarios[0])),
            Variant(changed, load_scenario(scenarios[0], sets)),
        ]
    else:
        raise click.UsageError("give one scenario with --set or several --solver, or several scenarios")
    total = len(variants) * replications
    with _progress_bar("replications", total) as advance:
        found = compare_variants(variants, seed, replications, jobs, level, lambda *_: advance())
    if as_json:
        _print_json(
            [
                {
                    "base": each.base,
                    "variant": each.variant,
                    "kpis": {
                        row.figure: {
                            "base": row.mean_a,
                            "variant": row.mean_b,
                            "difference": row.difference.mean,
                            "half_width": row.difference.half_width,
                            "significant": row.significant,
                        }
                        for row in each.rows
                    },
                }
                for each in found
            ]
        )
        return
    from rich.table import Table

    for each in found:
        title = (
            f"{each.variant} against {each.base}: {replications} paired replications, {level:.0%} intervals"
        )
        table = Table("KPI", each.base, each.variant, "difference", "±", "", title=title)
        for row in each.rows:
            table.add_row(
                row.figure,
                f"{row.mean_a:,.2f}",
                f"{row.mean_b:,.2f}",
                f"{row.difference.mean:+,.2f}",
                f"{row.difference.half_width:,.2f}",
                "*" if row.significant else "",
            )
        _stdout().print(table)


@logistics.command()
@click.argument("folder", type=click.Path(path_type=Path))
@as_json
def report(folder: Path, as_json: bool) -> None:
    """Make the report of a run folder anew."""
    from sim.report import render_report

    path = render_report(folder)
    if as_json:
        _print_json({"report": str(path)})
    else:
        click.echo(path)


# --- solvers ----------------------------------------------------------------------------------------------


@logistics.command()
@as_json
def solvers(as_json: bool) -> None:
    """List the routing solvers and the problem features that each supports."""
    from solvers.errors import LogisticsError
    from solvers.features import FEATURES
    from solvers.registry import make, registered

    listed: dict[str, Any] = {}
    for name, info in registered().items():
        try:
            supported = sorted(make(name).features)
        except LogisticsError as error:
            listed[name] = {"origin": info.origin, "features": [], "unavailable": str(error)}
            continue
        listed[name] = {"origin": info.origin, "features": supported}
    if as_json:
        _print_json(listed)
        return
    from rich.table import Table

    table = Table("feature", *listed, title="Solvers and what they support")
    for feature, meaning in FEATURES.items():
        marks = ["yes" if feature in entry["features"] else "" for entry in listed.values()]
        table.add_row(f"{feature}: {meaning}", *marks)
    _stdout().print(table)


# --- helpers ----------------------------------------------------------------------------------------------


def _changes(pairs: tuple[str, ...]) -> Mapping[str, str]:
    changes = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="--set")
        changes[key.strip()] = value.strip()
    return changes


def _refuse_existing(folder: Path, overwrite: bool) -> None:
    from solvers.errors import Fault, InvalidInputError

    if folder.exists() and any(folder.iterdir()) and not overwrite:
        raise InvalidInputError(
            [
                Fault(
                    str(folder), "--out", "", "folder-exists",
                    "the run folder exists and is not empty", "name another or add --overwrite",
                )
            ]
        )  # fmt: skip


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _note(text: str) -> None:
    click.echo(text, err=True)


def _stdout() -> Any:
    from rich.console import Console

    return Console()


@contextmanager
def _spinner() -> Iterator[Callable[[str], None]]:
    """Progress on stderr: what is being done now; silent when stderr is not a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("") as status:
        yield lambda text: status.update(text)


@contextmanager
def _progress_bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr that is advanced one by one."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def _print_kpis(result: RunResult) -> None:
    from rich.table import Table

    table = Table("KPI", "value", title=f"{result.scenario.scenario.name}: key figures")
    for name, value in result.manifest["kpis"].items():
        shown = "–" if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
        table.add_row(name, shown)
    _stdout().print(table)


def main() -> None:
    """Entry point: turns every foreseen failure into a message and an exit code."""
    from solvers.errors import InvalidInputError, LogisticsError

    try:
        logistics(standalone_mode=False)
    except click.exceptions.Abort:
        _note("interrupted")
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        _note("interrupted")
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(INVALID)
    except InvalidInputError as error:
        _note(str(error))
        sys.exit(INVALID)
    except LogisticsError as error:
        _note(f"{error} [{error.code}]")
        sys.exit(INTERNAL if error.code in ("conservation", "plan-rejected") else INVALID)


if __name__ == "__main__":
    main()
