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

from cli_bench import bench

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


logistics.add_command(bench)


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
@click.argument("problem", type=click.Path())
@click.option("--solver", "name", default="ruin_recreate", show_default=True)
@click.option(
    "--time-limit", type=click.FloatRange(min=0, min_open=True), help="Seconds; 60 without --iterations."
)
@click.option("--iterations", type=click.IntRange(min=1), help="Stop by iterations: reproducible.")
@click.option(
    "--rounding", type=click.Choice(["round", "dimacs", "exact"]), help="Of VRPLIB and Solomon files."
)
@click.option("--out", type=click.Path(), help="Write the solution (.json, or .sol).")
@seed_option
@as_json
def solve(
    problem: str,
    name: str,
    time_limit: float | None,
    iterations: int | None,
    rounding: str | None,
    out: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Solve a routing problem: a native .json, a VRPLIB .vrp or a Solomon .txt file."""
    from solvers import MaxIterations, MaxRuntime, make
    from solvers.check import check as verify
    from solvers.native import dump_solution, load_problem
    from solvers.stop import Stop

    loaded = load_problem(problem, rounding)
    stop: Stop = MaxIterations(iterations) if iterations else MaxRuntime(time_limit or 60.0)
    if iterations and time_limit:
        stop = MaxIterations(iterations) | MaxRuntime(time_limit)
    with _spinner() as progress:
        progress(f"{name} on {loaded.name or problem}: {loaded.num_visits} visits")
        result = make(name).solve(
            loaded,
            stop,
            seed=seed,
            on_best=lambda best: progress(f"{name}: cost {best.cost:,} after {best.elapsed_s:.1f} s"),
        )
    report = verify(loaded, result.solution)
    if out is not None:
        dump_solution(loaded, result.solution, out)
    if as_json:
        _print_json(
            {
                "status": str(result.status),
                "cost": result.cost,
                "routes": [
                    {"vehicle_type": loaded.vehicle_types.names[r.vehicle_type], "visits": list(r.visits)}
                    for r in result.solution.routes
                ],
                "unserved": list(report.unserved),
                "violations": [v.message for v in report.violations],
                "runtime_s": result.runtime_s,
                "seed": result.seed,
            }
        )
    else:
        click.echo(
            f"{result.status}: cost {result.cost:,}, {len(result.solution.routes)} routes, "
            f"{len(report.unserved)} unserved, {result.runtime_s:.1f} s"
        )
    if result.interrupted:
        sys.exit(INTERRUPTED)
    sys.exit(INCOMPLETE if report.unserved or report.violations else 0)


@logistics.command()
@click.argument("problem", type=click.Path())
@click.argument("solution", type=click.Path())
@click.option(
    "--rounding", type=click.Choice(["round", "dimacs", "exact"]), help="Of VRPLIB and Solomon files."
)
@as_json
def check(problem: str, solution: str, rounding: str | None, as_json: bool) -> None:
    """Check a solution against its problem, independently of every solver."""
    from solvers.check import check as verify
    from solvers.native import load_problem, load_solution

    loaded = load_problem(problem, rounding)
    report = verify(loaded, load_solution(solution, loaded))
    if as_json:
        _print_json(
            {
                "feasible": report.feasible,
                "cost": report.cost.total,
                "violations": [{"code": v.code, "message": v.message} for v in report.violations],
                "unserved": list(report.unserved),
            }
        )
    else:
        for violation in report.violations:
            click.echo(violation.message)
        click.echo(
            f"cost {report.cost.total:,}; {len(report.violations)} violations, {len(report.unserved)} unserved"
        )
    sys.exit(0 if report.feasible else INCOMPLETE)


@logistics.group("import")
def import_() -> None:
    """Bring in orders or roads from other sources."""


@import_.command("orders")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--map", "map_name", default="uci-online-retail", show_default=True, help="Built-in, or a TOML file."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Parquet file to write.")
@as_json
def import_orders(source: Path, map_name: str, out: Path, as_json: bool) -> None:
    """Clean an order file (CSV or Parquet) by a column map; report what was dropped and why."""
    from logistics.importing.files import import_orders as clean

    report = clean(source, map_name, out)
    if as_json:
        _print_json(
            {"lines_read": report.lines_read, "lines_kept": report.lines_kept, "dropped": report.dropped}
        )
        return
    click.echo(f"read {report.lines_read:,} lines, kept {report.lines_kept:,}")
    for reason, lines in report.dropped.items():
        click.echo(f"  dropped {lines:,}: {reason}")


@import_.command("roads")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Road graph file to write.")
@as_json
def import_roads(source: Path, out: Path, as_json: bool) -> None:
    """Turn an .osm.pbf extract or a graph with hourly speeds into a road graph file."""
    from dataclasses import asdict

    from logistics.roads.importer import import_roads as bring

    report = asdict(bring(source, out))
    if as_json:
        click.echo(json.dumps(report, indent=2, default=str))
        return
    for key, value in report.items():
        click.echo(f"{key}: {value}")


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
    try:
        logistics(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _note("interrupted")
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(INVALID)
    except Exception as error:
        # Imported only now: `logistics --help` need not load numpy.
        from solvers.errors import InvalidInputError, LogisticsError

        if isinstance(error, InvalidInputError):
            _note(str(error))
            sys.exit(INVALID)
        if isinstance(error, LogisticsError):
            _note(f"{error} [{error.code}]")
            sys.exit(INTERNAL if error.code in ("conservation", "plan-rejected") else INVALID)
        if isinstance(error, BrokenPipeError):
            sys.exit(0)
        _note(f"internal failure: {type(error).__name__}: {error}; please report it with the command you ran")
        sys.exit(INTERNAL)


if __name__ == "__main__":
    main()
