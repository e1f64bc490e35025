"""Commands that measure solvers on benchmark instances: `logistics bench …`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli_shared import (
    INCOMPLETE,
    INTERNAL,
    INTERRUPTED,
    FiniteRange,
    as_json,
    note,
    print_json,
    print_table,
    progress_bar,
    spinner,
)

if TYPE_CHECKING:
    from solvers.bench import Outcome, SolverSpec


@click.group()
def bench() -> None:
    """Measure solvers on folders of benchmark instances."""


def campaign_options(command: Any, *, out_required: bool = True) -> Any:
    """Arguments and options of commands that run solvers on instances."""
    for option in reversed(
        (
            click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)),
            click.option("--time-limit", type=FiniteRange(min=0, min_open=True), help="Seconds of each run."),
            click.option(
                "--clock",
                type=click.Choice(["wall", "processor"]),
                default="wall",
                show_default=True,
                help="What the seconds are of; processor time where other work shares the machine.",
            ),
            click.option(
                "--iterations", type=click.IntRange(min=1), help="Iterations of each run: reproducible."
            ),
            click.option(
                "--no-improvement", type=click.IntRange(min=1), help="Iterations without improvement."
            ),
            click.option("--seeds", default="1", show_default=True, help="Numbers or ranges: 1,2,5-7."),
            click.option(
                "--jobs", type=click.IntRange(min=1), help="Runs at a time; what the cores allow by default."
            ),
            click.option(
                "--cores", default=1, show_default=True, type=click.IntRange(min=1), help="Cores of a run."
            ),
            click.option(
                "--out",
                required=out_required,
                type=click.Path(path_type=Path),
                help="Folder of the records; resumed if it exists.",
            ),
            click.option(
                "--match", multiple=True, metavar="PATTERN", help="Instances by name, like 'X-n1*'."
            ),
            click.option(
                "--every",
                type=click.IntRange(min=1),
                help="Every Kth instance by name (0, K, 2K, …) of a folder, before --match.",
            ),
            click.option(
                "--not-every", type=click.IntRange(min=2), help="All but every Kth instance by name."
            ),
            click.option(
                "--limit", type=click.IntRange(min=1), help="At most so many of a folder, spread evenly."
            ),
            click.option(
                "--fleet-of",
                type=(click.Path(exists=True, path_type=Path), str),
                metavar="RUNS SOLVER",
                help="At least cost with as many vehicles as SOLVER used in the records RUNS.",
            ),
            as_json,
        )
    ):
        command = option(command)
    return command


@bench.command()
@campaign_options
@click.option(
    "--solver", "solvers", multiple=True, required=True, help="NAME, NAME:KEY=VALUE,… or NAME:FILE.toml."
)
def run(solvers: tuple[str, ...], as_json: bool, out: Path, **how: Any) -> None:
    """Run SOLVERS on the instances in FOLDERS, one core each, every solution checked.

    Runs that the records in --out already hold are not repeated: the same command resumes what was cut off.
    """
    from solvers.bench import parse_spec

    outcome = _campaign([parse_spec(text) for text in solvers], out, **how)
    if as_json:
        print_json({**vars(outcome), "out": str(out)})
    else:
        done = f"{outcome.done} runs done, {outcome.skipped} already there, {outcome.failed} failed"
        click.echo(f"{done}; records: {out}")
    _leave(outcome)


def _campaign(
    specs: list[SolverSpec],
    out: Path,
    folders: tuple[Path, ...],
    time_limit: float | None,
    clock: str,
    iterations: int | None,
    no_improvement: int | None,
    seeds: str,
    jobs: int | None,
    cores: int,
    match: tuple[str, ...],
    every: int | None,
    not_every: int | None,
    limit: int | None,
    fleet_of: tuple[Path, str] | None,
) -> Outcome:
    from solvers.bench import Campaign, Record, choose, load_records
    from solvers.bench.campaign import fleets_of
    from solvers.bench.machine import command_text
    from solvers.bench.record import StopSpec
    from solvers.clock import Clock

    campaign = Campaign(
        out,
        choose(folders, match=match, every=every, not_every=not_every, limit=limit),
        specs,
        _seeds(seeds),
        StopSpec(time_limit, iterations, no_improvement, Clock(clock)),
        jobs,
        cores,
        command_text(sys.argv[1:]),
        None if fleet_of is None else fleets_of(load_records([fleet_of[0]]), fleet_of[1]),
    )
    with progress_bar("runs", campaign.size) as advance:

        def told(record: Record, done: int, total: int) -> None:
            note(f"{done}/{total} {_line(record)}")
            advance()

        return campaign.run(told)


def _leave(outcome: Outcome) -> None:
    if outcome.interrupted:
        note("interrupted; the same command goes on")
        sys.exit(INTERRUPTED)
    sys.exit(INTERNAL if outcome.failed else 0)


@bench.command()
@partial(campaign_options, out_required=False)
@click.option("--solver", required=True, help="NAME, NAME:KEY=VALUE,… or NAME:FILE.toml: the whole.")
@click.option("--only", multiple=True, metavar="PART", help="These parts, by name; all by default.")
@click.option("--level", default=0.95, show_default=True, type=FiniteRange(0.5, 0.9999))
@click.option("--list", "list_them", is_flag=True, help="List the parts and run nothing; needs no --out.")
def ablate(
    solver: str,
    only: tuple[str, ...],
    level: float,
    list_them: bool,
    as_json: bool,
    out: Path | None,
    **how: Any,
) -> None:
    """Print what each part of a solver is worth: runs without it, paired with runs of the whole."""
    from solvers.bench import load_records, parse_spec
    from solvers.bench.ablate import COLUMNS, markdown_table, variants, worths
    from solvers.bench.comparison import compare as compared

    made = variants(parse_spec(solver), only)
    if list_them:
        for spec in made[1:]:
            click.echo(f"{spec.label}: {spec.parameters}")
        return
    if out is None:
        raise click.MissingParameter(param_hint="'--out'", param_type="option")
    outcome = _campaign(made, out, **how)
    labels = {spec.label for spec in made}
    records = [r for r in load_records([out]) if r.label in labels] if (out / "runs.jsonl").exists() else []
    if any(r.label == made[0].label for r in records):
        found = compared(records, made[0].label, level)
        rows = worths(found, [spec for spec in made if spec.label in found.solvers])
        (out / "ablation.md").write_text(markdown_table(rows) + "\n", encoding="utf-8")
        if as_json:
            print_json({row.variant: row.as_json() for row in rows})
        else:
            print_table(
                f"What the parts of {made[0].label} are worth", list(COLUMNS), [r.cells() for r in rows]
            )
    _leave(outcome)


@bench.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--baseline", help="Solver that the others are compared with; the first by name by default.")
@click.option("--level", default=0.95, show_default=True, type=FiniteRange(0.5, 0.9999))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write compare.md, report.html and PNG charts here."
)
@click.option("--title", default="Benchmark", show_default=True, help="Heading of what is written.")
@as_json
def compare(
    folders: tuple[Path, ...], baseline: str | None, level: float, out: Path | None, title: str, as_json: bool
) -> None:
    """Compare the solvers in the records of FOLDERS: gaps, paired differences, integrals, charts."""
    from solvers.bench.comparison import compare as compared
    from solvers.bench.markdown import COLUMNS, by_size, cells, starvation
    from solvers.bench.record import load_records, load_sessions

    found = compared(load_records(folders), baseline, level)
    if out is not None:
        from solvers.bench.machine import command_text
        from solvers.bench.report import write_report

        command = command_text(sys.argv[1:])
        for path in write_report(found, load_sessions(folders), out, title, command):
            note(f"wrote {path}")
    if (warning := starvation(found)) is not None:
        note(warning)
    if as_json:
        print_json(found.as_json())
        return
    for name in found.sets():
        groups = [("", found.rows(found.cases(name)))]
        classes = by_size(found, name)
        groups += [(f", {label} visits", rows) for label, rows in classes] if len(classes) > 1 else []
        for suffix, rows in groups:
            print_table(name + suffix, list(COLUMNS), [cells(row, found.baseline) for row in rows])


@bench.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--instance", "instances", multiple=True, required=True, help="Like I-04; may be repeated.")
@click.option(
    "--strategy", default="windowed", show_default=True, help="windowed, fast, or another package's."
)
@click.option("--ms-per-step", type=FiniteRange(min=0, min_open=True), help="Planning time; 90 by default.")
@click.option("--iterations", type=click.IntRange(min=0), help="Chains a step instead of time: reproducible.")
@click.option("--steps", type=click.IntRange(min=1), help="Shorten the run.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option("--set", "changes", multiple=True, metavar="KEY=NUMBER", help="A setting of the strategy.")
@as_json
def robots(
    folder: Path,
    instances: tuple[str, ...],
    strategy: str,
    ms_per_step: float | None,
    iterations: int | None,
    steps: int | None,
    seed: int,
    changes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run a path finding STRATEGY on League 2023 instances below FOLDER; every step is checked."""
    from sim.robots.bench import measure, settings_of

    settings = settings_of(changes, ms_per_step, iterations)
    rows = {}
    with spinner() as progress:
        for name in instances:
            rows[name] = measure(
                folder, name, strategy, seed=seed, steps=steps, settings=settings, progress=progress
            )
    if as_json:
        print_json({name: row.as_json() for name, row in rows.items()})
    else:
        heads = ["instance", "robots", "steps", "errands", "best known", "ms per step", "conflicts"]
        cells = [
            [
                name,
                f"{row.robots:,}",
                f"{row.steps:,}",
                f"{row.errands:,}",
                f"{row.best_known:,}" if row.best_known else "",
                f"{row.ms_per_step:.1f}",
                str(row.conflicts),
            ]
            for name, row in rows.items()
        ]
        print_table(f"robots: {strategy}", heads, cells)
    sys.exit(INCOMPLETE if any(row.conflicts for row in rows.values()) else 0)


def _seeds(text: str) -> list[int]:
    seeds: list[int] = []
    for piece in text.split(","):
        first, _, last = piece.strip().partition("-")
        if not first.isdigit() or not (last or first).isdigit():
            raise click.BadParameter(f"{piece!r} is neither a number nor a range", param_hint="--seeds")
        seeds += range(int(first), int(last or first) + 1)
    if not seeds:
        raise click.BadParameter("no seeds", param_hint="--seeds")
    return list(dict.fromkeys(seeds))


def _line(record: object) -> str:
    from solvers.bench import Record

    assert isinstance(record, Record)
    head = f"{record.set_name}/{record.instance} {record.label} seed {record.seed}:"
    if record.error is not None:
        return f"{head} {record.error}"
    gap = "" if record.gap_pct is None else f", gap {record.gap_pct:.2f} %"
    state = (
        "" if record.feasible else f" {record.status}: {'; '.join(record.violations[:2]) or record.unserved}"
    )
    return f"{head} cost {record.cost:,}{gap}{state}, {record.wall_s:.1f} s"
