"""Commands about scenarios and runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli_shared import (
    INCOMPLETE,
    INVALID,
    FiniteRange,
    as_json,
    note,
    number,
    overrides,
    overwrite_option,
    parse_changes,
    print_json,
    print_table,
    processes_option,
    progress_bar,
    seed_option,
    spinner,
)


def _list_templates(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print what `init` can start from and leave: --list needs no NAME."""
    from logistics.templates import templates

    if wanted:
        click.echo("\n".join([*templates(), "solver"]))
        context.exit()


@click.command()
@click.argument("name")
@click.option("--template", default="small", show_default=True, help="What to start from; see --list.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_templates,
    help="List the templates.",
)
def init(name: str, template: str) -> None:
    """Write a new scenario NAME.toml to edit; or, from the template `solver`, a package with a routing solver."""
    from logistics.templates import init as write

    if template == "solver":
        from solvers.template import write_package

        click.echo(write_package(name, Path.cwd()))
        return
    click.echo(write(name, template, Path.cwd()))


@click.command()
@click.argument("scenario", type=click.Path())
@overrides
@as_json
def validate(scenario: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Check a scenario and everything it refers to; report all faults at once."""
    from logistics.validate import validate as find_faults

    faults = find_faults(scenario, parse_changes(changes))
    if as_json:
        print_json([fault.as_dict() for fault in faults])
    else:
        for fault in faults:
            click.echo(str(fault))
        note("no faults" if not faults else f"{len(faults)} fault{'s' * (len(faults) > 1)}")
    sys.exit(INVALID if faults else 0)


def _every_sorter_in_full(scenario: str) -> dict[str, str]:
    """Changes that have every sorter of a scenario file simulated in full; none where the file can't be read,
    which loading it tells better."""
    import tomllib

    try:
        sites = tomllib.loads(Path(scenario).read_text(encoding="utf-8"))["sites"]
        return {f"sites.{site['id']}.sorting.full": "true" for site in sites if "sorting" in site}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


@click.command()
@click.argument("scenario", type=click.Path())
@seed_option
@click.option("--out", help="Run folder; runs/NAME by default.")
@overwrite_option
@click.option(
    "--from",
    "start_from",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Go on from the state in which the run in this folder ended.",
)
@click.option("--strict", is_flag=True, help="Exit with 3 unless every parcel was delivered or cancelled.")
@click.option("--measured-solve-time", is_flag=True, help="Charge wall-clock solve times (not reproducible).")
@click.option("--jobs", type=click.IntRange(min=1), help="Threads for solvers; all cores by default.")
@click.option("--full-robots", is_flag=True, help="Simulate every robot of every sorter, no day-long curve.")
@overrides
@as_json
def run(
    scenario: str,
    seed: int,
    out: str | None,
    overwrite: bool,
    start_from: Path | None,
    strict: bool,
    measured_solve_time: bool,
    jobs: int | None,
    full_robots: bool,
    changes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Simulate a scenario and write a run folder with tables, routes and a report."""
    from logistics.validate import load_scenario
    from sim.report import render_report
    from sim.run import folder_of, run_scenario
    from sim.run_folder import staged, write_run
    from sim.twin import TwinOptions
    from sim.warehouse.site import unlearned

    wanted = parse_changes(changes)
    if full_robots:
        wanted = {**_every_sorter_in_full(scenario), **wanted}
    loaded = load_scenario(scenario, wanted)
    folder = folder_of(out, loaded)
    with staged(folder, overwrite) as place, spinner() as progress:
        result = run_scenario(
            loaded,
            seed,
            options=TwinOptions(jobs=jobs, measured_solve_time=measured_solve_time),
            progress=progress,
            start_from=start_from,
        )
        progress("writing")
        write_run(place, loaded, result.tables, result.manifest, result.roads, result.state)
        report = folder / render_report(place).name
    if as_json:
        print_json({**result.manifest, "folder": str(folder), "report": str(report)})
    else:
        rows = [[name, number(value)] for name, value in result.manifest["kpis"].items()]
        print_table(f"{loaded.scenario.name}: key figures", ["KPI", "value"], rows)
        click.echo(f"\nReport: {report}")
    came_from = result.manifest["from"]
    if came_from and came_from["orders_before"]:
        note(f"{came_from['orders_before']} orders before {came_from['moment']} are the earlier run's")
    for site, policy in unlearned(loaded, result.manifest.get("storage", {})):
        note(f"{site}: no order of its items before the run is known: slotting by {policy} goes by item code")
    # of all parcels: the key figures count those of the measuring window alone
    states = result.tables["parcels"]["state"].to_pylist()
    unfinished = sum(state not in ("delivered", "cancelled") for state in states)
    sys.exit(INCOMPLETE if strict and unfinished else 0)


def _dispatch_of(solver: str) -> dict[str, str]:
    """Overrides (TOML values by dotted key) for NAME:KEY=VALUE,…; an iteration is another thing in each solver."""
    import json

    from solvers.bench.specs import parse_spec

    name, _, rest = solver.partition(":")
    pieces = [piece.strip() for piece in rest.split(",")]
    sizes = [piece.partition("=")[2] for piece in pieces if piece.startswith("iterations=")]
    spec = parse_spec(f"{name}:{','.join(p for p in pieces if not p.startswith('iterations='))}")
    changes = {"dispatch.solver": json.dumps(spec.name)}
    if sizes:
        changes["dispatch.iterations"] = sizes[-1]
    return changes | {f"dispatch.parameters.{k}": json.dumps(v) for k, v in spec.parameters.items()}


@click.command()
@click.argument("scenarios", nargs=-1, required=True, type=click.Path())
@click.option(
    "--solver",
    "solver_names",
    multiple=True,
    help="NAME or NAME:KEY=VALUE,…; the key iterations sizes its searches. Give two or more.",
)
@click.option("--replications", default=5, show_default=True, type=click.IntRange(min=2))
@click.option("--level", default=0.95, show_default=True, type=FiniteRange(0.5, 0.9999))
@processes_option
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

    sets = parse_changes(changes)
    if len(scenarios) == 1 and len(solver_names) > 1:
        variants = [
            Variant(name, load_scenario(scenarios[0], {**sets, **_dispatch_of(name)}))
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
    with progress_bar("replications", len(variants) * replications) as advance:
        found = compare_variants(variants, seed, replications, jobs, level, lambda *_: advance())
    if as_json:
        print_json(
            [
                {
                    "base": each.base,
                    "variant": each.variant,
                    "kpis": {row.figure: row.as_dict() for row in each.rows},
                }
                for each in found
            ]
        )
        return
    for each in found:
        rows = [
            [
                row.figure,
                number(row.mean_a),
                number(row.mean_b),
                number(row.difference.mean, "+"),
                number(row.difference.half_width),
                "*" if row.significant else "",
            ]
            for row in each.rows
        ]
        print_table(
            f"{each.variant} against {each.base}: {replications} paired replications, {level:.0%} intervals",
            ["KPI", each.base, each.variant, "difference", "±", ""],
            rows,
        )
    note("* the interval of the difference leaves out zero")


@click.command()
@click.argument("scenario", type=click.Path())
@click.option(
    "--grid",
    "pairs",
    multiple=True,
    required=True,
    metavar="KEY=V1,V2",
    help="Values to combine; may be repeated.",
)
@click.option("--replications", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--level", default=0.95, show_default=True, type=FiniteRange(0.5, 0.9999))
@click.option("--kpi", "shown", multiple=True, help="Key figures to show; may be repeated.")
@click.option(
    "--require",
    "bounds",
    multiple=True,
    metavar="KPI>=X",
    help="Name the cheapest combination that keeps this.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the sweep; runs/sweep-NAME by default."
)
@processes_option
@seed_option
@overrides
@as_json
def sweep(
    scenario: str,
    pairs: tuple[str, ...],
    replications: int,
    level: float,
    shown: tuple[str, ...],
    bounds: tuple[str, ...],
    out: Path | None,
    jobs: int,
    seed: int,
    changes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run every combination of a grid of values on the same random numbers.

    What is done is kept in the folder: the same command goes on where an interrupted one stopped.
    """
    from sim.sweeping import (
        CELLS,
        MAIN_FIGURES,
        build_cells,
        cheapest,
        check_figures,
        parse_grid,
        parse_requirements,
        run_sweep,
    )

    requirements = parse_requirements(bounds)
    cells = build_cells(scenario, parse_grid(pairs), parse_changes(changes))
    folder = out or Path("runs") / f"sweep-{cells[0].scenario.scenario.name}"
    with progress_bar("replications", len(cells) * replications) as advance:
        results = run_sweep(cells, seed, replications, jobs, folder, level, advance, lambda *_: advance())
    check_figures(results, [*shown, *(each.figure for each in requirements)])
    best = cheapest(results, requirements) if requirements else None
    if as_json:
        print_json(
            {
                "cells": [cell.as_dict() for cell in results],
                "cheapest": None if best is None else dict(best.values),
                "folder": str(folder),
            }
        )
        return
    figures = [name for name in shown or MAIN_FIGURES if any(name in cell.figures for cell in results)]
    rows = [
        [*cell.values.values(), *(cell.shown(name) for name in figures), "cheapest" if cell is best else ""]
        for cell in results
    ]
    print_table(
        f"{replications} replications each, {level:.0%} intervals; * differs from the first row",
        [*results[0].values, *figures, ""],
        rows,
    )
    if requirements:
        kept = ", ".join(bounds)
        found = "no combination keeps" if best is None else f"cheapest is {best.name} among those that keep"
        click.echo(f"{found} {kept}")
    click.echo(f"Table: {folder / CELLS}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--order", help="The order's reference; without it the latest orders are listed.")
@as_json
def explain(folder: Path, order: str | None, as_json: bool) -> None:
    """Tell the life of an order in a run: stages, waits, plans, vehicles, why late or left out, cost."""
    from dataclasses import asdict

    from sim.order_story import tell_order, worst_orders

    if order is None:
        worst = [asdict(each) for each in worst_orders(folder)]
        if as_json:
            print_json(worst)
        elif worst:
            rows = [[number(v) if isinstance(v, float) else str(v) for v in each.values()] for each in worst]
            print_table("latest orders", list(worst[0]), rows)
        else:
            click.echo("no order was late")
        return
    story = tell_order(folder, order)
    if as_json:
        print_json(story.as_dict())
        return
    for line in story.lines():
        click.echo(line)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@as_json
def report(folder: Path, as_json: bool) -> None:
    """Make the report of a run folder anew."""
    from sim.report import render_report

    path = render_report(folder)
    if as_json:
        print_json({"report": str(path)})
    else:
        click.echo(path)
